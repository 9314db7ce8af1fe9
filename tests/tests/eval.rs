//! `pu context eval`: the chain is judged by tasks whose specs are known, and says the same each time.

use e2e::{AUTH_TASK, Project, SPECS, World, read, write};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Four tasks: three that one spec is about, each in the words of that spec, and one that none is about.
const TASKS: &str = concat!(
    "{\"_id\":\"auth\",\"text\":\"fix the race of two requests that refresh the same token\",\"title\":\"x\"}\n",
    "{\"_id\":\"round\",\"text\":\"rounding of the invoice's total: cents, half to even\"}\n",
    "{\"_id\":\"thumbs\",\"text\":\"thumbnails of an uploaded photograph in three widths\"}\n",
    "{\"_id\":\"quokka\",\"text\":\"quokka habitat\"}\n",
);
const ANSWERS: &str = "query-id\tcorpus-id\tscore\nauth\tspecs/auth.md\t1\nround\tspecs/billing.md\t1\n\
                       thumbs\tspecs/images.md\t2\nthumbs\tdocs/deploy.md\t0\n";

fn files(project: &Project<'_>) -> (PathBuf, PathBuf) {
    // Where no spec index looks and no git status is asked.
    let folder = project.root().join(".pu/run/eval");
    let (tasks, answers) = (folder.join("queries.jsonl"), folder.join("qrels.tsv"));
    write(&tasks, TASKS);
    write(&answers, ANSWERS);
    (tasks, answers)
}

fn figure(report: &Value, key: &str) -> f64 {
    report["figures"][key]["value"].as_f64().unwrap_or_else(|| panic!("no {key} in {report:#}"))
}

fn note<'a>(report: &'a Value, code: &str) -> Option<&'a Value> {
    report["notes"].as_array().expect("a list of notes").iter().find(|note| note["code"] == code)
}

/// Each task's spec ranks first and is given whole, and the task that is about nothing gets nothing.
#[test]
fn a_chain_that_finds_everything_scores_one() {
    let world = World::new();
    let project = world.project(SPECS);
    let (tasks, answers) = files(&project);
    let args = [tasks.to_str().unwrap(), "--qrels", answers.to_str().unwrap()];
    let report = project.pu(["context", "eval", "--json"].iter().chain(&args)).output().json();
    assert_eq!(report["type"], "context_eval_report", "{report:#}");
    assert_eq!((&report["tasks"], &report["scored"]), (&json!(4), &json!(3)));
    for key in ["ndcg@10", "recall@5", "success@1", "mrr@10", "recall_in_budget"] {
        assert_eq!(figure(&report, key), 1.0, "{key}: {report:#}");
        assert_eq!((&report["figures"][key]["low"], &report["figures"][key]["high"]), (&json!(1.0), &json!(1.0)));
    }
    assert_eq!(figure(&report, "abstention"), 0.25, "{report:#}");
    assert!(figure(&report, "latency_p50_ms") > 0.0, "{report:#}");
    assert!(report["tokens_max"].as_u64().unwrap() <= report["budget"].as_u64().unwrap(), "{report:#}");
    assert_eq!(note(&report, "unanswered_task").unwrap()["first"], json!(["quokka"]));
    let told = project.pu(["context", "eval"].iter().chain(&args)).output().ok().stdout();
    assert!(told.contains("nDCG@10") && told.contains("abstention"), "{told}");
}

/// The files hold the whole ranking and what was injected, and two runs write the same bytes, however many tasks are under
/// way at a time.
#[test]
fn the_files_are_the_same_each_time() {
    let world = World::new();
    let project = world.project(SPECS);
    let (tasks, _) = files(&project);
    let run = |name: &str, more: &[&str]| {
        let (ranking, given) = (world.root().join(format!("{name}.run")), world.root().join(format!("{name}.given")));
        let args =
            [tasks.to_str().unwrap(), "--run", ranking.to_str().unwrap(), "--budget-run", given.to_str().unwrap()];
        project.pu(["context", "eval", "--json"].iter().chain(&args).chain(more)).output().ok();
        (read(ranking), read(given))
    };
    let (ranking, given) = run("one", &[]);
    assert_eq!(run("two", &[]), (ranking.clone(), given.clone()));
    assert_eq!(run("three", &["--at-once", "4"]), (ranking.clone(), given.clone()));
    let first: Vec<&str> = ranking.lines().find(|line| line.starts_with("auth\t")).unwrap().split('\t').collect();
    assert!(first.len() == 3 && first[1] == "specs/auth.md" && first[2].parse::<f64>().unwrap() > 0.0, "{ranking}");
    let injected: Vec<&str> = given.lines().find(|line| line.starts_with("auth\t")).unwrap().split('\t').collect();
    assert_eq!((injected.len(), injected[1], injected[2]), (4, "specs/auth.md", ""), "{given}");
    assert!(injected[3].parse::<u32>().unwrap() > 0, "{given}");
    let mut lines: Vec<&str> = ranking.lines().map(|line| line.rsplit_once('\t').unwrap().0).collect();
    let all = lines.len();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), all, "a path stands once a task: {ranking}");
}

/// What is changed in the working tree is no part of a task, and nothing is written into the project.
#[test]
fn the_working_tree_does_not_change_the_figures() {
    let world = World::new();
    let project = world.project(SPECS);
    let (tasks, _) = files(&project);
    let run = || {
        let ranking = world.root().join("ranking");
        project.pu(["context", "eval", tasks.to_str().unwrap(), "--run", ranking.to_str().unwrap()]).output().ok();
        read(ranking)
    };
    let before = run();
    project.write("src/images-thumbnails.rs", "// new\n");
    let traces = project.traces();
    assert_eq!(run(), before);
    assert_eq!(project.traces(), traces);
}

/// The specs of another folder, by the paths that they have there, with the plugins of this project.
#[test]
fn a_folder_takes_the_place_of_the_project_s_specs() {
    let world = World::new();
    let project = world.project(&SPECS[..1]);
    let (tasks, answers) = files(&project);
    let other = world.root().join("other");
    for (path, text) in SPECS {
        write(other.join(path), text);
    }
    let args = [tasks.to_str().unwrap(), "--qrels", answers.to_str().unwrap(), "--json"];
    let of_project = project.pu(["context", "eval"].iter().chain(&args)).output().json();
    let missing = note(&of_project, "unknown_document").unwrap();
    assert_eq!(missing["first"], json!(["specs/billing.md", "specs/images.md"]), "{of_project:#}");
    assert!((figure(&of_project, "recall@5") - 1.0 / 3.0).abs() < 1e-9, "{of_project:#}");
    let of_other =
        project.pu(["context", "eval", "--specs", other.to_str().unwrap()].iter().chain(&args)).output().json();
    assert_eq!(figure(&of_other, "recall@5"), 1.0, "{of_other:#}");
    assert_eq!(note(&of_other, "unknown_document"), None, "{of_other:#}");
    let relative = project.pu(["context", "eval", "--specs", "specs"].iter().chain(&args)).output().json();
    assert!(figure(&relative, "recall@5") == 0.0, "the paths count from the folder: {relative:#}");
}

/// Without the one assembler nobody proposes anything; a name that the chain does not have is no name.
#[test]
fn a_chain_can_be_named() {
    let world = World::new();
    let project = world.project(SPECS);
    let (tasks, answers) = files(&project);
    let run = |chain: &str| {
        let args = [tasks.to_str().unwrap(), "--qrels", answers.to_str().unwrap(), "--json", "--chain", chain];
        project.pu(["context", "eval"].iter().chain(&args)).output()
    };
    let report = run("keyword").json();
    assert_eq!(report["chain"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!(figure(&report, "recall@5"), 1.0, "{report:#}");
    let error = run("keyword,none").fails(3, "plugin_not_found");
    assert!(error["hint"].as_str().unwrap().contains("keyword"), "{error}");
    project.write(".pu/config.toml", "[context]\ndisabled = [\"keyword\"]\n");
    assert_eq!(figure(&run("keyword").json(), "recall@5"), 1.0, "switched off or not");
}

/// A line that is no task or no answer is told with its file and its number; strange ids are counted and end nothing.
#[test]
fn bad_lines_are_told_and_strange_ids_are_counted() {
    let world = World::new();
    let project = world.project(SPECS);
    let (tasks, answers) = files(&project);
    let run = || {
        let args = [tasks.to_str().unwrap(), "--qrels", answers.to_str().unwrap(), "--json"];
        project.pu(["context", "eval"].iter().chain(&args)).output()
    };
    write(&answers, format!("{ANSWERS}other\tspecs/auth.md\t1\nauth\tspecs/auth.md\t1\n"));
    write(&tasks, format!("{TASKS}{{\"_id\":\"auth\",\"text\":\"{AUTH_TASK}\"}}\n"));
    let report = run().json();
    for (code, first) in
        [("repeated_task", "auth"), ("repeated_answer", "auth specs/auth.md"), ("unknown_task", "other")]
    {
        let note = note(&report, code).unwrap_or_else(|| panic!("no {code} in {report:#}"));
        assert_eq!((&note["count"], &note["first"][0]), (&json!(1), &json!(first)), "{report:#}");
    }
    assert_eq!(figure(&report, "ndcg@10"), 1.0, "{report:#}");

    write(&answers, "query-id\tcorpus-id\tscore\nother\tspecs/auth.md\t1\n");
    run().fails(1, "invalid_config");
    write(&answers, "query-id\tcorpus-id\tscore\nauth\tspecs/auth.md\n");
    let error = run().fails(1, "invalid_config");
    assert!(error["message"].as_str().unwrap().contains("qrels.tsv: line 2: "), "{error}");
    write(&tasks, format!("{TASKS}nonsense\n"));
    let error = run().fails(1, "invalid_config");
    assert!(error["message"].as_str().unwrap().contains("queries.jsonl: line 5: "), "{error}");
}

/// Two tasks side by side.
#[test]
fn explain_tells_two_tasks_apart() {
    let world = World::new();
    let project = world.project(SPECS);
    let args = ["context", "explain", AUTH_TASK, "--diff", "thumbnails of a photograph"];
    let told = project.pu(args.iter().chain(&["--json"])).output().json();
    let paths = |key: &str| told[key].as_array().unwrap().iter().map(|pick| pick["path"].clone()).collect::<Vec<_>>();
    assert_eq!(
        (paths("more"), paths("less")),
        (vec![json!("specs/images.md")], vec![json!("specs/auth.md")]),
        "{told:#}"
    );
    let text = project.pu(args).output().ok().stdout();
    assert!(text.contains("more") && text.contains("less"), "{text}");
    let same = project.pu(["context", "explain", AUTH_TASK, "--diff", AUTH_TASK]).output().ok().stdout();
    assert!(same.contains("the same specs in the same order"), "{same}");
}

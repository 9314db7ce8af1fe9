//! Worktrees: made, refused, found, taken back.

use super::scratch::{Scratch, write_in};
use crate::agents::{AgentsError, CreatedWorktree, Repository};
use pu_protocol::ErrorCode;

fn create(repository: &Repository, name: &str) -> CreatedWorktree {
    let base = repository.resolve_base(None).unwrap();
    repository.create_worktree(name, &base).unwrap()
}

fn refused(scratch: &Scratch, name: &str) -> AgentsError {
    let repository = scratch.repository();
    let before = scratch.traces();
    let error = repository.create_worktree(name, &repository.resolve_base(None).unwrap()).unwrap_err();
    assert_eq!(scratch.traces(), before, "a refusal leaves everything as it was");
    error
}

#[test]
fn a_worktree_is_a_checkout_on_a_branch_of_its_own() {
    let scratch = Scratch::new();
    let repository = scratch.repository();
    let created = create(&repository, "fix-auth");

    assert_eq!(created.path, scratch.root().join(".pu/worktrees/fix-auth"));
    assert_eq!((created.branch.as_str(), &created.workdir), ("pu/fix-auth", &created.path));
    assert_eq!(std::fs::read_to_string(created.path.join("README.md")).unwrap(), "hello\n");
    assert_eq!(repository.current_branch(&created.path).unwrap().as_deref(), Some("pu/fix-auth"));
    assert_eq!(scratch.git_in(&created.path, &["rev-parse", "HEAD"]), created.base);

    let listed = repository.worktree("fix-auth").unwrap();
    assert_eq!((listed.path, listed.workdir), (created.path.clone(), created.workdir.clone()));
    assert_eq!(listed.branch.as_deref(), Some("pu/fix-auth"));
    assert_eq!(repository.worktrees().unwrap().len(), 1, "the main tree is not an agent's");
}

#[test]
fn a_worktree_begins_at_the_base_that_is_named() {
    let scratch = Scratch::new();
    let first = scratch.git(&["rev-parse", "HEAD"]);
    scratch.git(&["tag", "v1"]);
    scratch.write("README.md", "second\n");
    scratch.commit("second");
    let repository = scratch.repository();
    let base = repository.resolve_base(Some("v1")).unwrap();
    assert_eq!(base, first);
    let created = repository.create_worktree("old", &base).unwrap();
    assert_eq!(std::fs::read_to_string(created.path.join("README.md")).unwrap(), "hello\n");
}

#[test]
fn a_project_in_a_subfolder_has_its_worktrees_there_and_its_agents_work_there() {
    let scratch = Scratch::new();
    scratch.write("apps/shop/main.rs", "");
    scratch.commit("shop");
    let repository = scratch.open(&scratch.root().join("apps/shop")).unwrap();
    let created = create(&repository, "x");
    assert_eq!(created.path, scratch.root().join("apps/shop/.pu/worktrees/x"));
    assert_eq!(created.workdir, created.path.join("apps/shop"));
    assert!(created.workdir.join("main.rs").exists());
    assert_eq!(repository.worktree("x").unwrap().workdir, created.workdir);
}

#[test]
fn a_subfolder_that_the_base_does_not_have_is_made() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.root().join("new")).unwrap();
    let created = create(&scratch.open(&scratch.root().join("new")).unwrap(), "x");
    assert!(created.workdir.is_dir());
}

#[test]
fn a_project_reached_through_a_link_works_like_the_project() {
    let scratch = Scratch::new();
    let link = scratch.outside().join("link");
    std::os::unix::fs::symlink(scratch.root(), &link).unwrap();
    let repository = scratch.open(&link).unwrap();
    let created = create(&repository, "x");
    assert_eq!(repository.worktree("x").unwrap().path, created.path);
}

#[test]
fn no_worktree_is_made_where_a_link_of_the_repository_leads_out_of_it() {
    let scratch = Scratch::new();
    let worktrees = scratch.root().join(".pu/worktrees");
    std::fs::create_dir_all(scratch.root().join(".pu")).unwrap();
    for target in [scratch.outside(), scratch.outside().join("nowhere")] {
        std::os::unix::fs::symlink(&target, &worktrees).unwrap();
        let error = refused(&scratch, "x");
        assert_eq!(error.code(), ErrorCode::PathOutsideProject, "{error}");
        assert!(!target.join("x").exists());
        std::fs::remove_file(&worktrees).unwrap();
    }
    std::fs::create_dir(scratch.root().join("trees")).unwrap();
    std::os::unix::fs::symlink("../trees", &worktrees).unwrap();
    assert_eq!(create(&scratch.repository(), "x").path, scratch.root().join("trees/x"));
}

#[test]
fn an_existing_branch_is_never_touched() {
    let scratch = Scratch::new();
    scratch.git(&["branch", "pu/mine"]);
    let error = refused(&scratch, "mine");
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (ErrorCode::NameTaken, "the name `mine` is taken: the branch pu/mine exists already")
    );
    scratch.git(&["branch", "pu/deep/er"]);
    assert_eq!(refused(&scratch, "deep").code(), ErrorCode::NameTaken);
}

#[test]
fn an_existing_folder_is_never_touched() {
    let scratch = Scratch::new();
    scratch.write(".pu/worktrees/empty/.keep", "");
    std::fs::remove_file(scratch.root().join(".pu/worktrees/empty/.keep")).unwrap();
    scratch.write(".pu/worktrees/full/note.txt", "mine");
    for name in ["empty", "full"] {
        let error = refused(&scratch, name);
        assert_eq!(error.code(), ErrorCode::NameTaken);
        assert!(error.to_string().contains(&format!(".pu/worktrees/{name}")), "{error}");
    }
    assert!(scratch.root().join(".pu/worktrees/full/note.txt").exists());
}

#[test]
fn a_branch_called_pu_is_named_as_the_obstacle() {
    let scratch = Scratch::new();
    scratch.git(&["branch", "pu"]);
    let error = refused(&scratch, "x").to_body();
    assert_eq!(error.code, ErrorCode::GitFailed);
    assert!(error.message.contains("`pu` stands in its way"), "{}", error.message);
    assert_eq!(error.hint.as_deref(), Some("rename it: `git branch -m pu <another name>`"));
}

#[test]
fn a_worktree_whose_folder_was_deleted_by_hand_is_not_silently_replaced() {
    let scratch = Scratch::new();
    let repository = scratch.repository();
    let created = create(&repository, "gone");
    std::fs::remove_dir_all(&created.path).unwrap();
    assert_eq!(refused(&scratch, "gone").code(), ErrorCode::NameTaken);
    assert_eq!(repository.worktree("gone").unwrap_err().code(), ErrorCode::WorktreeNotFound);
}

#[test]
fn of_many_spawns_with_one_name_exactly_one_gets_it() {
    let scratch = Scratch::new();
    let repository = scratch.repository();
    let base = repository.resolve_base(None).unwrap();
    let attempts: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| repository.create_worktree("same", &base))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(attempts.iter().filter(|attempt| attempt.is_ok()).count(), 1);
    assert!(attempts.iter().flat_map(|a| a.as_ref().err()).all(|error| error.code() == ErrorCode::NameTaken));
    assert_eq!(repository.worktrees().unwrap().len(), 1);
}

#[test]
fn undo_leaves_nothing() {
    let scratch = Scratch::new();
    let repository = scratch.repository();
    create(&repository, "other");
    let before = scratch.traces();
    for agent_started in [false, true] {
        let created = create(&repository, "x");
        assert_ne!(scratch.traces(), before);
        assert_eq!(repository.undo_worktree(&created, agent_started).unwrap().kept, Vec::<String>::new());
        assert_eq!(scratch.traces(), before, "agent_started: {agent_started}");
    }
}

#[test]
fn undo_before_the_agent_ran_takes_what_a_hook_left_too() {
    let scratch = Scratch::new();
    let before = scratch.traces();
    scratch.hook("post-checkout", "mkdir -p node_modules && echo x > node_modules/x");
    let repository = scratch.repository();
    let created = create(&repository, "x");
    assert!(created.path.join("node_modules/x").exists());
    assert!(repository.undo_worktree(&created, false).unwrap().kept.is_empty());
    assert_eq!(scratch.traces(), before);
}

/// A spawn that was cut off may have claimed folder and branch, or found that somebody else has them.
#[test]
fn what_is_not_surely_ours_goes_only_where_nothing_is_in_it() {
    let scratch = Scratch::new();
    let repository = scratch.repository();
    let base = repository.resolve_base(None).unwrap();
    let before = scratch.traces();
    let planned = repository.future_worktree("x", &base);
    let undo = || repository.undo_unsure_worktree(&planned).unwrap().kept;

    assert_eq!(undo(), Vec::<String>::new(), "nothing was claimed");
    std::fs::create_dir_all(&planned.path).unwrap();
    scratch.git(&["branch", "pu/x"]);
    assert_eq!(undo(), Vec::<String>::new());
    assert_eq!(scratch.traces(), before, "both were claimed and empty");

    let theirs = create(&repository, "x");
    write_in(&theirs.path, "work.txt", "an hour of it");
    let with_theirs = scratch.traces();
    assert_eq!(undo(), Vec::<String>::new());
    assert_eq!(scratch.traces(), with_theirs);
    assert!(theirs.path.join("work.txt").exists());

    repository.undo_worktree(&theirs, false).unwrap();
    scratch.git(&["branch", "pu/x"]);
    scratch.git(&["checkout", "--quiet", "pu/x"]);
    let commit = scratch.commit("work");
    scratch.git(&["checkout", "--quiet", "main"]);
    assert_eq!(undo(), Vec::<String>::new());
    assert_eq!(scratch.git(&["rev-parse", "pu/x"]), commit, "it is no longer where it began");
}

#[test]
fn the_note_is_taken_before_anything_is_in_the_worktree_and_a_failed_one_undoes_it() {
    let scratch = Scratch::new();
    let repository = scratch.repository();
    let base = repository.resolve_base(None).unwrap();
    let before = scratch.traces();
    let path = repository.future_worktree("x", &base).path;
    let refuse = || {
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 0);
        assert_eq!(scratch.git(&["rev-parse", "pu/x"]), base);
        Err(AgentsError::GitMissing)
    };
    let error = repository.create_noted_worktree("x", &base, refuse).unwrap_err();
    assert!(matches!(error, AgentsError::GitMissing), "{error}");
    assert_eq!(scratch.traces(), before);
}

/// The hook moves the branch on, so that it holds a commit that nobody else has.
#[test]
fn what_a_failed_worktree_leaves_is_told() {
    let scratch = Scratch::new();
    scratch.hook("post-checkout", "git commit --quiet --allow-empty --no-verify -m work; exit 1");
    let repository = scratch.repository();
    let error = repository.create_worktree("x", &repository.resolve_base(None).unwrap()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::GitFailed);
    assert!(error.to_string().contains("; left behind: branch pu/x: "), "{error}");
    assert_eq!(scratch.git(&["log", "-1", "--format=%s", "pu/x"]), "work");
}

#[test]
fn undo_keeps_what_the_agent_did() {
    let scratch = Scratch::new();
    let repository = scratch.repository();

    let dirty = create(&repository, "dirty");
    write_in(&dirty.path, "work.txt", "an hour of it");
    let undone = repository.undo_worktree(&dirty, true).unwrap();
    assert!(undone.kept[0].ends_with("1 changed files, work.txt among them"), "{:?}", undone.kept);
    assert!(dirty.path.join("work.txt").exists());

    let committed = create(&repository, "committed");
    write_in(&committed.path, "work.txt", "an hour of it");
    let commit = scratch.commit_in(&committed.path, "work");
    let undone = repository.undo_worktree(&committed, true).unwrap();
    assert!(undone.kept[0].starts_with("branch pu/committed: "), "{:?}", undone.kept);
    assert_eq!(scratch.git(&["rev-parse", "pu/committed"]), commit);
}

#[test]
fn undo_does_not_forget_the_worktrees_of_others() {
    let scratch = Scratch::new();
    let repository = scratch.repository();
    // On a disk that is not mounted just now.
    let away = scratch.outside().join("away");
    scratch.git(&["worktree", "add", "--quiet", "-b", "feature", away.to_str().unwrap()]);
    std::fs::rename(&away, scratch.outside().join("unmounted")).unwrap();

    let created = create(&repository, "x");
    // As if it had been cut off before git knew it as a worktree.
    std::fs::remove_file(created.path.join(".git")).unwrap();
    assert!(repository.undo_worktree(&created, false).unwrap().kept.is_empty());
    assert!(!created.path.exists() && repository.worktrees().unwrap().is_empty());

    std::fs::rename(scratch.outside().join("unmounted"), &away).unwrap();
    assert_eq!(scratch.git_in(&away, &["branch", "--show-current"]), "feature");
}

#[test]
fn a_name_that_is_no_name_reaches_no_disk() {
    let scratch = Scratch::new();
    for name in ["../x", "a/b", "", "-x"] {
        assert_eq!(refused(&scratch, name).code(), ErrorCode::InvalidName, "{name}");
    }
}

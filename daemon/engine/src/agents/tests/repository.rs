//! Finding a repository and reading it.

use super::scratch::{Scratch, write_in};
use crate::agents::{AgentsError, Git, Repository, changed_files};
use pu_protocol::ErrorCode;
use std::path::Path;

#[test]
fn a_repository_is_found_from_the_root_a_subfolder_and_a_worktree() {
    let scratch = Scratch::new();
    scratch.write("a/b/c", "");
    let linked = scratch.outside().join("linked");
    scratch.git(&["worktree", "add", "--quiet", "-b", "feature", linked.to_str().unwrap()]);
    for (folder, top) in
        [(scratch.root(), scratch.root()), (scratch.root().join("a/b"), scratch.root()), (linked.clone(), linked)]
    {
        let repository = scratch.open(&folder).unwrap();
        assert_eq!((repository.top(), repository.common_dir()), (top.as_path(), scratch.root().join(".git").as_path()));
    }
}

#[test]
fn what_is_no_repository_is_told_apart() {
    let scratch = Scratch::new();
    scratch.git(&["clone", "--quiet", "--bare", ".", "../bare.git"]);
    let plain = scratch.outside();
    let bare = scratch.outside().join("bare.git");
    let cases: [(&Path, &str); 3] = [
        (&plain, "is not in a git repository"),
        (&bare, "is a bare repository: it has no working tree"),
        (&scratch.root().join(".git"), "is not in a git repository"),
    ];
    for (folder, message) in cases {
        let error = scratch.open(folder).unwrap_err().to_body();
        assert_eq!(error.code, ErrorCode::NotAGitRepository, "{}", error.message);
        assert!(error.message.ends_with(message), "{}", error.message);
        assert!(error.hint.unwrap().contains("--root"));
    }
    let error = scratch.open(&scratch.outside().join("nowhere")).unwrap_err();
    assert!(matches!(error, AgentsError::Io { .. }), "{error}");
}

#[test]
fn a_worktree_of_a_bare_repository_is_a_working_tree() {
    let scratch = Scratch::new();
    scratch.git(&["clone", "--quiet", "--bare", ".", "../bare.git"]);
    let bare = scratch.outside().join("bare.git");
    scratch.git_in(&bare, &["worktree", "add", "--quiet", "../tree", "main"]);
    let repository = scratch.open(&scratch.outside().join("tree")).unwrap();
    assert_eq!(repository.common_dir(), bare);
    let created = repository.create_worktree("x", &repository.resolve_base(None).unwrap()).unwrap();
    assert!(created.path.join("README.md").exists());
}

#[test]
fn a_repository_without_a_commit_has_no_base() {
    let scratch = Scratch::without_commit();
    let repository = scratch.repository();
    assert!(!repository.has_commit().unwrap());
    assert_eq!(repository.current_branch(&scratch.root()).unwrap().as_deref(), Some("main"));
    let error = repository.resolve_base(None).unwrap_err();
    assert!(matches!(error, AgentsError::NoCommit { .. }), "{error}");
    assert_eq!(error.code(), ErrorCode::NotAGitRepository);
}

#[test]
fn bases_are_commits_by_any_name() {
    let scratch = Scratch::new();
    let head = scratch.git(&["rev-parse", "HEAD"]);
    scratch.git(&["tag", "-m", "annotated", "v1"]);
    scratch.git(&["branch", "feature/x"]);
    let repository = scratch.repository();
    assert!(repository.has_commit().unwrap());
    for base in ["HEAD", "main", "v1", "feature/x", &head[..8], "main@{0}"] {
        assert_eq!(repository.resolve_base(Some(base)).unwrap(), head, "{base}");
    }
    for base in ["nope", "", "-x", "--all", "HEAD:README.md", "main..v1", "a b", "HEAD~5", "x\0y", "$(id)"] {
        let error = repository.resolve_base(Some(base)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::UnknownBase, "{base}: {error}");
    }
}

#[test]
fn a_detached_head_has_no_branch() {
    let scratch = Scratch::new();
    scratch.git(&["checkout", "--quiet", "--detach"]);
    assert_eq!(scratch.repository().current_branch(&scratch.root()).unwrap(), None);
}

#[test]
fn changed_files_are_those_of_the_branch_and_those_not_committed() {
    let scratch = Scratch::new();
    let git = Git::in_environment(scratch.env()).unwrap();
    let changed = || -> Vec<String> {
        let files = changed_files(&git, &scratch.root(), &scratch.root(), 100).unwrap();
        files.into_iter().map(|file| format!("{} {}", file.status, file.path)).collect()
    };
    assert_eq!(changed(), Vec::<String>::new());

    scratch.git(&["checkout", "--quiet", "-b", "feature"]);
    scratch.write("src/ü b.rs", "x");
    scratch.write("src/c.rs", "x");
    scratch.commit("feature");
    scratch.write("README.md", "changed\n");
    scratch.write("src/c.rs", "changed");
    scratch.write(".pu/config.toml", "");
    scratch.write("new.txt", "");
    write_in(&scratch.root(), ".git/info/exclude", "*.log\n");
    scratch.write("noise.log", "");
    assert_eq!(changed(), ["modified README.md", "added new.txt", "added src/c.rs", "added src/ü b.rs"]);
    assert_eq!(changed_files(&git, &scratch.root(), &scratch.root(), 2).unwrap().len(), 2);

    std::fs::remove_file(scratch.root().join("README.md")).unwrap();
    assert_eq!(changed()[0], "deleted README.md");
    let in_subfolder = changed_files(&git, &scratch.root().join("src"), &scratch.root(), 9).unwrap();
    let paths: Vec<_> = in_subfolder.into_iter().map(|f| f.path).collect();
    assert_eq!(paths, ["c.rs", "ü b.rs"], "those of the project, as it knows them");
}

#[test]
fn the_environment_cannot_lead_git_to_another_repository() {
    let (ours, other) = (Scratch::new(), Scratch::new());
    let mut env = ours.env();
    env.insert("GIT_DIR".to_owned(), other.root().join(".git").to_str().unwrap().to_owned());
    env.insert("GIT_WORK_TREE".to_owned(), other.root().to_str().unwrap().to_owned());
    env.insert("GIT_INDEX_FILE".to_owned(), "/nonexistent/index".to_owned());
    let repository = Repository::open(Git::in_environment(env).unwrap(), &ours.root()).unwrap();
    assert_eq!(repository.top(), ours.root());
}

#[test]
fn without_git_it_is_said() {
    let error = Git::in_environment([("PATH", "/no/such/folder")]).unwrap_err().to_body();
    assert_eq!((error.code, error.message.as_str()), (ErrorCode::GitMissing, "`git` is not installed"));
    assert!(error.hint.unwrap().contains("install git"));
}

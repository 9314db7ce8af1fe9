//! What `clean` may remove: never work that exists nowhere else.

use super::scratch::{Scratch, write_in};
use crate::agents::{CreatedWorktree, KeepReason, Outcome, Removal, Repository};

/// A repository as after a spawn of `x`.
fn spawned() -> (Scratch, Repository, CreatedWorktree) {
    let scratch = Scratch::new();
    let repository = scratch.repository();
    repository.exclude_local_files().unwrap();
    let created = repository.create_worktree("x", &repository.resolve_base(None).unwrap()).unwrap();
    write_in(&created.workdir, ".pu/run/a1/context.md", "x");
    (scratch, repository, created)
}

const GONE: Removal = Removal { worktree: Outcome::Removed, branch: Outcome::Removed };

fn assert_kept(repository: &Repository, reason: &str) -> Vec<KeepReason> {
    let inspected = repository.inspect_worktree("x").unwrap();
    assert_eq!(inspected.kept_because().as_deref(), Some(reason));
    let removal = repository.remove_worktree(&inspected);
    assert!(!matches!(removal.worktree, Outcome::Removed) && !matches!(removal.branch, Outcome::Removed));
    assert_eq!(repository.inspect_worktree("x").unwrap(), inspected, "nothing has changed");
    inspected.keep
}

#[test]
fn an_untouched_worktree_goes_with_its_branch() {
    let (scratch, repository, created) = spawned();
    scratch.git_in(&created.path, &["config", "branch.pu/x.remote", "origin"]);
    let inspected = repository.inspect_worktree("x").unwrap();
    assert_eq!((inspected.kept_because(), inspected.branch.as_deref()), (None, Some("pu/x")));
    assert_eq!(repository.remove_worktree(&inspected), GONE);
    assert!(!created.path.exists() && repository.worktrees().unwrap().is_empty());
    assert_eq!(scratch.git(&["branch", "--list", "--format=%(refname:short)"]), "main");
    assert!(!std::fs::read_to_string(scratch.root().join(".git/config")).unwrap().contains("pu/x"));
}

#[test]
fn uncommitted_and_untracked_work_stays() {
    let (_scratch, repository, created) = spawned();
    write_in(&created.path, "new.txt", "");
    assert_kept(&repository, "new.txt is not committed");
    write_in(&created.path, "README.md", "changed");
    assert_kept(&repository, "2 files are not committed, README.md among them");
}

#[test]
fn commits_that_only_the_agents_branch_has_stay() {
    let (scratch, repository, created) = spawned();
    scratch.commit_in(&created.path, "one");
    assert_kept(&repository, "a commit on pu/x that no other branch or tag has");
    scratch.commit_in(&created.path, "two");
    let keep = assert_kept(&repository, "2 commits on pu/x that no other branch or tag has");
    assert_eq!(keep, [KeepReason::Unmerged { commits: 2, branch: "pu/x".to_owned() }]);
}

#[test]
fn merged_pushed_or_tagged_work_may_go() {
    let elsewhere: [&[&str]; 4] = [
        &["merge", "--quiet", "--no-ff", "-m", "merge", "pu/x"],
        &["branch", "other", "pu/x"],
        &["update-ref", "refs/remotes/origin/pu/x", "pu/x"],
        &["tag", "kept", "pu/x"],
    ];
    for act in elsewhere {
        let (scratch, repository, created) = spawned();
        write_in(&created.path, "work.txt", "x");
        scratch.commit_in(&created.path, "work");
        scratch.git(act);
        let inspected = repository.inspect_worktree("x").unwrap();
        assert_eq!(inspected.kept_because(), None, "{act:?}");
        assert_eq!(repository.remove_worktree(&inspected), GONE, "{act:?}");
    }
}

#[test]
fn a_branch_whose_name_ours_begins_with_does_not_hide_the_loss() {
    let (scratch, repository, created) = spawned();
    scratch.git(&["branch", "pu/x-2"]);
    scratch.commit_in(&created.path, "work");
    assert_kept(&repository, "a commit on pu/x that no other branch or tag has");
}

#[test]
fn of_two_branches_with_the_same_commit_the_last_stays() {
    let (scratch, repository, created) = spawned();
    let commit = scratch.commit_in(&created.path, "work");
    repository.create_worktree("y", &commit).unwrap();
    let inspected = repository.inspect_worktree("y").unwrap();
    assert_eq!(repository.remove_worktree(&inspected), GONE);
    assert_kept(&repository, "a commit on pu/x that no other branch or tag has");
}

#[test]
fn work_on_a_detached_head_or_in_a_rebase_stays() {
    let (scratch, repository, created) = spawned();
    scratch.git_in(&created.path, &["checkout", "--quiet", "--detach"]);
    assert_eq!(repository.inspect_worktree("x").unwrap().kept_because(), None, "nothing was done there");
    scratch.commit_in(&created.path, "work");
    assert_kept(&repository, "a commit on a detached HEAD that no branch has");
    scratch.git_in(&created.path, &["bisect", "start"]);
    assert_kept(&repository, "a bisect is in progress; a commit on a detached HEAD that no branch has");
}

#[test]
fn a_branch_of_the_agents_own_making_is_left_alone() {
    let (scratch, repository, created) = spawned();
    scratch.git_in(&created.path, &["checkout", "--quiet", "-b", "feature"]);
    scratch.commit_in(&created.path, "work");
    let inspected = repository.inspect_worktree("x").unwrap();
    assert_eq!(repository.remove_worktree(&inspected), GONE);
    assert_eq!(scratch.git(&["log", "-1", "--format=%s", "feature"]), "work");
}

#[test]
fn a_locked_worktree_and_a_branch_checked_out_elsewhere_stay() {
    let (scratch, repository, created) = spawned();
    scratch.git(&["worktree", "lock", created.path.to_str().unwrap()]);
    assert_kept(&repository, "it is locked (`git worktree unlock` frees it)");
    scratch.git(&["worktree", "unlock", created.path.to_str().unwrap()]);
    scratch.git_in(&created.path, &["checkout", "--quiet", "--detach"]);
    scratch.git(&["checkout", "--quiet", "pu/x"]);
    assert_kept(&repository, &format!("its branch is checked out in {}", scratch.root().display()));
}

#[test]
fn what_was_deleted_by_hand_is_tidied() {
    let (scratch, repository, created) = spawned();
    std::fs::remove_dir_all(&created.path).unwrap();
    let inspected = repository.inspect_worktree("x").unwrap();
    assert!(inspected.worktree.as_ref().unwrap().missing);
    assert_eq!(repository.remove_worktree(&inspected), GONE);
    assert_eq!(scratch.git(&["worktree", "list"]).lines().count(), 1);

    let inspected = repository.inspect_worktree("x").unwrap();
    let nothing = Removal { worktree: Outcome::Absent, branch: Outcome::Absent };
    assert_eq!(repository.remove_worktree(&inspected), nothing);
}

#[test]
fn work_done_after_the_inspection_is_safe() {
    let (scratch, repository, created) = spawned();
    let inspected = repository.inspect_worktree("x").unwrap();
    write_in(&created.path, "late.txt", "x");
    let removal = repository.remove_worktree(&inspected);
    assert!(matches!(&removal.worktree, Outcome::Kept(why) if why.contains("untracked")), "{removal:?}");
    assert_eq!(removal.branch, Outcome::Kept("its worktree is still there".to_owned()));
    assert!(created.path.join("late.txt").exists());

    let commit = scratch.commit_in(&created.path, "late");
    let removal = repository.remove_worktree(&inspected);
    assert_eq!(removal.worktree, Outcome::Removed, "the files are in the commit");
    assert!(matches!(removal.branch, Outcome::Kept(_)), "{removal:?}");
    assert_eq!(scratch.git(&["rev-parse", "pu/x"]), commit);
}

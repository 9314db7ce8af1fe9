"""Repositories as a stranger would make them, to read what is not theirs or to run something: each is built in its folder,
around a secret that lies outside and a canary that a command of theirs would make."""
from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Callable, NamedTuple

SECRET = "the-secret-that-lies-outside"
ESCAPES = "x\x1b[2J\nall is well"
SPEC = "---\nid: LOGIN\n---\n# The login\n\nA session ends after ten minutes.\n"


class Bait(NamedTuple):
    """What there is to be had."""
    outside: Path
    canary: Path

    @property
    def command(self) -> str:
        return f"touch {self.canary}"

    def agents(self) -> str:
        """A configuration under which every agent that could be started is theirs."""
        names = ("terminal", "claude", "codex", "opencode", "gemini", "aider", "own")
        body = f'command = "/bin/sh"\nargs = ["-c", "{self.command}"]\n'
        return 'default_agent = "own"\n' + "".join(f"[agents.{name}]\n{body}" for name in names)


def write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def link(path: Path, to: str | Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(to)


def config(repo: Path, text: str | bytes) -> None:
    write(repo / ".pu/config.toml", text)


def specs_that_are_links(repo: Path, bait: Bait) -> None:
    link(repo / "specs/passwd.md", "/etc/passwd")
    link(repo / "specs/secret.md", bait.outside / "secret.md")
    link(repo / "specs/relative.md", "../../outside/secret.md")


def folders_that_are_links(repo: Path, bait: Bait) -> None:
    link(repo / "docs", bait.outside)
    link(repo / "rfcs", "/etc")
    link(repo / ".cursor/rules", bait.outside)


def dots_in_the_configuration(repo: Path, bait: Bait) -> None:
    config(repo, f'[specs]\nfolders = ["../outside", "../../../../etc", "{bait.outside}", "specs/../../outside"]\n')


def dots_to_a_plugin(repo: Path, bait: Bait) -> None:
    config(repo, '[[context.assembler]]\nname = "x"\nplugin = "../../outside/evil.wasm"\n')


def plugins_that_are_links(repo: Path, bait: Bait) -> None:
    link(repo / ".pu/plugins/evil.wasm", bait.outside / "evil.wasm")
    link(repo / ".pu/plugins/zero.wasm", "/dev/zero")


def a_plugin_behind_its_pin(repo: Path, bait: Bait) -> None:
    write(repo / ".pu/plugins/ledger.wasm", b"\0asm another one")
    write(repo / ".pu/plugins.lock", 'version = 1\n\n[[plugin]]\nname = "ledger"\npath = "plugins/ledger.wasm"\n'
          f'sha256 = "{"0" * 64}"\nimports = []\n')


def commands_in_agent_definitions(repo: Path, bait: Bait) -> None:
    config(repo, bait.agents())
    write(repo / ".pu/agents/own.toml", f'command = "/bin/sh"\nargs = ["-c", "{bait.command}"]\n')


def programs_of_git(repo: Path, bait: Bait) -> None:
    tool = repo / "tool.sh"
    write(tool, f"#!/bin/sh\n{bait.command}\n")
    tool.chmod(0o755)
    with open(repo / ".git/config", "a", encoding="utf-8") as file:
        file.write(f'[core]\n\tfsmonitor = {tool}\n\thooksPath = {repo}/hooks\n[diff]\n\texternal = {tool}\n')
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        write(repo / "hooks" / hook, f"#!/bin/sh\n{bait.command}\n")
        (repo / "hooks" / hook).chmod(0o755)


def pipes_and_devices_as_specs(repo: Path, bait: Bait) -> None:
    (repo / "specs").mkdir(exist_ok=True)
    os.mkfifo(repo / "specs/pipe.md")
    os.mkfifo(repo / "AGENTS.md")
    link(repo / "specs/zero.md", "/dev/zero")
    link(repo / "specs/tty.md", "/dev/tty")
    try:
        os.mknod(repo / "specs/device.md", stat.S_IFCHR | 0o644, os.makedev(1, 5))
    except OSError:
        pass  # Only root may make one.


def pipes_as_records(repo: Path, bait: Bait) -> None:
    (repo / ".pu/context").mkdir(parents=True, exist_ok=True)
    for name in ("config.toml", "manifest.json", "plugins.lock", "history.jsonl", "context/map.toml"):
        os.mkfifo(repo / ".pu" / name)


def a_sparse_spec_of_4_gib(repo: Path, bait: Bait) -> None:
    (repo / "specs").mkdir(exist_ok=True)
    with open(repo / "specs/sparse.md", "wb") as file:
        file.truncate(4 << 30)


def a_configuration_of_10_mb(repo: Path, bait: Bait) -> None:
    config(repo, bait.agents().encode() + b"# " + b"x" * 10_000_000)


def folders_500_deep(repo: Path, bait: Bait) -> None:
    here = os.getcwd()
    (repo / "specs").mkdir(exist_ok=True)
    os.chdir(repo / "specs")
    try:
        for _ in range(500):
            os.mkdir("deeper")
            os.chdir("deeper")
        write(Path("deep.md"), SPEC)
    finally:
        os.chdir(here)


def brackets_100_000_deep(repo: Path, bait: Bait) -> None:
    config(repo, "a = " + "[" * 100_000 + "]" * 100_000 + "\n")
    write(repo / "specs/deep.md", f"---\ntags: {'[' * 50_000}\n---\n# Deep\n\n{'> ' * 50_000}quoted\n")


def names_with_escapes(repo: Path, bait: Bait) -> None:
    write(repo / f"specs/{ESCAPES}.md", SPEC)
    write(repo / f".pu/plugins/{ESCAPES}.wasm", b"x")
    config(repo, '[agents."y\\u001b[2J\\nall is well"]\ncommand = "x\\u001b[2J"\n')


def a_configuration_elsewhere(repo: Path, bait: Bait) -> None:
    write(bait.outside / "config.toml", bait.agents())
    link(repo / ".pu/config.toml", bait.outside / "config.toml")
    link(repo / ".pu/context/map.toml", bait.outside / "secret.md")
    link(repo / ".pu/plugins.lock", bait.outside / "secret.md")


def a_pu_folder_elsewhere(repo: Path, bait: Bait) -> None:
    write(bait.outside / "pu/config.toml", bait.agents())
    (repo / ".pu/config.toml").unlink(missing_ok=True)
    if (repo / ".pu").is_dir():
        (repo / ".pu").rmdir()
    link(repo / ".pu", bait.outside / "pu")


def lists_of_what_to_ignore(repo: Path, bait: Bait) -> None:
    (repo / "docs").mkdir(exist_ok=True)
    os.mkfifo(repo / "docs/.gitignore")
    write(repo / "docs/a.md", SPEC)
    link(repo / "rfcs/.ignore", "/dev/zero")
    write(repo / "rfcs/b.md", SPEC)


def links_in_a_circle(repo: Path, bait: Bait) -> None:
    link(repo / "specs/again", ".")
    link(repo / "specs/self.md", "self.md")
    link(repo / "docs/up", "..")


def records_that_lead_out(repo: Path, bait: Bait) -> None:
    row = ('{"agent_id":"aaaa1111","name":"old","agent":"terminal","worktree":"../../outside",'
           '"branch":"pu/old","created_at":"2026-01-02T03:04:05Z"}')
    write(repo / ".pu/manifest.json", f'{{"version":1,"agents":[{row}],"worktrees":'
          '[{"name":"../../outside","branch":"pu/old","base":""}]}')
    write(repo / ".pu/history.jsonl", '{"kind":"spawned","agent_id":"aaaa1111"}\n' * 1000)


class Case(NamedTuple):
    build: Callable[[Path, Bait], None]
    # Whether even a user who trusts it loses nothing: else it does what it says it does.
    harmless_when_trusted: bool = True
    # Whether git carries it: else it comes with an archive.
    cloned: bool = True

    @property
    def name(self) -> str:
        return self.build.__name__.replace("_", " ")


CASES = [
    Case(specs_that_are_links), Case(folders_that_are_links), Case(dots_in_the_configuration), Case(dots_to_a_plugin),
    Case(plugins_that_are_links), Case(a_plugin_behind_its_pin), Case(commands_in_agent_definitions, False),
    Case(programs_of_git, False, cloned=False), Case(pipes_and_devices_as_specs, cloned=False),
    Case(pipes_as_records, cloned=False), Case(a_sparse_spec_of_4_gib, cloned=False), Case(a_configuration_of_10_mb), Case(folders_500_deep), Case(brackets_100_000_deep),
    Case(names_with_escapes), Case(a_configuration_elsewhere), Case(a_pu_folder_elsewhere),
    Case(lists_of_what_to_ignore, cloned=False), Case(links_in_a_circle), Case(records_that_lead_out),
]

"""A project in a world of its own, and what its spawns say of one plugin: for shows of plugins that misbehave."""
from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from stage import Verdict
from purepoint.figures import duration, median
from purepoint.programs import REPOSITORY
from purepoint.world import World

SPEC, PATH = "AUTH", "specs/auth.md"
TEXT = "---\nid: AUTH\n---\n# The login\n\nA session ends after ten minutes. The login refuses a third try.\n"
TASK = "mend the login: a session must end after ten minutes"
# What a plugin gets that asks for nothing, and how late it may be.
DEADLINE, GRACE = 0.050, 0.050
COMPILED_WITHIN = 60.0


def writer() -> list[str]:
    """The program that writes plugins that misbehave."""
    if given := os.environ.get("HOSTILE_PLUGIN"):
        return [given]
    return ["cargo", "run", "-q", "--locked", "--manifest-path", str(REPOSITORY / "Cargo.toml"),
            "-p", "pu-plugin-hostile", "--example", "hostile-plugin", "--"]


def write(*words: object) -> None:
    subprocess.run([*writer(), *map(str, words)], check=True)


def put(source: Path, file: Path) -> None:
    """Replaces a file as an editor does: there is no moment without it or with half of it."""
    fresh = file.with_suffix(".new")
    shutil.copyfile(source, fresh)
    os.replace(fresh, file)


class Seen(NamedTuple):
    """What one spawn said of the plugin, and how long plugin and spawn took."""
    code: str | None
    picks: list[str]
    elapsed: float
    took: float


def picked(report: dict, plugin: str) -> list[str]:
    return [pick["spec"] for pick in report["context"]["picks"] if pick["assembler"] == plugin]


class Trial:
    def __init__(self, world: World, verdict: Verdict, texts: dict[str, str] | None = None) -> None:
        self.world, self.verdict, self.spawns = world, verdict, 0
        self.root = world.repository("project")
        for path, text in {PATH: TEXT, **(texts or {})}.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text)
        # What git sees as changed would be a part of the task, and each plugin be asked twice.
        (self.root / ".git/info/exclude").write_text(".pu/\n")
        world.commit(self.root)
        world.pu("init", cwd=self.root)
        (world.home / "plugins").mkdir(exist_ok=True)
        self.daemon = world.daemons()

    def file(self, name: str) -> Path:
        """Among the user's own plugins, which run in every project: one of the project's is asked for by `pu trust`
        whenever its file is another one, and a show of what plugins do is none of who may bring them."""
        return self.world.home / f"plugins/{name}.wasm"

    def trust(self) -> None:
        self.world.pu("trust", "--yes", cwd=self.root)

    def argv(self) -> list[str]:
        self.spawns += 1
        agent = ["--agent", "terminal", "--command", "true", "--name", f"a{self.spawns}"]
        return ["spawn", "--root", *agent, "--wait", TASK]

    def spawn(self, plugin: str) -> Seen | None:
        """One spawn, once the plugin is compiled."""
        end = time.monotonic() + COMPILED_WITHIN
        while (seen := self.once(plugin)) and seen.code == "compiling" and time.monotonic() < end:
            time.sleep(0.1)
        return seen

    def once(self, plugin: str) -> Seen | None:
        start = time.perf_counter()
        try:
            report = self.world.json(*self.argv(), cwd=self.root)
        except RuntimeError as failure:
            self.verdict.check(False, f"{plugin}: no agent was started: {str(failure).strip()}")
            return None
        return self.seen(plugin, report, time.perf_counter() - start)

    def seen(self, plugin: str, report: dict, took: float) -> Seen | None:
        """Looks at the others, too: they are to be as if there were no such plugin."""
        chain = {part["name"]: part for part in report["context"]["assemblers"]}
        keyword, part = chain.get("keyword"), chain.get(plugin)
        in_context = [pick["path"] for pick in report["context"]["picks"]]
        self.verdict.check(bool(keyword) and not keyword["error"] and keyword["picks"] > 0 and PATH in in_context,
                           f"{plugin}: keyword was harmed: {keyword}, in the context are {in_context}")
        self.verdict.check(self.world.daemons() == self.daemon, f"{plugin}: the daemon did not live through it")
        if not self.verdict.check(part is not None, f"{plugin}: not in the report: {list(chain)}"):
            return None
        code = (part["error"] or {}).get("code")
        return Seen(code, picked(report, plugin), part["elapsed_us"] / 1e6, took)

    def told(self, plugin: str) -> str:
        """The first line about the plugin that a person sees; how many there are more."""
        ran = self.world.pu(*self.argv(), cwd=self.root, check=False)
        text = ran.stdout.decode().replace(f"{self.root}/", "")
        lines = [" ".join(line.split()) for line in text.splitlines() if line.startswith(("skipped", "dropped"))]
        more = f" (and {len(lines) - 1} lines more)" if len(lines) > 1 else ""
        return lines[0] + more if lines else "nothing"


class Table:
    """What was seen, a row each: printed as it comes, and once more as a table at the end."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict, self.rows = verdict, []

    def judge(self, name: str, seen: list[Seen | None], expected: str | None, told: str,
              allowed: float = DEADLINE) -> None:
        """The middle one of the times counts: a machine that is busy takes some of them from any program."""
        found = [one for one in seen if one]
        codes = {one.code for one in found}
        self.verdict.check(codes == {expected}, f"{name}: expected {expected}, seen {codes}")
        times = sorted(one.elapsed for one in found)
        self.verdict.check(bool(times) and median(times) <= allowed + GRACE,
                           f"{name}: was let go on for {', '.join(map(duration, times))}")
        if times:
            ran = f"{duration(median(times))}, at most {duration(times[-1])}; deadline {duration(allowed)}"
            self.row(name, told, ran, duration(median([one.took for one in found])))

    def row(self, name: str, told: str, ran: str, took: str = "") -> None:
        self.rows.append((name, told, ran, took))
        print(f"  {name}: ran {ran}; the user saw: {told}", flush=True)

    def end(self) -> None:
        print("\n| plugin | what the user saw | how long it ran | the spawn took |\n|---|---|---|---|")
        for row in self.rows:
            print("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
        print()

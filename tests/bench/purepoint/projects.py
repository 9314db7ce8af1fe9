"""A tree of folders with projects in it, as a developer's home has them, and the configuration that has it looked at."""
from __future__ import annotations

import json
import os
from pathlib import Path

from .wire import Wire, line
from .world import World

GROUPS = 40
# Folders in folders in folders: six, five in each of them, five in each of those. None lies deeper than is looked by default.
TOPS, MIDDLES, LEAVES = 6, 5, 5


def inside() -> list[str]:
    """The folders of one project, each behind the one that it lies in."""
    paths = []
    for top in range(TOPS):
        paths.append(f"part{top}")
        for middle in range(MIDDLES):
            paths.append(f"part{top}/m{middle}")
            paths += [f"part{top}/m{middle}/l{leaf}" for leaf in range(LEAVES)]
    return paths


def make(root: Path, projects: int, plain: int) -> int:
    """Makes so many projects, each a repository of near 190 folders with a file in each, and so many folders that are in no
    repository; answers how many folders there are."""
    folders, made = inside(), 0
    above = {root, *(root / f"group{number}" for number in range(min(projects, GROUPS)))}
    places = [root / "plain" / f"year{number % 20}" / f"month{number % 240}" for number in range(plain)]
    for folder in {*above, *places}:
        folder.mkdir(parents=True, exist_ok=True)
    for number, place in enumerate(places):
        os.mkdir(f"{place}/scan{number}")
    for number in range(projects):
        project = f"{root}/group{number % GROUPS}/project{number}"
        for path in ("", "/.pu", "/.git"):
            os.mkdir(project + path)
        for path in folders:
            os.mkdir(f"{project}/{path}")
            os.close(os.open(f"{project}/{path}/text", os.O_CREAT | os.O_WRONLY))
        Path(project, ".git/HEAD").write_text("ref: refs/heads/main\n")
        Path(project, ".pu/config.toml").write_text("")
        made += len(folders) + 3
    years = {place.parent for place in places}
    return made + len(above) + plain + len(set(places)) + len(years) + min(plain, 1)


def look_below(world: World, *roots: Path, more: str = "") -> None:
    """Configures the roots. A daemon that runs takes them up at once."""
    config = world.home / "config.toml"
    kept = config.read_text().split("[discovery]")[0]
    named = json.dumps([str(root) for root in roots])
    fresh = config.with_suffix(".new")
    fresh.write_text(f"{kept}[discovery]\nroots = {named}\n{more}")
    os.replace(fresh, config)


class Heard:
    """The events of a daemon, from the subscription on."""

    def __init__(self, world: World, timeout: float = 300.0) -> None:
        self.wire = Wire(world.home / "daemon.sock", timeout)
        self.wire.ask({"type": "subscribe"})

    def __enter__(self) -> "Heard":
        return self

    def __exit__(self, *_) -> None:
        self.wire.__exit__()

    def next(self) -> dict:
        """The next event, be it long until it comes."""
        while True:
            told = json.loads(self.wire.exchange(b""))
            if told["type"] == "event":
                return told["event"]
            if told["type"] == "events_lost":
                raise RuntimeError(f"events were lost: {told}")

    def until(self, wanted) -> dict:
        while True:
            if wanted(event := self.next()):
                return event


def watches(pid: int) -> int | None:
    """How many folders and files a process watches by inotify; None where the system does not tell."""
    try:
        files = list(os.scandir(f"/proc/{pid}/fdinfo"))
    except OSError:
        return None
    count = 0
    for file in files:
        try:
            with open(file.path, encoding="utf-8") as opened:
                count += sum(line.startswith("inotify ") for line in opened)
        except OSError:
            continue
    return count

"""A world of one script: a short folder with a home, a `PU_HOME` and projects, and an environment that goes with it.

When a world ends, however it ends, none of its processes and nothing of its folder is left.
"""
from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import processes, programs

CONFIG = "[terminal]\nkill_grace_ms = 500\n"
# What a session of the user has and a scope of systemd needs.
KEPT = ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "PU_LOG")
ENDS = (signal.SIGTERM, signal.SIGHUP)


class World:
    """`PU_BENCH_DIR` says where its folder goes; a socket's path is limited, so that has to be short."""

    def __init__(self) -> None:
        self.bin = programs.folder()
        place = os.environ.get("PU_BENCH_DIR", "/tmp")
        self.root = Path(tempfile.mkdtemp(prefix="pub-", dir=place)).resolve()
        self.home = self.root / "p"
        for folder in (self.root / "h", self.home):
            folder.mkdir(mode=0o700)
        (self.home / "config.toml").write_text(CONFIG)
        self.env = self._environment()

    def _environment(self) -> dict[str, str]:
        env = {
            "HOME": str(self.root / "h"), "PU_HOME": str(self.home), "PATH": os.environ.get("PATH", os.defpath),
            "SHELL": "/bin/sh", "TERM": "xterm-256color", "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
        }
        for who in ("AUTHOR", "COMMITTER"):
            env |= {f"GIT_{who}_NAME": "Bench", f"GIT_{who}_EMAIL": "bench@example.invalid"}
        return env | {name: os.environ[name] for name in KEPT if name in os.environ}

    def __enter__(self) -> "World":
        for number in ENDS:
            signal.signal(number, lambda received, _: sys.exit(128 + received))
        return self

    def __exit__(self, *_) -> None:
        for number in (*ENDS, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        try:
            self._end()
        finally:
            shutil.rmtree(self.root, ignore_errors=True)
            for number in ENDS:
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _end(self) -> None:
        """As a user would, and then by force, one process after the other."""
        if self.daemons():
            try:
                self.pu("daemon", "stop", "--stop-agents", check=False, timeout=60)
            except subprocess.TimeoutExpired:
                print("the daemon did not stop and is killed", file=sys.stderr)
        for _ in range(50):
            left = processes.of_folder(self.root)
            if not left:
                return
            for process in left:
                processes.kill(process.pid)
            time.sleep(0.02)

    def program(self, name: str) -> str:
        return str(self.bin / name)

    def argv(self, *args: str, cwd: Path | None = None) -> list[str]:
        return [self.program("pu"), *(["-C", str(cwd)] if cwd else []), *args]

    def pu(self, *args: str, cwd: Path | None = None, check: bool = True, **more) -> subprocess.CompletedProcess:
        """Runs `pu`; its output is bytes. A failure shows what it said."""
        argv = self.argv(*args, cwd=cwd)
        ran = subprocess.run(argv, env=self.env, cwd=self.root, stdin=subprocess.DEVNULL, capture_output=True, **more)
        if check and ran.returncode:
            raise RuntimeError(f"{' '.join(argv)} ended with {ran.returncode}: {ran.stderr.decode(errors='replace')}")
        return ran

    def json(self, *args: str, cwd: Path | None = None) -> dict:
        """The first line of `pu … --json`."""
        return json.loads(self.pu("--json", *args, cwd=cwd).stdout.splitlines()[0])

    def daemons(self) -> list[int]:
        """The engines that serve, or try to: not those that compile a plugin, which are given a subcommand."""
        words = ((process.pid, process.line.split()) for process in self.running("pu-engine"))
        return [pid for pid, line in words if len(line) < 2 or line[1].startswith("-")]

    def shims(self) -> list[int]:
        return [process.pid for process in self.running("pu-shim")]

    def running(self, program: str) -> list[processes.Process]:
        return [process for process in processes.of_folder(self.root) if process.program == program]

    def git(self, folder: Path, *args: str) -> str:
        argv = ["git", "-C", str(folder), *args]
        return subprocess.run(argv, env=self.env, check=True, capture_output=True, text=True).stdout

    def commit(self, folder: Path) -> None:
        """Makes a folder a git repository with all that is in it in one commit."""
        self.git(folder, "init", "-q", "-b", "main")
        self.git(folder, "add", "-A")
        self.git(folder, "commit", "-q", "--allow-empty", "-m", "The beginning")

    def repository(self, name: str) -> Path:
        """A git repository with nothing but a README."""
        folder = self.root / name
        folder.mkdir()
        (folder / "README.md").write_text("# A repository\n")
        self.commit(folder)
        return folder


def wait_until(what: str, ask, limit: float = 30.0):
    """Asks until there is an answer that counts as true."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.01)
    raise TimeoutError(f"not within {limit:.0f} s: {what}")

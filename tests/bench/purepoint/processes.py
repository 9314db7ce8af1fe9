"""Processes as the system sees them: who belongs to a folder, what they use, how long one takes to run.

What differs between Linux and macOS stands here and nowhere else; a figure that a system does not have is None.
"""
from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

LINUX = Path("/proc/self/stat").exists()
TO_NOWHERE = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1)]


class Process(NamedTuple):
    pid: int
    line: str

    @property
    def program(self) -> str:
        return os.path.basename(self.line.split(" ", 1)[0])


def of_folder(folder: Path) -> list[Process]:
    """Whoever carries the folder in its environment, on its command line or as its working folder; not this script."""
    found = _linux(folder) if LINUX else _ps(folder)
    return [process for process in found if process.pid != os.getpid()]


def _linux(folder: Path) -> list[Process]:
    needle, found = os.fsencode(folder), []
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
            inside = os.fsencode(os.readlink(f"/proc/{pid}/cwd")).startswith(needle)
            if inside or needle in line or needle in Path(f"/proc/{pid}/environ").read_bytes():
                if _stat(pid)[0] != "Z":
                    found.append(Process(pid, line.replace(b"\0", b" ").decode(errors="replace")))
        except OSError:
            continue
    return found


def _ps(folder: Path) -> list[Process]:
    listed = subprocess.run(["/bin/ps", "-Eww", "-axo", "pid=,command="], capture_output=True, text=True).stdout
    rows = (line.strip().split(" ", 1) for line in listed.splitlines() if str(folder) in line)
    return [Process(int(row[0]), row[1].strip()) for row in rows if len(row) == 2]


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Signals one process; one that is gone already is no fault."""
    if pid <= 1:
        raise ValueError(f"{pid} is no process of ours")
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on: the name before it may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_seconds(pid: int) -> float:
    """User and system time as the process table has it, in steps of a clock tick."""
    if LINUX:
        fields = _stat(pid)
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    listed = subprocess.run(["/bin/ps", "-o", "time=", "-p", str(pid)], capture_output=True, text=True).stdout
    minutes, _, seconds = listed.strip().rpartition(":")
    return int(minutes.split(":")[-1] or 0) * 60 + float(seconds)


def on_cpu_ns(pid: int) -> int | None:
    """Time on a processor to the nanosecond, of all threads, ended ones too: finer than a tick."""
    if not LINUX:
        return None
    # The clock id of another process, as clock_getcpuclockid(3) makes it.
    return time.clock_gettime_ns((~pid << 3) | 2)


def wakeups(pid: int) -> dict[int, int] | None:
    """How often each thread has gone to sleep of itself: in an idle process each is a timer or a poll."""
    counts = {}
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            lines = (task / "status").read_text().splitlines()
            found = (line.split()[1] for line in lines if line.startswith("voluntary_ctxt_switches"))
            counts[int(task.name)] = int(next(found))
    except (OSError, StopIteration):
        return None
    return counts


def memory_kib(pid: int) -> dict[str, int]:
    """`Pss`, `Rss` and the private share, in KiB; empty where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {}
    return {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}


def timed(argv: list[str], env: dict[str, str]) -> float:
    """Seconds from before the fork to after the wait. Fails if the program does."""
    start = time.perf_counter_ns()
    pid = os.posix_spawn(argv[0], argv, env, file_actions=TO_NOWHERE)
    _, status = os.waitpid(pid, 0)
    took = time.perf_counter_ns() - start
    if status:
        raise RuntimeError(f"{' '.join(argv)} ended with {os.waitstatus_to_exitcode(status)}")
    return took / 1e9

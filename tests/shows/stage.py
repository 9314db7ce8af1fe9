"""What every show stands on: the benches' world, a verdict that decides how the script ends, and the death of a daemon."""
import fcntl
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))

from purepoint import processes
from purepoint.world import World, wait_until


def kill_daemons(world: World) -> None:
    """SIGKILL to whatever serves. Over when the lock is free: a thread of a killed process may be on its way out with it."""
    for daemon in world.daemons():
        processes.kill(daemon)
    wait_until("no daemon is left", lambda: not world.daemons())
    wait_until("the lock is free", lambda: _is_free(world.home / "daemon.lock"))


def _is_free(lock: Path) -> bool:
    if not lock.exists():
        return True
    with open(lock, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


class Verdict:
    """Collects what is not as it must be. A show goes on after a fault, so that all of them are seen."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def check(self, holds: bool, what: str) -> bool:
        """Says nothing of what holds; what does not is printed at once and again at the end."""
        if not holds:
            self.faults.append(what)
            print(f"  WRONG: {what}", flush=True)
        return holds

    def end(self, shown: str) -> int:
        """The script's exit status."""
        for fault in self.faults:
            print(f"WRONG: {fault}")
        print(f"{'not ' if self.faults else ''}shown: {shown}")
        return 1 if self.faults else 0

"""What every show stands on: the benches' world, and a verdict that decides how the script ends."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))


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

"""Figures of one run, and the table that shows them.

A target is printed beside what was measured and judged in words. It never decides how a script ends: a time that was
measured on a busy machine is no failure.
"""
from __future__ import annotations

import json
import math
import os
import platform
from pathlib import Path
from typing import Sequence


def percentile(sample: Sequence[float], share: float) -> float:
    """Nearest rank: always a value that was measured."""
    ordered = sorted(sample)
    return ordered[max(0, math.ceil(share * len(ordered) - 1e-9) - 1)]


def median(sample: Sequence[float]) -> float:
    return percentile(sample, 0.5)


def duration(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1 or unit == "µs":
            break
    return f"{seconds * factor:.3g} {unit}"


def kib(value: float) -> str:
    return f"{value / 1024:.2f} MiB"


class Table:
    """The rows of one bench: printed at once, and kept for the summary of `run` in the file PU_BENCH_ROWS names."""

    def __init__(self, bench: str) -> None:
        self.bench = bench
        self.kept = os.environ.get("PU_BENCH_ROWS")

    def row(self, what: str, measured: str, beside: str = "", ratio: float | None = None, target: str = "",
            met: bool | None = None) -> None:
        verdict = {None: "", True: "met", False: "MISSED"}[met]
        shown = f"{ratio:.2f}×" if ratio is not None else ""
        cells = [what, measured, beside, shown, f"{target} {verdict}".strip()]
        print("  " + "  ".join(cell for cell in cells if cell), flush=True)
        if self.kept:
            with open(self.kept, "a", encoding="utf-8") as file:
                file.write(json.dumps([self.bench, *cells]) + "\n")

    def times(self, what: str, sample: Sequence[float], tail: float = 0.99, **more) -> None:
        """A row with the median, a percentile of the tail, and how many were measured."""
        high = f"p{tail * 100:g} {duration(percentile(sample, tail))}"
        self.row(what, f"p50 {duration(median(sample))}, {high} (n={len(sample)})", **more)

    def against(self, what: str, ours: Sequence[float], peer: str, theirs: Sequence[float],
                most: float | None = None) -> None:
        """A row that compares medians of one run."""
        ratio = median(ours) / median(theirs)
        target = {} if most is None else {"target": f"≤ {most:g}×", "met": ratio <= most}
        beside = f"{peer}: p50 {duration(median(theirs))}, p90 {duration(percentile(theirs, 0.9))}"
        self.times(what, ours, tail=0.9, beside=beside, ratio=ratio, **target)


def machine(folder: Path) -> str:
    """What has to be known of the machine to read the figures."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{platform.platform()}, {os.cpu_count()} cores, load {load}, files on {_filesystem(folder)}"


def _filesystem(folder: Path) -> str:
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "an unknown filesystem"
    fitting = [(place, kind) for place, kind in mounts if folder.resolve().is_relative_to(place)]
    return max(fitting, key=lambda mount: len(mount[0]))[1]

"""Programs whose output proves itself: numbered lines, each with a checksum, and what is missing among those that came."""
from __future__ import annotations

import shlex
import sys
import zlib
from pathlib import Path
from typing import NamedTuple

# Writes lines `number line checksum` at a speed of its own until `stop` is there; then says how many, and ends with 3.
PROGRAM = '''
import os, random, sys, time, zlib
number, pause, most, stop = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
chance, line = random.Random(number), 0
def write(text):
    while text:
        text = text[os.write(1, text):]
while not os.path.exists(stop):
    lines = []
    for _ in range(chance.randint(1, most)):
        line += 1
        lines.append(b"%d %d %08x\\n" % (number, line, zlib.crc32(b"%d %d" % (number, line))))
    write(b"".join(lines))
    time.sleep(pause * chance.uniform(0.5, 1.5))
write(b"%d END %d\\n" % (number, line))
sys.exit(3)
'''
CODE = 3


def install(folder: Path) -> Path:
    path = folder / "writer.py"
    path.write_text(PROGRAM)
    return path


def command(program: Path, number: int, pause: float, most: int, stop: Path) -> str:
    """The shell command of one writer: up to `most` lines at once, then about `pause` seconds of rest."""
    return shlex.join([sys.executable, "-S", *map(str, (program, number, pause, most, stop))])


class Seen(NamedTuple):
    """What is to be said of the output of a writer, as much of it as is there."""
    first: int
    last: int
    # What is not as it must be; empty if nothing.
    faults: list[str]
    # How many lines there were in all, once the writer has said so.
    total: int | None


def judge(output: bytes, number: int) -> Seen:
    """Looks at output that begins anywhere and has no gaps: its first line may be the end of one, its last the beginning."""
    faults, first, last, total = [], 0, 0, None
    lines = output.split(b"\n")
    whole = lines[:-1] if output.startswith(b"%d 1 " % number) else lines[1:-1]
    for text in (line.rstrip(b"\r") for line in whole):
        words = text.split()
        if len(words) == 3 and words[1] == b"END":
            total = int(words[2])
            continue
        right = len(words) == 3 and words[1].isdigit() and words[0] == b"%d" % number
        line = int(words[1]) if right else -1
        if not right or words[2] != b"%08x" % zlib.crc32(b"%d %d" % (number, line)):
            faults.append(f"{text[:60]!r} is no line of writer {number}")
            continue
        if last and line != last + 1:
            faults.append(f"after line {last} of writer {number} comes {line}")
        first, last = first or line, line
    if total is not None and total != last:
        faults.append(f"writer {number} wrote {total} lines, the last that is there is {last}")
    return Seen(first, last, faults, total)

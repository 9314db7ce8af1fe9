"""Where the programs under measurement are, and what else is installed.

Builds nothing and installs nothing: what is absent is said, with how to get it.
"""
from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
NAMES = ("pu", "pu-engine", "pu-shim")


def folder() -> Path:
    """`BIN_DIR`, else the release build of this repository. Ends the script if a program is missing."""
    given = os.environ.get("BIN_DIR")
    target = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target")
    found = Path(given) if given else target / "release"
    missing = [name for name in NAMES if not os.access(found / name, os.X_OK)]
    if missing:
        sys.exit(f"{found} lacks {', '.join(missing)}: run `cargo build --locked --release --bins`, or set BIN_DIR")
    return found.resolve()


def which(name: str) -> str | None:
    """The path of an optional program. Its absence is told, so that no figure is missing without a word."""
    path = shutil.which(name)
    if path is None:
        print(f"SKIPPED: {name} is not installed, so nothing is measured against it")
    return path


def corpora(argument: str | None = None) -> Path | None:
    """The folder of the evaluation corpora: the argument, else `PU_EVAL`. They are not part of the repository."""
    given = argument or os.environ.get("PU_EVAL")
    if given and (Path(given) / "materialise.py").is_file():
        return Path(given)
    why = f"{given} holds no materialise.py" if given else "PU_EVAL is not set"
    print(f"SKIPPED: no evaluation corpora ({why})")
    return None

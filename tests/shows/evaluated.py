"""`pu context eval` in a project of a corpus: what it says, its two sheets, and what the corpora's own scorer says."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from stage import Verdict
from purepoint import library
from purepoint.world import World

# A passage that is shorter says too little to count as the document.
PASSAGE_TOKENS = 150
# The two scorers write their figures down with other digits.
ALIKE = 1e-6
NAMES = {"nDCG@10": "ndcg@10", "Recall@5": "recall@5", "Success@1": "success@1"}


class Given(NamedTuple):
    """A row of `--budget-run`: what was put into a context."""
    path: str
    section: str
    tokens: int

    @property
    def counts(self) -> bool:
        return not self.section or self.tokens >= PASSAGE_TOKENS


class Run(NamedTuple):
    report: dict
    # Of each task that has one: paths with scores, the best first.
    ranking: dict[str, list[tuple[str, float]]]
    given: dict[str, list[Given]]
    # As they were written, to compare.
    sheets: tuple[bytes, bytes]
    ranking_file: Path

    def figure(self, name: str) -> float:
        return self.report["figures"][name]["value"]


class Corpus:
    """A corpus as a project, and those of its tasks that are put. The sheets lie beside it, not in it."""

    def __init__(self, world: World, corpora: Path, name: str, tasks: int | None) -> None:
        self.world, self.name, self.scorer = world, name, corpora / "score.py"
        self.root, self.desk = world.root / name, world.root / f"{name}-sheets"
        self.desk.mkdir()
        library.materialise(corpora, name, self.root)
        # What git sees as changed is a part of a task.
        (self.root / ".git/info/exclude").write_text(".pu/\n")
        lines = (self.root / "queries.jsonl").read_text(encoding="utf-8").splitlines()
        # Evenly over the file, which is in no order that would tell anything.
        lines = lines[:: max(1, len(lines) // tasks)][:tasks] if tasks else lines
        self.tasks = [json.loads(line) for line in lines]
        self.answers = self._answers({task["_id"] for task in self.tasks})
        self.queries, self.qrels = self.desk / "queries.jsonl", self.desk / "qrels.tsv"
        self.queries.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        rows = (f"{task}\t{path}\t1\n" for task, paths in self.answers.items() for path in sorted(paths))
        self.qrels.write_text("query-id\tcorpus-id\tscore\n" + "".join(rows), encoding="utf-8")
        self.documents = world.json("init", cwd=self.root)["specs"]

    def _answers(self, wanted: set[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for line in (self.root / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
            task, path, score = line.split("\t")
            if task in wanted and int(score) > 0:
                found.setdefault(task, set()).add(path)
        return found

    def texts(self) -> dict[str, str]:
        """The documents by path, as the answers name them."""
        files = (file for file in (self.root / "docs").rglob("*") if file.is_file())
        return {file.relative_to(self.root).as_posix(): file.read_text(encoding="utf-8") for file in files}

    def tokens(self) -> dict[str, int] | None:
        """Of each document; none where the programs do not tell."""
        ran = self.world.pu("--json", "spec", "list", cwd=self.root, check=False)
        if ran.returncode:
            return None
        return {spec["path"]: spec["tokens"] for spec in json.loads(ran.stdout.splitlines()[0])["specs"]}

    def whole_in_budget(self, ranking: dict[str, list[tuple[str, float]]], budget: int) -> float | None:
        """The same share where whole documents are taken in the order of a ranking, those without room passed over."""
        tokens, shares = self.tokens(), []
        if tokens is None:
            return None
        for task, wanted in self.answers.items():
            left, found = budget, set()
            for path, _ in ranking.get(task, ()):
                if (size := tokens.get(path, budget + 1)) <= left:
                    left -= size
                    found.add(path)
            shares.append(len(wanted & found) / len(wanted))
        return sum(shares) / len(shares)

    def evaluate(self, *options: str, of: Corpus | None = None) -> Run:
        """The tasks of this corpus put to its own specs, or those of another one, which have no answer here."""
        asked = of or self
        ranking, given = (self.desk / f"{asked.name}-{kind}.tsv" for kind in ("run", "given"))
        answers = [] if of else ["--qrels", str(self.qrels)]
        sheets = ["--run", str(ranking), "--budget-run", str(given)]
        report = self.world.json("context", "eval", str(asked.queries), *answers, *sheets, *options, cwd=self.root)
        written = (ranking.read_bytes(), given.read_bytes())
        return Run(report, read_ranking(written[0]), _given(written[1]), written, ranking)

    def score(self, *runs: Path) -> list[dict]:
        """What `score.py` says of each run; of the later ones also the difference to the first."""
        argv = [sys.executable, str(self.scorer), str(self.qrels), *map(str, runs), "--json"]
        said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
        return [json.loads(line) for line in said.splitlines()]

    def in_budget(self, run: Run) -> float:
        """The mean share of a task's answers that are in its context."""
        shares = []
        for task, wanted in self.answers.items():
            found = {row.path for row in run.given.get(task, ()) if row.counts}
            shares.append(len(wanted & found) / len(wanted))
        return sum(shares) / len(shares)

    def check(self, run: Run, scored: dict, verdict: Verdict) -> None:
        """Our own figures are those of others, and nothing makes them doubtful."""
        for name, key in NAMES.items():
            ours, theirs = run.figure(key), scored["metrics"][name][0]
            verdict.check(abs(ours - theirs) < ALIKE, f"{self.name}: {name} is {ours} here and {theirs} by score.py")
        ours, counted = run.figure("recall_in_budget"), self.in_budget(run)
        verdict.check(abs(ours - counted) < ALIKE, f"{self.name}: {ours} in the budget, and {counted} by the sheet")
        budget = run.report["budget"]
        most = max((sum(row.tokens for row in rows) for rows in run.given.values()), default=0)
        verdict.check(run.report["tokens_max"] <= budget and most <= budget,
                      f"{self.name}: a context of {run.report['tokens_max']} tokens, {most} of specs; budget {budget}")
        for note in run.report["notes"]:
            verdict.check(False, f"{self.name}: {note['count']} {note['what']}: {', '.join(note['first'])}")


def _rows(sheet: bytes) -> list[list[str]]:
    return [line.split("\t") for line in sheet.decode().splitlines()]


def read_ranking(sheet: bytes) -> dict[str, list[tuple[str, float]]]:
    found: dict[str, list[tuple[str, float]]] = {}
    for task, path, score in _rows(sheet):
        found.setdefault(task, []).append((path, float(score)))
    return found


def _given(sheet: bytes) -> dict[str, list[Given]]:
    found: dict[str, list[Given]] = {}
    for task, path, section, tokens in _rows(sheet):
        found.setdefault(task, []).append(Given(path, section, int(tokens)))
    return found

"""Whether a task that no spec is about gets none: tasks of one corpus put to the specs of another.

A hard rule holds whatever a task is about and does not count. Some corpora are near each other, and a task of one may
well be about a document of the other; the table shows for which.
"""
from __future__ import annotations

from stage import Verdict
from evaluated import Corpus, Run

STRANGE_MOST, KEPT_LEAST = 0.05, 0.95
WIDTH = 9


class Pair:
    """The tasks of a corpus at the specs of another: which got something, and their best scores, under any bar."""

    def __init__(self, of: Corpus, at: Corpus) -> None:
        run = at.evaluate(of=of)
        self.of, self.at, self.tasks = of.name, at.name, run.report["tasks"]
        self.picked = round((1 - run.figure("abstention")) * self.tasks)
        self.best = [run.ranking[task["_id"]][0][1] if task["_id"] in run.ranking else 0.0 for task in of.tasks]


class Kept:
    """Of the tasks of a corpus at its own specs: those whose answer ranks first, and which have it in their context."""

    def __init__(self, corpus: Corpus, run: Run) -> None:
        firsts = {task: run.ranking[task][0] for task in corpus.answers if task in run.ranking}
        self.best = {task: score for task, (path, score) in firsts.items() if path in corpus.answers[task]}
        self.kept = [task for task in self.best if firsts[task][0] in {row.path for row in run.given.get(task, ())}]


class Abstention:
    def __init__(self, corpora: list[Corpus], runs: dict[str, Run], pairs: list[tuple[Corpus, Corpus]]) -> None:
        self.names = [corpus.name for corpus in corpora]
        self.kept = {corpus.name: Kept(corpus, runs[corpus.name]) for corpus in corpora}
        self.pairs = [Pair(of, at) for of, at in pairs]

    def show(self, verdict: Verdict, judged: bool) -> None:
        if not self.pairs:
            print("\nabstention: SKIPPED, it needs two corpora")
            return
        print("\nabstention: the share of the tasks of a row that the specs of a column gave something to")
        self._table()
        own = self.kept.values()
        self._tell("tasks of another corpus with a ranked pick",
                   sum(pair.picked for pair in self.pairs), sum(pair.tasks for pair in self.pairs),
                   f"≤ {STRANGE_MOST:.0%}", lambda share: share <= STRANGE_MOST, verdict, judged)
        self._tell("tasks whose answer ranks first that have it in their context",
                   sum(len(kept.kept) for kept in own), sum(len(kept.best) for kept in own),
                   f"≥ {KEPT_LEAST:.0%}", lambda share: share >= KEPT_LEAST, verdict, judged)
        self._one_bar()

    def _table(self) -> None:
        found = {(pair.of, pair.at): f"{pair.picked / pair.tasks:.1%}" for pair in self.pairs}
        first = max(map(len, self.names))
        print("  " + " " * first + "".join(name[:WIDTH].rjust(WIDTH + 1) for name in self.names) + "   own, kept")
        for of in self.names:
            cells = "".join(found.get((of, at), "-").rjust(WIDTH + 1) for at in self.names)
            own = self.kept[of]
            print(f"  {of:{first}}{cells}   {len(own.kept)} of {len(own.best)}")

    def _tell(self, what: str, part: int, whole: int, target: str, holds, verdict: Verdict, judged: bool) -> None:
        share = part / whole if whole else 0.0
        word = ("met" if holds(share) else "MISSED") if judged else "not judged in a trial"
        print(f"  {what}: {part} of {whole}, {share:.2%} (target {target}: {word})")
        if judged:
            verdict.check(holds(share), f"{what}: {share:.2%}, must be {target}")

    def _one_bar(self) -> None:
        """What the scores allow at all: the lowest bar that keeps strangers out, found on the other corpora."""
        print("  if one bar over the score decided, as low as the other corpora allow:")
        for name in self.names:
            others = [score for pair in self.pairs if name not in (pair.of, pair.at) for score in pair.best]
            here = [score for pair in self.pairs if name in (pair.of, pair.at) for score in pair.best]
            own = self.kept[name].best.values()
            if not others or not here or not own:
                print(f"    {name}: too few to tell")
                continue
            bar = sorted(others)[-(int(len(others) * STRANGE_MOST) + 1)]
            past = sum(score > bar for score in here) / len(here)
            kept = sum(score > bar for score in own) / len(own)
            print(f"    {name}: {past:.1%} of the strange tasks that it is part of and {kept:.1%} of its own are over "
                  f"{bar:.3f}")

"""Folders of specs to measure on: the evaluation corpora where they are to be had, else text that is made up.

More specs than there are documents are had by copies in which a fifth of the words are exchanged, so that no two are
alike and a word is about as frequent as before. Same seed, same library.
"""
from __future__ import annotations

import gzip
import itertools
import json
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Iterable, Iterator, NamedTuple

WORD = re.compile(r"[A-Za-z]{4,}")
# The words of a text at the odd places, what is between them at the even ones.
APART = re.compile(f"({WORD.pattern})")
SEED = 20


class Library(NamedTuple):
    """Texts by path, and tasks that people really had (or that are made up, as `kind` says)."""
    kind: str
    texts: dict[str, str]
    tasks: list[str]


class Stream(NamedTuple):
    """A library whose texts are made as they are asked for: a hundred thousand of them would not fit into memory."""
    kind: str
    texts: Iterator[tuple[str, str]]
    tasks: list[str]


def names(corpora: Path) -> list[str]:
    return sorted(folder.name for folder in corpora.iterdir() if (folder / "corpus.jsonl.gz").is_file())


def of_size(size: int, corpora: Path | None) -> Library:
    stream = streamed(size, corpora)
    return Library(stream.kind, dict(stream.texts), stream.tasks)


def streamed(size: int | None, corpora: Path | None) -> Stream:
    """So many specs; as many as there are documents if none is said."""
    base, tasks, kind = _read(corpora) if corpora else _made_up()
    random.Random(SEED).shuffle(base)
    return Stream(kind, _texts(base, len(base) if size is None else size), tasks)


def _texts(base: list[tuple[str, str]], size: int) -> Iterator[tuple[str, str]]:
    """Each document, and right after it its copies: so it is taken apart once."""
    vocabulary = _vocabulary(base) if size > len(base) else []
    exchanges = [_exchange(vocabulary, copy) for copy in range(1, -(-size // len(base)))]
    for at, (path, text) in enumerate(base[:size]):
        yield path, text
        folder, _, name = path.rpartition("/")
        copies = exchanges[: (size - at - 1) // len(base)]
        parts = APART.split(text) if copies else []
        for copy, exchange in enumerate(copies, start=1):
            yield f"{folder}/copy-{copy}/{name}", "".join([exchange.get(part, part) for part in parts])


def write(library: Library, folder: Path) -> int:
    """Writes the texts below `docs/`; answers their size in bytes."""
    return write_all(library.texts.items(), folder)


def write_all(texts: Iterable[tuple[str, str]], folder: Path) -> int:
    size = 0
    for path, text in texts:
        file = folder / "docs" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        size += file.write_bytes(text.encode())
    return size


def materialise(corpora: Path, name: str, folder: Path) -> None:
    """One corpus as a git repository, with its tasks and answers."""
    argv = [sys.executable, str(corpora / "materialise.py"), str(corpora / name), str(folder), "--git"]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def _read(corpora: Path) -> tuple[list[tuple[str, str]], list[str], str]:
    texts, tasks = [], []
    for name in names(corpora):
        with gzip.open(corpora / name / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
            texts += [(f"{name}/{document['path']}", document["text"]) for document in map(json.loads, lines)]
        with open(corpora / name / "queries.jsonl", encoding="utf-8") as lines:
            tasks += [json.loads(line)["text"] for line in lines]
    random.Random(SEED).shuffle(tasks)
    return texts, tasks, f"{len(names(corpora))} corpora of real specs"


def _vocabulary(base: list[tuple[str, str]]) -> list[str]:
    """The words, the most frequent first."""
    count = Counter()
    for _, text in base:
        count.update(WORD.findall(text))
    return [word for word, _ in sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))]


def _exchange(vocabulary: list[str], copy: int) -> dict[str, str]:
    """A fifth of the words, each with one that is about as frequent."""
    chance = random.Random(SEED + copy)
    last = len(vocabulary) - 1
    return {word: vocabulary[min(last, rank + chance.randint(1, 20))]
            for rank, word in enumerate(vocabulary) if chance.random() < 0.2}


def _made_up() -> tuple[list[tuple[str, str]], list[str], str]:
    """A thousand specs of words that are distributed as in real text: the n-th as often as 1/n."""
    chance = random.Random(SEED)
    words = ["".join(chance.choices("bcdfglmnprst", k=1)[0] + chance.choice("aeiou") for _ in range(chance.randint(2, 4)))
             for _ in range(20_000)]
    summed = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(words))))
    def speak(count: int) -> str:
        return " ".join(chance.choices(words, cum_weights=summed, k=count))
    def section(number: int) -> str:
        return f"## {number}. {speak(4).title()}\n\n{speak(150)}.\n\n{speak(120)}.\n"
    def spec() -> str:
        return f"# {speak(5).title()}\n\n{speak(60)}.\n\n" + "\n".join(section(n) for n in range(chance.randint(2, 9)))
    texts = [(f"made-up/spec-{number:04}.md", spec()) for number in range(1000)]
    return texts, [f"{speak(8)}\n{speak(60)}" for _ in range(500)], "made-up specs"

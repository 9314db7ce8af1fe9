"""The ranking that ours is shown beside: BM25 over whole documents, as a textbook has it (k1 = 1.2, b = 0.75).

Words are runs of letters and digits in lower case; nothing is stemmed, split or left out, and no document is cut.
"""
from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from typing import NamedTuple

K1, B = 1.2, 0.75
WORD = re.compile(r"[^\W_]+")


class Document(NamedTuple):
    path: str
    words: int


class Bm25:
    def __init__(self, texts: dict[str, str]) -> None:
        self.documents: list[Document] = []
        self.postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for path, text in texts.items():
            counted = Counter(WORD.findall(text.lower()))
            for word, times in counted.items():
                self.postings[word].append((len(self.documents), times))
            self.documents.append(Document(path, sum(counted.values())))
        self.mean = sum(document.words for document in self.documents) / max(1, len(self.documents))

    def rank(self, task: str, most: int = 100) -> list[tuple[str, float]]:
        """Paths with their scores, the best first; a word that comes twice in the task counts twice."""
        scores: dict[int, float] = defaultdict(float)
        for word, asked in Counter(WORD.findall(task.lower())).items():
            found = self.postings.get(word, ())
            rarity = math.log(1 + (len(self.documents) - len(found) + 0.5) / (len(found) + 0.5))
            for at, times in found:
                length = 1 - B + B * self.documents[at].words / self.mean
                scores[at] += asked * rarity * times * (K1 + 1) / (times + K1 * length)
        ranked = ((self.documents[at].path, score) for at, score in scores.items())
        return sorted(ranked, key=lambda hit: (-hit[1], hit[0]))[:most]

"""Text of any size: sentences of real pages, put together anew under a seed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from gpu_parts.common import SEED

from curation_parts.data import Page
from hinterland.core.errors import CorpusError
from hinterland.core.files import atomic_path
from hinterland.core.progress import track
from hinterland.core.seeds import generator

__all__ = ["write_corpus_of"]

#: Documents made at a time, and bytes in a file.
_BLOCK, _FILE = 1000, 250_000_000
_SENTENCES = (5, 120)  # in a document, as many short ones as long ones on a log scale
_PARAGRAPH = 4
_SAME, _ALIKE = 0.03, 0.03  # share of exact copies of another document, and of edited ones
_BREAK = re.compile(r"(?<=[.!?])\s+")
_ENGLISH = re.compile(r"\b(the|of|to|and|is|in)\b")


def sentences(pages: Iterable[Page]) -> list[str]:
    """Return the distinct English sentences of 40 to 400 characters, as JSON without quotation marks.

    Raises:
        CorpusError: There are fewer than 1,000.
    """
    found = {
        " ".join(sentence.split())
        for _, text in pages
        for part in text.split("\n\n")
        for sentence in _BREAK.split(part)
        if 40 <= len(sentence) <= 400 and _ENGLISH.search(sentence)
    }
    if len(found) < 1000:
        raise CorpusError(f"{len(found)} sentences are too few to make text of", cure="give more pages")
    return [json.dumps(sentence)[1:-1] for sentence in sorted(found)]


def write_corpus_of(size: float, pages: Iterable[Page], folder: Path) -> list[Path]:
    """Write JSONL files of ``size`` GB (10^9 bytes) in all; finished ones are left as they are.

    Documents have 5 to 120 sentences in paragraphs of four. 3% are copies of another
    document of their block, 3% are such copies with one sentence changed.
    """
    parts = np.array(sentences(pages), dtype=object)
    files = max(1, round(size * 1e9 / _FILE))
    paths = [folder / f"part-{number:05d}.jsonl" for number in range(files)]
    for number in track(range(files), f"writing {size:g} GB"):
        if not paths[number].exists():
            with atomic_path(paths[number]) as temporary, temporary.open("w", encoding="ascii") as handle:
                written = block = 0
                while written < size * 1e9 / files:
                    rows = _block(parts, number, block)
                    written += handle.write("".join(rows))
                    block += 1
    return paths


def _block(parts: np.ndarray, number: int, block: int) -> list[str]:
    """Return the lines of a block of documents."""
    random = generator(SEED, "synthetic", number, block)
    low, high = np.log(_SENTENCES)
    sizes = np.exp(random.uniform(low, high, _BLOCK)).astype(np.int64)
    drawn = random.integers(0, len(parts), int(sizes.sum()))
    ends = np.cumsum(sizes)
    kinds = random.random(_BLOCK)
    others = random.integers(0, _BLOCK, _BLOCK)
    rows = []
    for row in range(_BLOCK):
        copied = kinds[row] < _SAME + _ALIKE
        source = int(others[row]) if copied else row
        chosen = drawn[ends[source] - sizes[source] : ends[source]]
        if copied and kinds[row] >= _SAME:
            chosen = chosen.copy()
            chosen[len(chosen) // 2] = drawn[row]
        text = [" ".join(parts[chosen[at : at + _PARAGRAPH]]) for at in range(0, len(chosen), _PARAGRAPH)]
        rows.append(f'{{"id": "{number}-{block}-{row}", "text": "' + "\\n\\n".join(text) + '"}\n')
    return rows

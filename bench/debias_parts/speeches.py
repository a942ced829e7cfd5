"""The speeches, their passages and folds, and the two piles for the quality classifier."""

from __future__ import annotations

import csv
import gzip
import html
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hinterland.core.errors import CorpusError
from hinterland.core.places import by_iso3, subregion_of
from hinterland.core.seeds import generator

__all__ = [
    "NEEDED",
    "Speeches",
    "deal_folds",
    "missing_files",
    "neutral_text",
    "quality_texts",
    "read_speeches",
]

SPEECHES = "geo/un_general_debate_2005_2024.parquet"
WIKITEXT = ("lm/wikitext2_valid_test/valid.txt", "lm/wikitext2_valid_test/test.txt")
TWEETS = "toxicity/davidson_hate/labeled_data.csv"
WEB = "toxicity/rtp_quark_val/val.jsonl.gz"
NEEDED = (SPEECHES, *WIKITEXT, TWEETS, WEB)

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Speeches:
    """Speeches cut into passages.

    Attributes:
        ids: One for each speech.
        codes: The country as the file has it.
        countries: The same where it is a code of ISO 3166-1, else ``None`` (EU, YUG).
        passages: The text of every passage, speech by speech, each after a space.
        speech: The speech of each passage, shape (passages,).
    """

    ids: tuple[str, ...]
    codes: tuple[str, ...]
    countries: tuple[str | None, ...]
    passages: tuple[str, ...]
    speech: Codes

    def unplaced(self) -> dict[str, int]:
        """Return the codes that are no country, and their speeches."""
        found: dict[str, int] = {}
        for code, country in zip(self.codes, self.countries, strict=True):
            if country is None:
                found[code] = found.get(code, 0) + 1
        return found


def missing_files(data: Path) -> list[str]:
    """Return the names of the files in ``data`` that are needed and not there."""
    return [name for name in NEEDED if not (data / name).is_file()]


def read_speeches(path: Path, *, words: int, share: float = 1.0, seed: int = 0) -> Speeches:
    """Read the speeches and cut them into passages.

    Runs of white space become one space: older files break their lines at 50 characters,
    and a model would learn the year from that.

    Args:
        path: Parquet with ``id``, ``country``, ``text``.
        words: Words in a passage; a last piece of less than a quarter joins the one before.
        share: Read only this share of each country's speeches, drawn under ``seed``.
        seed: For that.

    Raises:
        CorpusError: A column is missing, an id occurs twice, or a text is null or empty.
    """
    names = ("id", "country", "text")
    found = pq.read_schema(path).names
    if absent := [name for name in names if name not in found]:
        raise CorpusError(f"no column {absent[0]!r}", where=str(path), cure="give the published file")
    table = pq.read_table(path, columns=list(names)).sort_by("id")
    ids, codes, texts = (table[name].to_pylist() for name in names)
    if len(set(ids)) < len(ids) or not all((text or "").strip() for text in texts):
        raise CorpusError("an id occurs twice or a text is empty", where=str(path), cure="correct the file")
    chosen = _share(codes, share, seed)
    passages, speech = [], []
    for number, row in enumerate(chosen):
        pieces = cut(texts[row].split(), words)
        passages += [f" {piece}" for piece in pieces]
        speech += [number] * len(pieces)
    known = by_iso3()
    kept = [codes[row] or "" for row in chosen]
    return Speeches(
        tuple(ids[row] for row in chosen),
        tuple(kept),
        tuple(code if code in known else None for code in kept),
        tuple(passages),
        np.asarray(speech, dtype=np.int64),
    )


def _share(codes: Sequence[str], share: float, seed: int) -> list[int]:
    """Return the rows of a share of each country's speeches, at least one."""
    if share >= 1:
        return list(range(len(codes)))
    draw = generator(seed, "proof", "share").random(len(codes))
    rows: dict[str, list[int]] = {}
    for row in np.argsort(draw).tolist():
        rows.setdefault(codes[row], []).append(row)
    return sorted(row for each in rows.values() for row in each[: max(1, round(share * len(each)))])


def cut(words: Sequence[str], size: int) -> list[str]:
    """Return pieces of ``size`` words; a last one of less than a quarter joins the one before.

    >>> cut("a b c d e f g h i".split(), 4)
    ['a b c d', 'e f g h i']
    """
    starts = list(range(0, len(words), size))
    if len(starts) > 1 and len(words) - starts[-1] < size / 4:
        starts.pop()
    ends = [*starts[1:], len(words)] if starts else []
    return [" ".join(words[start:end]) for start, end in zip(starts, ends, strict=True)]


def deal_folds(countries: Sequence[str | None], folds: int, *, seed: int) -> Codes:
    """Return a fold for each speech; the speeches of every UN subregion are spread evenly.

    Args:
        countries: ISO 3166-1 alpha-3 or ``None``, shape (speeches,).
        folds: How many.
        seed: For the order inside a subregion.
    """
    groups = np.asarray([subregion_of(country) for country in countries])
    fold, at = np.zeros(len(groups), dtype=np.int64), 0
    for name in sorted(set(groups.tolist())):
        rows = generator(seed, "proof", "folds", name).permutation(np.flatnonzero(groups == name))
        fold[rows] = (at + np.arange(len(rows))) % folds
        at += len(rows)
    return fold


_HEADING = re.compile(r"^ *= .* = *$", re.MULTILINE)
_JOINED = re.compile(r" @([-.,])@ ")
_BEFORE = re.compile(r" ([,.;:!?)\]%]|'s\b|n't\b)")
_AFTER = re.compile(r"([(\[]) ")


def detokenised(text: str) -> str:
    r"""Return WikiText as people write: no headings, no ``<unk>``, no spaces around marks.

    >>> detokenised(" = Title = \n 5 @.@ 5 m ( 18 ft ) , the <unk> bird 's")
    "5.5 m (18 ft), the bird's"
    """
    text = _HEADING.sub(" ", text).replace("<unk>", " ")
    text = _JOINED.sub(r"\1", " ".join(text.split()))
    return _AFTER.sub(r"\1", _BEFORE.sub(r"\1", text))


def neutral_text(data: Path) -> str:
    """Return WikiText's two parts as one text."""
    return " ".join(detokenised((data / name).read_text(encoding="utf-8")) for name in WIKITEXT)


def quality_texts(data: Path, *, words: int, seed: int) -> tuple[list[str], list[str]]:
    """Return the positives and the negatives, each in pieces of ``words`` words.

    Positives are Wikipedia articles (WikiText). Negatives are noisy text: single sentences of
    the web (RealToxicityPrompts) and tweets (Davidson et al.), shuffled and joined to the same
    length, so that length does not tell the two apart.
    """
    with (data / TWEETS).open(newline="", encoding="utf-8") as handle:
        tweets = [html.unescape(row["tweet"]) for row in csv.DictReader(handle)]
    with gzip.open(data / WEB, "rt", encoding="utf-8") as handle:
        rows = [json.loads(line) for line in handle]
    sentences = [row["prompt"]["text"] + row["continuation"]["text"] for row in rows]
    negatives = [
        piece
        for name, texts in (("tweets", tweets), ("web", sentences))
        for piece in cut(" ".join(_shuffled(texts, seed, name)).split(), words)
    ]
    return cut(neutral_text(data).split(), words), negatives


def _shuffled(texts: Sequence[str], seed: int, name: str) -> Iterable[str]:
    return (texts[row] for row in generator(seed, "proof", "negatives", name).permutation(len(texts)))

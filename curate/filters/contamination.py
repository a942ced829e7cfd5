"""Contamination: word n-grams that a document shares with evaluation sets.

Brown et al. (2020, arXiv:2005.14165, appendix C) look for 13-grams of lower-case words
without punctuation. What counts as a word is in `curate.hashing`. They leave out n-grams
that occur in more than ten training documents; a score depends on its own document alone,
so that is not done here, and a phrase that half the web quotes counts where a set has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError, CorpusError
from hinterland.core.files import hash_file
from hinterland.core.run import fingerprint
from hinterland.curate.filter import FILTERS, Scores
from hinterland.curate.rule import Rule
from hinterland.curate.textfiles import Stamp, find_text_files, rows, stamp

if TYPE_CHECKING:
    from hinterland.curate.kernels.overlap import Table

__all__ = ["SHORTEST", "Contamination", "SetInfo", "strings"]

#: Items of which no text has this many words are not looked for: they occur by chance.
SHORTEST = 8
_ITEMS = 512  # items split at once


@dataclass(frozen=True, slots=True)
class SetInfo:
    """What is looked for of one evaluation set.

    Attributes:
        name: The file's name without its suffixes; with its folder where two are equal.
        items: Rows in the file.
        ngrams: N-grams taken from it, repeated ones too.
        whole: Texts shorter than n words that are looked for whole.
        too_short: Items of which nothing is looked for, because each of its texts has
            fewer than 8 words.
    """

    name: str
    items: int
    ngrams: int
    whole: int
    too_short: int


def strings(value: Any) -> Iterator[str]:
    """Yield the texts of a row, however deep they stand in it (a list of choices)."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from strings(inner)


def _items(path: Path, fields: Sequence[str]) -> Iterator[list[str]]:
    for row in rows(path):
        missing = [field for field in fields if field not in row]
        if missing:
            raise ConfigError(
                f"no field {missing[0]!r}; there are {', '.join(row)}",
                where=f"contamination.fields, {path}",
                cure="name fields that every item has, or leave fields out",
            )
        yield list(strings([row[field] for field in fields] if fields else row))


def _read_set(
    path: Path, name: str, n: int, fields: Sequence[str]
) -> tuple[dict[int, list[NDArray[np.uint64]]], SetInfo]:
    """Return the keys of one set by length of n-gram, and what they were taken from."""
    from hinterland.curate.hashing import words
    from hinterland.curate.kernels.overlap import ngram_keys

    keys: dict[int, list[NDArray[np.uint64]]] = {}
    items = ngrams = whole = too_short = 0
    stream = _items(path, fields)
    while chunk := list(islice(stream, _ITEMS)):
        split = words([text for item in chunk for text in item])
        at = 0
        for item in chunk:
            found = 0
            for _ in item:
                hashes = split.hashes[split.offsets[at] : split.offsets[at + 1]]
                at += 1
                if len(hashes) >= SHORTEST:
                    length = min(n, len(hashes))
                    keys.setdefault(length, []).append(ngram_keys(hashes, length))
                    ngrams += len(hashes) - length + 1
                    whole += length < n
                    found += 1
            items += 1
            too_short += not found
    return keys, SetInfo(name, items, ngrams, whole, too_short)


def _names(paths: Sequence[Path]) -> list[str]:
    stems = [path.name.partition(".")[0] or path.name for path in paths]
    return [
        f"{path.absolute().parent.name}/{stem}" if stems.count(stem) > 1 else stem
        for path, stem in zip(paths, stems, strict=True)
    ]


@cache
def _load(files: tuple[Stamp, ...], n: int, fields: tuple[str, ...]) -> tuple[Table, tuple[SetInfo, ...]]:
    """Return the n-grams of all sets; read once in a process unless a file changes.

    Raises:
        ConfigError: An item lacks one of ``fields``.
        CorpusError: A set cannot be read, or nothing in it is long enough.
    """
    from hinterland.curate.kernels.overlap import make_table

    keys: list[NDArray[np.uint64]] = []
    owners: list[NDArray[np.int32]] = []
    lengths: set[int] = set()
    infos = []
    paths = [Path(file) for file, _, _ in files]
    for number, (path, name) in enumerate(zip(paths, _names(paths), strict=True)):
        by_length, info = _read_set(path, name, n, fields)
        if not by_length:
            raise CorpusError(
                f"nothing to look for: no text of its {info.items} items has {SHORTEST} words",
                where=str(path),
                cure="give the file that holds the items' texts",
            )
        for length, parts in by_length.items():
            lengths.add(length)
            keys += parts
            owners += [np.full(len(part), number, dtype=np.int32) for part in parts]
        infos.append(info)
    table = make_table(np.concatenate(keys), np.concatenate(owners), np.array(sorted(lengths)))
    return table, tuple(infos)


@FILTERS.register("contamination")
@dataclass(frozen=True)
class Contamination:
    """Word n-grams shared with evaluation sets.

    Columns: ``contamination.ngrams`` (places in the document where an n-gram of a set
    stands), ``contamination.share`` (the share of its words inside one; NaN without a
    word), ``contamination.set`` (the set of the first; null without one). A document with
    any is dropped by default. Texts of 8 to n − 1 words are looked for whole; items with
    shorter ones only are counted (`info`).

    Args:
        sets: The evaluation sets: JSONL (.gz, .zst), Parquet or .txt files, or folders of
            them. A text is whatever string stands in an item, also in lists.
        n: Words in an n-gram.
        fields: The items' fields to look for; all of them if none is given.

    Raises:
        ConfigError: An option is of the wrong kind.
    """

    name: ClassVar[str] = "contamination"
    variant: ClassVar[str] = "gpt3"
    sets: Sequence[str] = ()
    n: int = 13
    fields: Sequence[str] = ()

    def __post_init__(self) -> None:
        for option in ("sets", "fields"):
            if isinstance(getattr(self, option), str):
                raise ConfigError(
                    f"{option} is a list, found {getattr(self, option)!r}",
                    where=self.name,
                    cure="write [a, b]",
                )
        if self.n < SHORTEST:
            raise ConfigError(f"n is {self.n}", where=self.name, cure=f"give {SHORTEST} or more")

    @property
    def rules(self) -> tuple[Rule, ...]:
        """No n-gram of a set, if sets are given."""
        column = "contamination.ngrams"
        return (Rule(column, column, high=0),) if self.sets else ()

    def content(self) -> str:
        """Return a hash of the sets' files.

        Raises:
            ConfigError: No set is given.
            CorpusError: A set does not exist.
        """
        return fingerprint(*(hash_file(file) for file in self._files()))

    def info(self) -> list[dict[str, Any]]:
        """Return what is looked for of each set, see `SetInfo`; errors as `score`."""
        return [asdict(info) for info in self._loaded()[1]]

    def score(self, texts: Sequence[str]) -> Scores:
        """See `Filter.score`.

        Raises:
            ConfigError: No set is given, or an item lacks a field.
            CorpusError: A set does not exist, cannot be read, or has nothing to look for.
            MissingDependencyError: A set is .zst and zstandard is not installed.
        """
        from hinterland.curate.hashing import words
        from hinterland.curate.kernels.overlap import overlap

        table, infos = self._loaded()
        split = words(texts)
        found = overlap(split.hashes, split.offsets, table)
        names = np.array([info.name for info in infos] + [None], dtype=object)
        with np.errstate(invalid="ignore"):
            share = found.covered / np.diff(split.offsets)
        return {
            "contamination.ngrams": found.matches,
            "contamination.share": share,
            "contamination.set": names[found.owner],
        }

    def _files(self) -> list[Path]:
        if not self.sets:
            raise ConfigError(
                "no evaluation set to look for",
                where="contamination.sets",
                cure="give options: {contamination: {sets: [FILE]}}",
            )
        return find_text_files(Path(path) for path in self.sets)

    def _loaded(self) -> tuple[Table, tuple[SetInfo, ...]]:
        return _load(tuple(map(stamp, self._files())), self.n, tuple(self.fields))

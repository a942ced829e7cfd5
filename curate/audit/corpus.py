"""What an audit needs of a corpus on disk: filters' decisions from its columns."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hinterland.core.corpus import MANIFEST, Corpus
from hinterland.core.errors import CorpusError, nearest
from hinterland.core.parquet import parquet_errors, row_batches
from hinterland.core.record import BASE_SCHEMA
from hinterland.curate.audit.claims import ALL
from hinterland.curate.audit.given import count_words, numbers_of
from hinterland.curate.rule import Rule
from hinterland.curate.score_columns import ShardColumns

__all__ = [
    "PLACE_COLUMNS",
    "Decided",
    "as_record",
    "column_names",
    "corpus_words",
    "filter_of",
    "is_decided",
    "manifest_part",
    "open_decided",
    "read_decided",
    "reason_decisions",
    "rules_of",
]

Bools = NDArray[np.bool_]
#: What `curate.geo` finds for a document, when its shards are given beside the corpus.
PLACE_COLUMNS = ("country", "admin1", "lat", "lon", "geo_from", "geo_confidence")
#: What equalising adds to the reasons; it is no filter.
DEBIAS = "debias"


def filter_of(reason: str) -> str:
    """Return the filter that gave a reason: what stands before the first dot."""
    return reason.partition(".")[0]


def open_decided(path: Path) -> Corpus:
    """Open a corpus, or the ``corpus`` inside a run's folder.

    Raises:
        CorpusError: There is none.
    """
    if path.is_file():
        raise CorpusError(
            "this is a file, and no corpus that was curated",
            where=str(path),
            cure=f"curate it first: hinterland curate {shlex.quote(str(path))}",
        )
    inside = path / "corpus"
    if (inside / MANIFEST).is_file() and not any(path.glob("*.parquet")):
        path = inside
    return Corpus.open(path)


def reason_decisions(reasons: pa.ChunkedArray | pa.Array, filters: Iterable[str] = ()) -> dict[str, Bools]:
    """Return for each filter which documents it would keep on its own.

    Of duplicates the copy kept depends on the other rules (`curate.decide.decide_columns`),
    but not how many are.

    Args:
        reasons: All reasons of every document, lists of shape (documents,).
        filters: Filters to name even if they drop nothing.
    """
    lists = reasons.combine_chunks() if isinstance(reasons, pa.ChunkedArray) else reasons
    rows = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
    encoded = pc.list_flatten(lists).dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    names = [filter_of(reason) for reason in encoded.dictionary.to_pylist()]
    kept: dict[str, Bools] = {}
    for name in sorted({*names, *filters} - {DEBIAS}):
        mine = np.array([other == name for other in names], dtype=bool)
        kept[name] = np.ones(len(lists), dtype=bool)
        if mine.any():
            kept[name][rows[mine[codes]]] = False
    return kept


@dataclass(frozen=True)
class Decided:
    """A corpus whose documents are decided.

    Attributes:
        corpus: The corpus.
        table: Its columns that were asked for.
        decisions: For each filter which documents it keeps; `ALL` is ``keep``.
        tokens: Tokens (or words) of every document.
        token_unit: Which of the two.
        places: Shards with where documents are from, beside the corpus' own.
    """

    corpus: Corpus
    table: pa.Table
    decisions: dict[str, Bools]
    tokens: NDArray[np.float64]
    token_unit: str
    places: tuple[Path, ...] = ()

    @cached_property
    def columns(self) -> ShardColumns:
        """All columns of the corpus, read one at a time."""
        lists = [list(self.places)] if self.places else []
        return ShardColumns(*lists, [path for path, _ in self.corpus.shards(verify=False)])

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that decided, from the manifest.

        Raises:
            CorpusError: They are not rules.
        """
        return rules_of(self.corpus)

    @property
    def name(self) -> str:
        """What the corpus is called: its folder, or the run's if it lies in one."""
        path = self.corpus.path.resolve()
        return path.parent.name if path.name == "corpus" else path.name

    @property
    def keep(self) -> Bools:
        """Which documents are kept, shape (documents,)."""
        return self.decisions[ALL]

    @property
    def weight(self) -> NDArray[np.float64] | None:
        """The weights, shape (documents,), where the corpus has them; NaN where one is missing.

        Raises:
            CorpusError: They are no numbers.
        """
        if "weight" not in self.table.column_names:
            return None
        column = self.table["weight"]
        if column.null_count == len(column):  # nobody weighted anything
            return None
        return numbers_of(column, "weight", str(self.corpus.path))


def rules_of(corpus: Corpus) -> tuple[Rule, ...]:
    """Return the rules in a corpus' manifest; none where it was not decided by rules.

    Raises:
        CorpusError: They are not rules.
    """
    try:
        rules = tuple(Rule(**rule) for rule in corpus.manifest.get("rules") or [])
        for rule in rules:
            if not (isinstance(rule.column, str) and isinstance(rule.reason, str)):
                raise TypeError(f"{rule.column!r} with the reason {rule.reason!r} is no rule")
            for bound in (rule.low, rule.high):
                if isinstance(bound, bool) or not isinstance(bound, int | float | None):
                    raise TypeError(f"{bound!r} is no bound of {rule.column}")
                if bound is not None and math.isnan(bound):
                    raise TypeError(f"a bound of {rule.column} is NaN")
        return rules
    except TypeError as error:
        raise CorpusError(
            f"the manifest's rules cannot be read: {error}", where=str(corpus.path), cure="curate it again"
        ) from error


def is_decided(path: Path) -> bool:
    """Whether there is a corpus at ``path``, or in the run's folder there, and it is decided.

    Raises:
        CorpusError: There is a damaged one.
    """
    folder = path / "corpus" if (path / "corpus" / MANIFEST).is_file() else path
    return (folder / MANIFEST).is_file() and "keep" in column_names(open_decided(path))


def read_decided(
    path: Path,
    *,
    columns: Iterable[str] | None = None,
    tokens: str | None = None,
    places: Sequence[Path] = (),
) -> Decided:
    """Read a decided corpus; of its text only words are counted, a piece at a time.

    Args:
        path: A corpus, or a run's folder with one in it.
        columns: Further columns; all, with the text, when ``None``.
        tokens: The column with token counts; words of the text are counted without one.
        places: Parquet files with `PLACE_COLUMNS` for the corpus' shards, in their order;
            they take the place of the corpus' own.

    Raises:
        CorpusError: It is no corpus, it is not decided, or a column is missing.
    """
    corpus = open_decided(path)
    there = column_names(corpus)
    if "keep" not in there:
        raise CorpusError(
            "the corpus is not decided: it has no column 'keep'",
            where=str(corpus.path),
            cure="run `hinterland curate` on it first, or add the columns keep and reasons",
        )
    missing = [name for name in ["id", *(columns or ()), *([tokens] if tokens else [])] if name not in there]
    if missing:
        raise CorpusError(
            f"no column {missing[0]!r}", where=str(corpus.path), cure=nearest(missing[0], there)
        )
    wanted: list[str] = [
        name for name in ("id", "country", "source", "keep", "reasons", "weight") if name in there
    ]
    if columns is None:
        wanted = there
    wanted = list(dict.fromkeys([*wanted, *(columns or ()), *([tokens] if tokens else [])]))
    table = as_record(corpus.read(wanted), str(corpus.path))
    keep = _kept(table["keep"], corpus)
    if places:
        table = _placed(table, places)
    named = [rule.filter for rule in rules_of(corpus)]
    decisions = {}
    if "reasons" in there:
        _check_reasons(table["reasons"], corpus)
        decisions = reason_decisions(table["reasons"], named)
    decisions[ALL] = keep
    if tokens is None:
        return Decided(corpus, table, decisions, corpus_words(corpus), "words", tuple(places))
    if table[tokens].null_count:
        raise CorpusError(
            f"{table[tokens].null_count} nulls in column {tokens!r}",
            where=str(corpus.path),
            cure="count again",
        )
    counted = numbers_of(table[tokens], tokens, str(corpus.path))
    return Decided(corpus, table, decisions, counted, "tokens", tuple(places))


def as_record(table: pa.Table, where: str) -> pa.Table:
    """Return a table whose columns have the record's types, as other tools do not always write them.

    Raises:
        CorpusError: One holds what is neither.
    """
    for field in BASE_SCHEMA:
        if field.name not in table.column_names:
            continue
        column = table[field.name]
        if column.type == field.type:
            continue
        try:
            table = table.set_column(
                table.column_names.index(field.name), field.name, column.cast(field.type)
            )
        except pa.ArrowException as error:
            raise CorpusError(
                f"column {field.name!r} holds {column.type} and not {field.type}",
                where=where,
                cure="convert it first",
            ) from error
    return table


def _kept(column: pa.ChunkedArray, corpus: Corpus) -> Bools:
    """Return the decisions: true and false, or the numbers 1 and 0.

    Raises:
        CorpusError: One is missing, or is neither.
    """
    where = str(corpus.path)
    if column.null_count:
        raise CorpusError(f"{column.null_count} documents are undecided", where=where, cure="decide them")
    values = numbers_of(column, "keep", where)
    odd = values[~np.isin(values, (0.0, 1.0))]
    if odd.size:
        raise CorpusError(
            f"column 'keep' holds {odd[0]:g}: neither kept (1) nor not (0)", where=where, cure="decide again"
        )
    return np.asarray(values == 1)


def _check_reasons(column: pa.ChunkedArray, corpus: Corpus) -> None:
    """Raise `CorpusError` if the reasons are no lists of words."""
    kind = column.type
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    inner = kind.value_type if lists else kind
    inner = inner.value_type if pa.types.is_dictionary(inner) else inner
    if not lists or not (
        pa.types.is_string(inner) or pa.types.is_large_string(inner) or pa.types.is_null(inner)
    ):
        raise CorpusError(
            f"column 'reasons' holds {kind} and not lists of words",
            where=str(corpus.path),
            cure="write each document's reasons as a list",
        )


def corpus_words(corpus: Corpus) -> NDArray[np.float64]:
    """Return the words of every document, reading a batch at a time, shape (documents,).

    Raises:
        CorpusError: There is no text, or a shard is damaged.
    """
    counts = []
    for path, _ in corpus.shards(verify=False):
        with parquet_errors(path, cure="write it again"):
            if "text" not in pq.read_schema(path).names:
                raise CorpusError(
                    "no text whose words could be counted",
                    where=str(path),
                    cure="name a column of numbers with --set tokens=COLUMN",
                )
            counts += [
                count_words(pa.chunked_array([batch.column(0)]))
                for batch in row_batches(path, columns=["text"])
            ]
    return np.concatenate([np.empty(0), *counts])


def _placed(table: pa.Table, places: Sequence[Path]) -> pa.Table:
    """Return the table with the places found beside the corpus.

    Raises:
        CorpusError: They are not those of these documents.
    """
    found = pa.concat_tables([pq.read_table(path) for path in places])
    if found.num_rows != table.num_rows or not found["id"].equals(table["id"]):
        raise CorpusError(
            "the places are not those of this corpus",
            where=str(places[0].parent),
            cure="delete this folder and run again",
        )
    for name in PLACE_COLUMNS:
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, found[name])
        else:
            table = table.append_column(name, found[name])
    return table


def column_names(corpus: Corpus) -> list[str]:
    """Return the columns of a corpus; none where it has no shard.

    Raises:
        CorpusError: A shard is missing or damaged.
    """
    for path, _ in corpus.shards(verify=False):
        with parquet_errors(path, cure="write it again"):
            return list(pq.read_schema(path).names)
    return []


def manifest_part(corpus: Corpus, key: str) -> dict[str, Any]:
    """Return an object of a corpus' manifest, empty where there is none."""
    part = corpus.manifest.get(key)
    return part if isinstance(part, dict) else {}

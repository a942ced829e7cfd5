"""What an audit needs of a corpus on disk: filters' decisions from its columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hinterland.core.corpus import MANIFEST, Corpus
from hinterland.core.errors import CorpusError, nearest
from hinterland.curate.audit.audit import count_words
from hinterland.curate.audit.claims import ALL

__all__ = ["Decided", "filter_of", "open_decided", "read_decided", "reason_decisions"]

Bools = NDArray[np.bool_]
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
    """

    corpus: Corpus
    table: pa.Table
    decisions: dict[str, Bools]
    tokens: NDArray[np.float64]
    token_unit: str

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
        """The weights, shape (documents,), where the corpus has them."""
        if "weight" not in self.table.column_names:
            return None
        values = self.table["weight"].cast(pa.float64()).fill_null(0.0)
        return np.asarray(values.to_numpy(), dtype=np.float64)


def read_decided(path: Path, *, columns: Iterable[str] | None = None, tokens: str | None = None) -> Decided:
    """Read a decided corpus.

    Args:
        path: A corpus, or a run's folder with one in it.
        columns: Further columns; all when ``None``.
        tokens: The column with token counts; words of the text are counted without one.

    Raises:
        CorpusError: It is no corpus, it is not decided, or a column is missing.
    """
    corpus = open_decided(path)
    there = _columns(corpus)
    if "keep" not in there:
        raise CorpusError(
            "the corpus is not decided: it has no column 'keep'",
            where=str(corpus.path),
            cure="run `hinterland curate` on it first, or add the columns keep and reasons",
        )
    missing = [name for name in [*(columns or ()), *([tokens] if tokens else [])] if name not in there]
    if missing:
        raise CorpusError(
            f"no column {missing[0]!r}", where=str(corpus.path), cure=nearest(missing[0], there)
        )
    wanted: list[str] = [
        name for name in ("id", "country", "source", "keep", "reasons", "weight") if name in there
    ]
    if columns is None:
        wanted = there
    wanted = list(dict.fromkeys([*wanted, *(columns or ()), tokens or "text"]))
    table = corpus.read(wanted)
    if table["keep"].null_count:
        raise CorpusError(
            f"{table['keep'].null_count} documents are undecided", where=str(corpus.path), cure="decide them"
        )
    rules: list[dict[str, Any]] = corpus.manifest.get("rules") or []
    named = [filter_of(str(rule.get("column", ""))) for rule in rules]
    decisions = reason_decisions(table["reasons"], named) if "reasons" in there else {}
    decisions[ALL] = np.asarray(table["keep"].to_numpy(), dtype=bool)
    if tokens is None:
        return Decided(corpus, table, decisions, count_words(table["text"]), "words")
    counted = table[tokens].cast(pa.float64())
    if counted.null_count:
        raise CorpusError(
            f"{counted.null_count} nulls in column {tokens!r}", where=str(corpus.path), cure="count again"
        )
    return Decided(corpus, table, decisions, np.asarray(counted.to_numpy(), dtype=np.float64), "tokens")


def _columns(corpus: Corpus) -> list[str]:
    for path, _ in corpus.shards(verify=False):
        return list(pq.read_schema(path).names)
    return []

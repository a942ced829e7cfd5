"""Documents to look at: some that are kept and some that are dropped, by group and reason."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import CorpusError
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.audit.parts import Example
from hinterland.curate.score_columns import TableColumns

__all__ = ["NO_REASON", "Texts", "beginning", "examples_of"]

Bools = NDArray[np.bool_]
Rows = NDArray[np.int64]
#: Gives the texts of some rows, ascending and each once.
Texts: TypeAlias = Callable[[Rows], Sequence[str | None]]

#: Stands for documents that are dropped and have no reason.
NO_REASON = "no reason given"
#: Characters of a text that are shown.
LENGTH = 280
#: Format characters that turn the text around them and could hide what it says.
_TURNING = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0xFEFF)}


def examples_of(
    keep: ArrayLike,
    reasons: pa.Array | pa.ChunkedArray | None,
    grouping: Grouping,
    table: pa.Table,
    texts: Texts | None = None,
    *,
    per_group: int = 3,
    max_reasons: int = 3,
    groups: Collection[str] | None = None,
    seed: int = 0,
) -> tuple[Example, ...]:
    """Return examples of what is kept and dropped of each group.

    They are drawn at random by their ids, so neither the order of the documents nor what
    else is in the corpus changes who is drawn. A document stands for one reason only, the
    most frequent one in its group for which it is drawn.

    Args:
        keep: Which documents are kept, shape (documents,).
        reasons: All reasons of every document, lists of shape (documents,); a document that
            is dropped without one stands under `NO_REASON`.
        grouping: The groups.
        table: ``id``, ``source`` and ``country`` of every document, and ``text`` unless
            ``texts`` is given; what is missing stays empty.
        texts: Reads texts by row, so that only those shown are in memory.
        per_group: How many are shown of each group that are kept, and that each reason drops.
        max_reasons: How many reasons are shown of each group, the most frequent first.
        groups: The groups to show; all by default.
        seed: For what is drawn.

    Returns:
        By group in the grouping's order, first those kept, then by reason.

    Raises:
        CorpusError: The arrays differ in length, or there are no texts.
    """
    kept = np.asarray(keep, dtype=bool)
    if reasons is None:
        reasons = pa.array([[]], pa.list_(pa.string())).take(pa.array(np.zeros(len(kept), dtype=np.int64)))
    if not len(kept) == len(reasons) == len(grouping) == table.num_rows:
        raise CorpusError(
            f"{len(kept)} decisions, {len(reasons)} lists of reasons, {len(grouping)} groups,"
            f" {table.num_rows} documents",
            where="examples",
            cure="give one of each for every document",
        )
    if texts is None and "text" not in table.column_names:
        raise CorpusError("no column 'text'", where="examples", cure="give the texts or a reader of them")
    draw = _draws(table, seed)
    shown = [g for g, label in enumerate(grouping.labels) if groups is None or label in groups]
    dropped = _dropped(kept, reasons, grouping)
    by_group = _slices(grouping.codes[kept], np.flatnonzero(kept), len(grouping.labels))
    chosen: list[tuple[int, str, int]] = []
    for g in shown:
        chosen += [(g, "", row) for row in _first(by_group[g], draw, per_group)]
        taken: list[int] = []
        for reason, rows in dropped(g, max_reasons):
            left = rows[~np.isin(rows, taken)] if taken else rows
            drawn = _first(left, draw, per_group)
            chosen += [(g, reason, row) for row in drawn]
            taken += drawn
    return _written(chosen, grouping, table, texts or _reader(table))


def beginning(text: str, length: int = LENGTH) -> str:
    r"""Return a text's beginning on one line, cut at a word, without control characters.

    Runs of white space become one space; control characters and those that turn the
    direction of writing go. A text that is cut ends with "…".

    >>> beginning("One\ttwo\n\nthree\x00", 8)
    'One two…'
    """
    text = text.strip()
    line = " ".join(text[: 4 * length].split())
    line = "".join(
        each for each in line if unicodedata.category(each) not in ("Cc", "Cs") and each not in _TURNING
    )
    line = " ".join(line.split())
    if len(line) <= length and len(text) <= 4 * length:
        return line
    cut = line[: length + 1]
    head, space, _ = cut.rpartition(" ")
    if not space or len(head) < length // 2:  # no spaces, as in Chinese, or a very long word
        end = length
        while end > 1 and end < len(line) and unicodedata.combining(line[end]):
            end -= 1
        head = line[:end]
    return head.rstrip() + "…"


def _draws(table: pa.Table, seed: int) -> NDArray[np.uint64]:
    """Return random bits by id; by position where documents have no id."""
    ids = (
        table["id"].cast(pa.string()) if "id" in table.column_names else pa.nulls(table.num_rows, pa.string())
    )
    named = pc.coalesce(ids, pa.array(np.arange(table.num_rows)).cast(pa.string()))
    return TableColumns(pa.table({"id": named})).draws(seed, "audit", "examples")


def _slices(codes: Rows, rows: Rows, groups: int) -> list[Rows]:
    """Return the rows of each code."""
    order = np.argsort(codes, kind="stable")
    return np.split(rows[order], np.cumsum(np.bincount(codes, minlength=groups))[:-1]) if groups else []


def _first(rows: Rows, draw: NDArray[np.uint64], number: int) -> list[int]:
    """Return the rows with the smallest draws; of equal ids the first."""
    if len(rows) > number:
        edge = np.partition(draw[rows], number)[number]
        rows = rows[draw[rows] <= edge]
    order = np.lexsort((rows, draw[rows]))
    found: list[int] = rows[order][:number].tolist()
    return found


def _dropped(
    kept: Bools, reasons: pa.Array | pa.ChunkedArray, grouping: Grouping
) -> Callable[[int, int], list[tuple[str, Rows]]]:
    """Return what gives a group's reasons, the most frequent first, with the rows dropped."""
    lists = reasons.combine_chunks() if isinstance(reasons, pa.ChunkedArray) else reasons
    rows = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    encoded = pc.list_flatten(lists).dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    names: list[str] = [*encoded.dictionary.to_pylist(), NO_REASON]
    out = ~kept[rows]
    bare = ~kept
    bare[rows] = False
    rows = np.concatenate([rows[out], np.flatnonzero(bare)])
    codes = np.concatenate([codes[out], np.full(int(bare.sum()), len(names) - 1)])
    number = len(names)
    cells = _slices(grouping.codes[rows] * number + codes, rows, len(grouping.labels) * number)

    def of(g: int, most: int) -> list[tuple[str, Rows]]:
        mine = [(names[i], cells[g * number + i]) for i in range(len(names)) if len(cells[g * number + i])]
        return sorted(mine, key=lambda item: (-len(item[1]), item[0]))[:most]

    return of


def _reader(table: pa.Table) -> Texts:
    def read(rows: Rows) -> Sequence[str | None]:
        found: list[str | None] = table["text"].take(pa.array(rows)).to_pylist()
        return found

    return read


def _written(
    chosen: list[tuple[int, str, int]], grouping: Grouping, table: pa.Table, texts: Texts
) -> tuple[Example, ...]:
    rows = np.unique(np.array([row for _, _, row in chosen], dtype=np.int64))
    if not len(rows):
        return ()
    fields = {
        name: table[name].take(pa.array(rows)).cast(pa.string()).to_pylist()
        if name in table.column_names
        else [None] * len(rows)
        for name in ("id", "source", "country")
    }
    read = texts(rows)
    if len(read) != len(rows):
        raise CorpusError(
            f"{len(read)} texts for {len(rows)} documents", where="examples", cure="read them again"
        )
    place = {int(row): number for number, row in enumerate(rows)}
    found = []
    for g, reason, row in chosen:
        number = place[row]
        id_, source, country = (fields[name][number] or "" for name in fields)
        text = beginning(read[number] or "")
        found.append(
            Example(grouping.name, grouping.labels[g], not reason, reason, id_, source, country, text)
        )
    return tuple(found)

"""What must not be found after a removal: texts, words, vectors, or only their hashes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.removal_ledger import digest
from hinterland.indexes.residue_patterns import WINDOW, Patterns
from hinterland.indexes.segments import key_of, keys_of
from hinterland.indexes.version import passages_of
from hinterland.indexes.words import Words

__all__ = ["Traces", "flat"]

_LONG = 16  # an id of so many characters is looked for in raw bytes too
_ROWS = 4096  # of a table at a time


@dataclass(frozen=True, slots=True)
class Traces:
    """What must not be found.

    Attributes:
        texts: Pieces of texts, titles, addresses and ids.
        strings: SHA-256 of whole strings: ids, and texts too short to be looked for in bytes.
        words: Words that only removed passages have.
        vectors: The first bytes of removed vectors.
        keys: Keys in the cache of removed passages.
        chunks: How many chunks these are of.
        shared: Ids and short texts that are no trace, because kept chunks have the same string.
        whole: Whether the removed texts were known, not only their hashes.
    """

    texts: Patterns
    strings: frozenset[str]
    words: frozenset[str]
    vectors: Patterns
    keys: frozenset[tuple[int, int]]
    chunks: int
    shared: int = 0
    whole: bool = True

    @classmethod
    def of(
        cls,
        removed: pa.Table,
        kept: pa.Table,
        *,
        lexical: LexicalConfig | None,
        vectors: Iterable[NDArray[np.float32]] = (),
        kept_vectors: Iterable[NDArray[np.float32]] = (),
        named: Iterable[str] = (),
    ) -> Traces:
        """Return the traces of chunks.

        Args:
            removed: The chunks that went.
            kept: The chunks that stay; what they share is no trace.
            lexical: How words are made, if words are indexed.
            vectors: Blocks of vectors of ``removed``.
            kept_vectors: Blocks of vectors of ``kept``.
            named: Further texts that may stay: the rule in the user's words, the encoder's name.
        """
        ids = set(_strings(removed, "document_id", "id"))
        long_ids = [each for each in ids if len(each) >= _LONG]
        shown = ("text", "title", "url")

        def allowed() -> Iterator[str]:
            return chain(_strings(kept, *shown, "document_id", "id"), names)

        names = list(named)
        texts = Patterns.of_texts(chain(_strings(removed, *shown), long_ids), allowed())
        short = {each for each in _strings(removed, *shown) if each.strip() and len(each.encode()) < 8}
        strings = (ids | short).difference(_strings(kept, *kept.column_names))
        gone, only = set(map(key_of, _passages(removed))), _words(removed, lexical)
        cut = Words(lexical.language) if lexical else None
        for passage in _passages(kept):
            gone.discard(key_of(passage))
            if cut is not None:
                only.difference_update(cut.passage(passage))
        return cls(
            texts,
            frozenset(map(digest, strings)),
            frozenset(only),
            _vector_patterns(vectors, kept_vectors),
            frozenset((int(one), int(two)) for one, two in keys_of(gone)),
            removed.num_rows,
            shared=len(ids | short) - len(strings),
        )

    @classmethod
    def of_hashes(
        cls,
        strings: Collection[str],
        kept: pa.Table,
        *,
        vectors: Iterable[NDArray[np.float32]],
        kept_vectors: Iterable[NDArray[np.float32]],
        chunks: int,
    ) -> Traces:
        """Return what is known of chunks whose texts are gone.

        Args:
            strings: SHA-256 of their documents' ids and of their texts.
            kept: The chunks that stay.
            vectors: Blocks of their vectors, as far as they are there.
            kept_vectors: Blocks of vectors of ``kept``.
            chunks: How many they were.
        """
        left = frozenset(strings).difference(map(digest, _strings(kept, *kept.column_names)))
        found = _vector_patterns(vectors, kept_vectors)
        shared = len(set(strings)) - len(left)
        nothing = Patterns(())
        return cls(nothing, left, frozenset(), found, frozenset(), chunks, shared=shared, whole=False)


def _strings(table: pa.Table, *columns: str) -> Iterator[str]:
    """Yield the strings of some columns that are not empty, one perhaps again and again."""
    for name in columns:
        for part in table[name].chunks if name in table.column_names else ():
            for start in range(0, len(part), _ROWS):
                for column in flat(part.slice(start, _ROWS)):
                    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                        yield from filter(None, column.unique().to_pylist())


def _passages(table: pa.Table) -> Iterator[str]:
    for start in range(0, table.num_rows, _ROWS):
        yield from passages_of(table.slice(start, _ROWS))


def _words(table: pa.Table, lexical: LexicalConfig | None) -> set[str]:
    if lexical is None:
        return set()
    cut = Words(lexical.language)
    return {word for passage in _passages(table) for word in cut.passage(passage)}


def _vector_patterns(vectors: Iterable[NDArray[np.float32]], kept: Iterable[NDArray[np.float32]]) -> Patterns:
    """Return the first bytes of vectors, less those that a kept vector has too."""
    heads = (
        row.tobytes()
        for block in vectors
        for row in np.ascontiguousarray(np.atleast_2d(block)[:, : WINDOW // 4], "<f4")
    )
    return Patterns(heads).without(np.ascontiguousarray(block, "<f4").tobytes() for block in kept)


def flat(column: pa.Array) -> Iterator[pa.Array]:
    """Yield the plain columns that a column is made of."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        yield from flat(column.dictionary)
    elif pa.types.is_struct(kind):
        for each in column.flatten():
            yield from flat(each)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        yield from flat(column.flatten())
    else:
        yield column

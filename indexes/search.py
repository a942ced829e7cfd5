"""Search a published index: filters before the search, and the whole k or a stated shortfall."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.core.config import parse_config
from hinterland.core.errors import IndexBundleError
from hinterland.core.run import fingerprint
from hinterland.indexes.backend import IndexBackend
from hinterland.indexes.bundle import MANIFEST, Bundle, read_current
from hinterland.indexes.chunk_reader import ChunkReader
from hinterland.indexes.chunk_types import with_title
from hinterland.indexes.embed import Embedder
from hinterland.indexes.encoder import check_space, encoder
from hinterland.indexes.hits import DocumentHit, Hit, Result
from hinterland.indexes.lexical import LexicalConfig, LexicalIndex
from hinterland.indexes.pipeline import Ranked
from hinterland.indexes.ranking import Prepared, prepare, rank
from hinterland.indexes.retrieve import Rankings
from hinterland.indexes.rules import condition_mask
from hinterland.indexes.search_config import SearchConfig
from hinterland.indexes.searcher import Allow
from hinterland.indexes.version import LEXICAL, dense_rows, read_parts

__all__ = ["Allow", "DocumentHit", "Hit", "Index", "Result"]

_COLUMNS = ["id", "document_id", "start", "end", "text", "title"]
_COLUMNS += ["source", "license", "url", "date", "country"]
T = TypeVar("T")
_REMEMBERED = 8  # conditions and configs worked out for the chunks
#: Deeper than so many chunks (or than 4 for each document wanted) `Index.search_documents` diversifies
#: documents by their best chunks: among n chunks it would take time in proportion to n².
_DIVERSIFIED = 1000


class Index:
    """An opened index. It keeps its version, whatever is published after it was opened.

    Args:
        bundle: The published version.
        backend: Its vectors.
        chunks: Its chunks.
        embedder: Embeds queries.
        lexical: Its words, if they were indexed.
    """

    def __init__(
        self,
        bundle: Bundle,
        backend: IndexBackend,
        chunks: pa.Table,
        embedder: Embedder,
        lexical: LexicalIndex | None = None,
    ) -> None:
        self.bundle, self.embedder = bundle, embedder
        self.rankings = Rankings(backend, dense_rows(chunks), lexical)
        self._chunks = chunks
        self._reader = ChunkReader(chunks, [name for name in _COLUMNS if name in chunks.column_names])
        ids = chunks["document_id"].combine_chunks().dictionary_encode()
        self._documents = ids.dictionary.to_pylist()
        self._document_of = np.asarray(ids.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
        self._number = {document: number for number, document in enumerate(self._documents)}
        self._conditions: dict[str, NDArray[np.bool_]] = {}
        self._prepared: dict[str, Prepared] = {}
        self._latest: Prepared | None = None
        self._using: SearchConfig | None = None
        where = f"{bundle.folder / MANIFEST}: search"
        self._own = parse_config(SearchConfig, bundle.manifest.get("search") or {}, where=where)

    @classmethod
    def open(cls, root: Path, *, embedder: Embedder | None = None, memory_map: bool = False) -> Index:
        """Open the version that ``root`` serves, checking every file.

        Args:
            root: The index's folder.
            embedder: Embeds queries; ``None`` loads the one the manifest names.
            memory_map: Leave the words' postings on disk and read what a query needs.

        Raises:
            IndexBundleError: The index is missing, damaged, of a newer format, or was built
                with another encoder than ``embedder``.
            ModelSourceError: The encoder that the manifest names cannot be had.
        """
        return read_current(root, lambda bundle: cls._read(bundle, embedder, memory_map))

    @classmethod
    def _read(cls, bundle: Bundle, embedder: Embedder | None, memory_map: bool) -> Index:
        """Open a version that was checked."""
        embedder = encoder(bundle) if embedder is None else embedder
        check_space(embedder, bundle, to="search")
        chunks, backend = read_parts(bundle)
        lexical = None
        if bundle.manifest.get("bm25") is not None:
            lexical = LexicalIndex.load(
                bundle.folder / LEXICAL,
                size=chunks.num_rows,
                config=parse_config(LexicalConfig, bundle.manifest["bm25"], where=str(bundle.folder)),
                memory_map=memory_map,
            )
        return cls(bundle, backend, chunks, embedder, lexical)

    def __len__(self) -> int:
        return int(self._chunks.num_rows)

    @property
    def how(self) -> SearchConfig:
        """How it ranks where a search does not say: as `using` set, as its manifest says, or by vectors."""
        return self._own if self._using is None else self._using

    def using(self, how: SearchConfig | None) -> Index:
        """Return the same index, ranking by ``how`` where a search does not say; `None` changes nothing.

        Raises:
            IndexBundleError: Words are to be searched and were not indexed.
            ConfigError: A condition cannot be read, or names a column that is not there.
            ModelSourceError: There is no such cross-encoder.
        """
        if how is None:
            return self
        self._prepare(how)
        other = copy.copy(self)
        other._using = how
        return other

    @property
    def fingerprint(self) -> str:
        """The version, equal for equal content; with `using`, a hash of version and config."""
        if self._using is None:
            return self.bundle.version
        how = self._using
        model = self._prepare(how).reranker
        reranker = "" if model is None else model.fingerprint
        return fingerprint("index", self.bundle.version, how.model_dump(mode="json"), reranker)

    @property
    def document_ids(self) -> list[str]:
        """The documents that have chunks, in the order of their first chunk."""
        return list(self._documents)

    def documents_of(self, chunks: NDArray[np.int64]) -> list[str]:
        """Return the documents of chunks given by number, each once, in the order of the chunks."""
        return [self._documents[number] for number in dict.fromkeys(self._document_of[chunks].tolist())]

    def mask(self, allow: Allow) -> NDArray[np.bool_]:
        """Return which chunks belong to the allowed documents, shape (len(self),).

        A mask is computed once and given to many searches; ids without a chunk in the
        index match nothing.

        Raises:
            ValueError: A mask of another length was given.
        """
        if isinstance(allow, np.ndarray):
            if allow.shape != (len(self),) or allow.dtype != np.bool_:
                raise ValueError(f"a mask needs {len(self)} booleans, found {allow.dtype} {allow.shape}")
            return allow
        allowed = np.zeros(len(self._documents), dtype=np.bool_)
        allowed[[self._number[document] for document in set(allow) if document in self._number]] = True
        return np.asarray(allowed[self._document_of])

    def where(self, condition: str) -> NDArray[np.bool_]:
        """Return for which chunks a condition over their columns holds, shape (len(self),).

        Raises:
            ConfigError: It cannot be read, or names a column that is not there.
        """
        if condition not in self._conditions:
            mask = condition_mask(condition, self._chunks, where="where")
            mask.flags.writeable = False  # the dense index prepares a mask that stays once
            _remember(self._conditions, condition, mask)
            return mask
        return self._conditions[condition]

    def embed_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Return the queries' unit vectors, to be given to several searches."""
        return self.embedder.queries(queries)

    def search(
        self,
        queries: Sequence[str],
        k: int = 10,
        *,
        allow: Allow | None = None,
        where: str | None = None,
        vectors: NDArray[np.float32] | None = None,
        how: SearchConfig | None = None,
    ) -> list[Result]:
        """Return the ``k`` best chunks for each query.

        Args:
            queries: The queries, embedded in batches.
            k: How many; where fewer come back, the result's note says why.
            allow: Which documents may be found. It is applied inside the search.
            where: A condition that chunks must fit besides (`core.expressions`), such as
                ``country == 'KEN' and license != 'unknown'``; applied inside the search.
            vectors: The queries' vectors if they are at hand, shape (queries, dimension).
            how: How to rank; ``None`` takes the index's own way (`how`).

        Raises:
            ValueError: ``k`` is below 1, or a mask of another length was given.
            ConfigError: A condition cannot be read, or names a column that is not there.
            IndexBundleError: Words are to be searched and were not indexed, or ``vectors`` do not fit.
            ModelSourceError: The cross-encoder cannot be had.
        """
        prepared, mask = self._ready(k, allow, where, how)
        ranked, notes = rank(
            prepared, queries, k, mask, size=len(self), vectors=self._vectors(queries, vectors, prepared.how)
        )
        hits = iter(self._hits(ranked))
        return [
            Result(query, tuple(next(hits) for _ in found.rows), k, note)
            for query, found, note in zip(queries, ranked, notes, strict=True)
        ]

    def search_documents(
        self,
        queries: Sequence[str],
        k: int = 10,
        *,
        allow: Allow | None = None,
        where: str | None = None,
        vectors: NDArray[np.float32] | None = None,
        how: SearchConfig | None = None,
    ) -> list[list[DocumentHit]]:
        """Return the ``k`` best documents for each query, each at the place of its best chunk.

        Chunks are ranked ever deeper, until ``k`` documents are found. Under MMR a document's chunks
        push back each other, and what is like any of them; where 1,000 chunks (4 · k, if that is more)
        hold fewer than ``k`` documents, the best chunk of each document alone is compared.

        Args:
            queries: The queries.
            k: How many documents.
            allow: Which documents may be found.
            where: A condition that chunks must fit besides.
            vectors: The queries' vectors if they are at hand.
            how: How to rank chunks; ``None`` takes the index's own way.

        Raises:
            ValueError: ``k`` is below 1, or a mask of another length was given.
            ConfigError: A condition cannot be read, or names a column that is not there.
            IndexBundleError: Words are to be searched and were not indexed, or ``vectors`` do not fit.
        """
        prepared, mask = self._ready(k, allow, where, how)
        embedded = self._vectors(queries, vectors, prepared.how)
        there = self._document_of if mask is None else self._document_of[mask]
        wanted, chunks = min(k, len(np.unique(there))), 4 * k
        found: list[list[DocumentHit]] = [[] for _ in queries]
        left = list(range(len(queries))) if wanted else []
        while left:
            asked, some = [queries[each] for each in left], None if embedded is None else embedded[left]
            apart = prepared.how.mmr is not None and chunks > max(4 * k, _DIVERSIFIED)
            documents, depth = (self._document_of, wanted) if apart else (None, chunks)
            ranked, _ = rank(prepared, asked, depth, mask, size=len(self), vectors=some, documents=documents)
            for number, each in zip(left, ranked, strict=True):
                found[number] = self._best_chunks(each)[:k]
            if apart:  # `rank` has looked as deep as there is anything
                break
            # A document with many good chunks crowds out others: look deeper for those queries.
            full = {number for number, each in zip(left, ranked, strict=True) if len(each.rows) >= chunks}
            left = [number for number in left if len(found[number]) < wanted and number in full]
            chunks *= 4
        return found

    def _ready(
        self, k: int, allow: Allow | None, where: str | None, how: SearchConfig | None
    ) -> tuple[Prepared, NDArray[np.bool_] | None]:
        """Return the config worked out, and what all filters together leave."""
        if k < 1:
            raise ValueError(f"k must be at least 1, found {k}")
        prepared = self._prepare(self.how if how is None else how)
        masks = [] if allow is None else [self.mask(allow)]
        masks += [self.where(each) for each in (where, prepared.how.where) if each and each.strip()]
        if prepared.rules.left_in is not None:
            masks.append(prepared.rules.left_in)
        return prepared, None if not masks else masks[0] if len(masks) == 1 else np.logical_and.reduce(masks)

    def _prepare(self, how: SearchConfig) -> Prepared:
        latest = self._latest
        if latest is not None and latest.how is how:  # the same object: no need to write it out
            return latest
        key = how.model_dump_json()
        prepared = self._prepared.get(key)
        if prepared is None:
            prepared = prepare(
                how, self.rankings, self._chunks, self._passages, where=str(self.bundle.folder)
            )
            while len(self._prepared) >= _REMEMBERED:
                self._prepared.pop(next(iter(self._prepared)), None)
            self._prepared[key] = prepared
        if prepared.how is how:
            self._latest = prepared
        return prepared

    def _passages(self, rows: NDArray[np.int64]) -> list[str]:
        titles, texts = self._reader.read(("title", "text"), rows)
        return [with_title(title, text) for title, text in zip(titles, texts, strict=True)]

    def _best_chunks(self, ranked: Ranked) -> list[DocumentHit]:
        """Return the documents of a ranked list of chunks, each at its first chunk."""
        _, first = np.unique(self._document_of[ranked.rows], return_index=True)
        order = np.sort(first)
        there, scores = ranked.rows[order], ranked.score[order]
        (ids,) = self._reader.read(("id",), there)
        return [
            DocumentHit(self._documents[int(self._document_of[row])], float(score), chunk_id)
            for row, score, chunk_id in zip(there, scores, ids, strict=True)
        ]

    def _hits(self, ranked: Sequence[Ranked]) -> list[Hit]:
        """Return the hits of all queries, one after the other."""
        if not ranked:
            return []
        rows = np.concatenate([each.rows for each in ranked])
        parts = [one for each in ranked for one in each.parts_by_row()]
        scores = [score for each in ranked for score in each.score.tolist()]
        columns = self._reader.read(_COLUMNS, rows)
        return list(map(Hit, *columns[:6], scores, *columns[6:], parts))

    def _vectors(
        self, queries: Sequence[str], given: NDArray[np.float32] | None, how: SearchConfig
    ) -> NDArray[np.float32] | None:
        if how.mode == "bm25":
            return None
        vectors = self.embed_queries(queries) if given is None else given
        if vectors.shape != (len(queries), self.rankings.backend.dimension):
            raise IndexBundleError(
                f"query vectors of shape {vectors.shape} for {len(queries)} queries "
                f"and an index of {self.rankings.backend.dimension} dimensions",
                where=str(self.bundle.folder),
                cure="embed queries with the encoder the index was built with",
            )
        return vectors


def _remember(store: dict[str, T], key: str, value: T) -> None:
    """Put a value in, and the oldest out where there are many."""
    while len(store) >= _REMEMBERED:
        store.pop(next(iter(store)), None)
    store[key] = value

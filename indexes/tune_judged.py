"""Tune the mix of vectors and words on judged queries, for the manifest of an index.

The weight that `fusion_tuning.tune_fusion` finds becomes ``search.fusion``; the other keys of
``search`` stay. An index that was not told how to rank ranks by both from then on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hinterland.core.config import parse_config
from hinterland.core.errors import ConfigError, IndexBundleError
from hinterland.core.files import hash_file
from hinterland.indexes.backend import IndexBackend
from hinterland.indexes.bundle import MANIFEST, Bundle
from hinterland.indexes.fusion_tuning import tune_fusion
from hinterland.indexes.lexical import LexicalConfig, LexicalIndex
from hinterland.indexes.queries import read_judgements, read_queries
from hinterland.indexes.search import Index
from hinterland.indexes.search_config import FusionConfig, SearchConfig
from hinterland.indexes.tune_open import Measured
from hinterland.indexes.version import LEXICAL

__all__ = ["Judged", "need_words", "read_judged_queries", "tuned_search"]


@dataclass(frozen=True)
class Judged:
    """Queries and what is relevant to them.

    Attributes:
        queries: Texts by id; all have a relevant document.
        grades: Relevance by document id, by query id.
        origin: Where they come from, for the manifest.
    """

    queries: dict[str, str]
    grades: dict[str, dict[str, float]]
    origin: dict[str, str]


def read_judged_queries(queries: Path, qrels: Path) -> Judged:
    """Read queries and their judgements.

    Args:
        queries: JSON lines with ``_id`` and ``text``, or a folder with ``queries.jsonl``.
        qrels: Query id, document id and grade, with tabs between them (BEIR's layout).

    Raises:
        ConfigError: A file cannot be read, or no query has a relevant document.
    """
    asked, grades = read_queries(queries), read_judgements(qrels)
    relevant = {name for name, each in grades.items() if any(grade > 0 for grade in each.values())}
    judged = {name: text for name, text in asked.items() if name in relevant}
    if not judged:
        raise ConfigError(
            f"none of {len(asked)} queries has a relevant document",
            where=str(qrels),
            cure="give judgements whose query ids are those of the queries",
        )
    origin = {"queries": str(queries), "qrels": str(qrels), "qrels_sha256": hash_file(qrels)}
    return Judged(judged, grades, origin)


def need_words(bundle: Bundle) -> None:
    """Refuse an index without words.

    Raises:
        IndexBundleError: None were indexed.
    """
    if bundle.manifest.get("bm25") is None:
        raise IndexBundleError(
            "this index was built without words (bm25): there is no mix of vectors and words to tune",
            where=str(bundle.folder),
            cure="build it again with bm25, or tune without qrels",
        )


def tuned_search(opened: Measured, backend: IndexBackend, judged: Judged, *, seed: int) -> dict[str, Any]:
    """Return the manifest's ``search`` with the best fusion, and under ``fusion_tuning`` how it was found.

    Args:
        opened: The index.
        backend: Its vectors, with the search parameters that it will have.
        judged: The queries.
        seed: For the intervals.

    Raises:
        IndexBundleError: The index has no words.
        ConfigError: None of the relevant documents is in the index.
    """
    need_words(opened.bundle)
    manifest, folder = opened.manifest, opened.bundle.folder
    told = dict(manifest.get("search") or {})
    parse_config(SearchConfig, told, where=f"{folder / MANIFEST}: search")
    known = set(opened.chunks["document_id"].to_pylist())
    there = {
        name: text
        for name, text in judged.queries.items()
        if any(grade > 0 and document in known for document, grade in judged.grades[name].items())
    }
    if not there:
        raise ConfigError(
            "none of the relevant documents is in the index",
            where=judged.origin["qrels"],
            cure="give judgements that name the index's document ids",
        )
    words = LexicalConfig.model_validate(manifest["bm25"])
    lexical = LexicalIndex.load(folder / LEXICAL, size=opened.chunks.num_rows, config=words)
    index = Index(opened.bundle, backend, opened.chunks, opened.embedder, lexical)
    base = FusionConfig.model_validate({"method": "convex", **(told.get("fusion") or {})})
    fusion, curve = tune_fusion(index, there, judged.grades, base=base, seed=seed)
    chosen = fusion.model_dump(mode="json")
    return {
        "search": {"mode": "hybrid", **told, "fusion": chosen},
        "fusion_tuning": {
            "chosen": chosen,
            **curve.as_dict(),
            "origin": judged.origin,
            "left_out": len(judged.queries) - len(there),
            "seed": seed,
            "changes": len(manifest.get("changes", [])),
        },
    }

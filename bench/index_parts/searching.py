"""Search times and quality: each tool over what it saved, in a new process."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from curation_parts.worker import WorkerError
from gpu_parts.common import Row, Table

from hinterland.core.progress import track
from hinterland.eval.metrics import ndcg
from index_parts.building import place_of
from index_parts.collection import Collection, ranked_documents
from index_parts.systems import System

__all__ = ["Searches", "search_all"]

#: Passages ranked for nDCG@10 over documents: several may be of one document.
_DEPTH = 50


@dataclass
class Searches:
    """What was measured, a row for each tool."""

    rows: list[Row] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def value(self, tool: str, name: str) -> float | None:
        """Return a cell."""
        return next((row[name] for row in self.rows if row["tool"] == tool), None)

    def table(self, *, queries: int, k: int) -> Table:
        """Return the rows as a table."""
        return Table(
            "Search",
            [
                f"{queries} queries, one at a time, {k} passages with their texts; milliseconds (p50, p95).",
                "above: the tool's time less the bare encoder's and bare FAISS's for the same query, timed"
                " one after the other. search above FAISS: the same where the query's vector is at hand,"
                " which leaves the encoder's scatter out.",
                "queries/s at once: the tool's call for many queries, embedding included; LlamaIndex and"
                " Haystack have none and go one by one.",
                f"nDCG@10: over documents, each where its first passage stands among {_DEPTH}.",
            ],
            self.rows,
        )


def search_all(
    systems: Sequence[System], collection: Collection, *, model: str, folder: Path, threads: int, k: int
) -> Searches:
    """Load what each tool saved and search it.

    Args:
        systems: The tools that have built.
        collection: Passages, queries and answers.
        model: The encoder's folder.
        folder: As given to `build_all`.
        threads: Threads of each.
        k: Passages to a query.
    """
    found = Searches()
    for system in track(systems, "searches"):
        try:
            found.rows.append(_one(system, collection, model=model, folder=folder, threads=threads, k=k))
        except WorkerError as error:
            found.missing[system.name] = f"failed: {error}"
    return found


def _one(system: System, collection: Collection, *, model: str, folder: Path, threads: int, k: int) -> Row:
    queries = list(collection.queries.values())
    with system.worker(threads=threads) as worker:
        worker.call(
            "start",
            model=model,
            threads=threads,
            passages=str(folder / "few.jsonl"),
            folder=str(folder / f"{place_of(system.name)}-search"),
            **system.settings,
        )
        load = worker.call("open", folder=str(folder / place_of(system.name)))
        ranks = worker.call("ranks", queries=queries, k=_DEPTH)
        times = worker.call("latency", queries=queries, k=k, vectors=str(folder / "vectors.npy"))
        many = worker.call("many", queries=queries, k=k)
    return search_row(system.name, collection, ranks, times) | {
        "queries/s at once": len(queries) / many["wall"],
        "load s": load["wall"],
    }


def search_row(
    name: str, collection: Collection, ranks: Sequence[Sequence[str]], times: dict[str, list[float]]
) -> Row:
    """Return a tool's row.

    Args:
        name: The tool.
        collection: Whose answers count.
        ranks: Of each query, in the collection's order: the ids of ranked passages.
        times: Of each query: milliseconds of ``total``, ``encoder``, ``faiss`` and ``search``.
    """
    scores = [
        ndcg(ranked_documents(ranked), collection.relevance[query], 10)
        for query, ranked in zip(collection.queries, ranks, strict=True)
    ]
    of = {part: np.asarray(values) for part, values in times.items()}
    total = of["total"]
    return {
        "tool": name,
        "nDCG@10": statistics.mean(scores),
        "total p50": float(np.percentile(total, 50)),
        "total p95": float(np.percentile(total, 95)),
        "encoder p50": float(np.percentile(of["encoder"], 50)),
        "FAISS p50": float(np.percentile(of["faiss"], 50)),
        "above p50": float(np.percentile(total - of["encoder"] - of["faiss"], 50)),
        "above p95": float(np.percentile(total - of["encoder"] - of["faiss"], 95)),
        "search above FAISS p50": float(np.percentile(of["search"] - of["faiss"], 50)),
        "search above FAISS p95": float(np.percentile(of["search"] - of["faiss"], 95)),
    }

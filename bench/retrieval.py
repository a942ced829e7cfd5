"""Retrieval quality through the kit's own index: words, vectors, both, reranked, adapted.

    python bench/retrieval.py --data DIR                   # a table for each collection in DIR
    python bench/retrieval.py --data DIR --json            # one JSON object on stdout
    python bench/retrieval.py --data DIR --chunked         # also cut into chunks, as by default
    python bench/retrieval.py --data DIR --reranker MODEL  # a cross-encoder, by folder or hub id
    python bench/retrieval.py --data DIR --adapted RUNS    # runs of `adapt-retriever`: RUNS/<collection>

DIR holds collections in BEIR's layout. Documents are indexed whole (title and text as one chunk), as the
reference figures had them; vectors are searched exactly. The weight of ``hybrid`` is chosen by five-fold
cross-validation: each query is scored under the weight that was best on the other folds, so that nothing
is tested on what it was tuned on. ``hybrid_rrf`` has nothing to tune. ``adapted`` is the encoder
that a run trained, also where the run's gate refused it, which the note says. A method that could not be
run is null in the JSON, and the report says why. Intervals are 95% bootstrap intervals over queries.

Embedding takes minutes on two cores; vectors are kept in --work. Tables go to stdout and, for all
collections, to ``bench/results/retrieval-<date>.json`` and ``.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from debias_parts.reporting import machine
from gpu_parts.common import SEED, Row, Table
from retrieval_parts.adapting import adapted_encoder, adapted_less_dense, adapted_scores
from retrieval_parts.data import REFERENCES, Collection, collections_in, read_collection
from retrieval_parts.indexing import chunked_index, whole_index
from retrieval_parts.methods import Scores, by_name, convex_out_of_fold, measure
from tuning_parts.data import Remembering

from hinterland.core.files import write_json, write_text
from hinterland.core.models import cache_dir
from hinterland.core.stats import bootstrap_mean, paired_difference
from hinterland.indexes.embed import EmbedConfig, Embedder, SentenceEmbedder
from hinterland.indexes.search import Index
from hinterland.indexes.search_config import RerankConfig, SearchConfig

RESULTS = Path(__file__).parent / "results"
#: What a report says besides the scores.
Said = dict[str, Any]
#: What the best combination is to reach on SciFact.
TARGET = 0.72


def methods(
    index: Index, collection: Collection, given: argparse.Namespace
) -> tuple[dict[str, Scores | None], Said]:
    """Return the scores of each method, and what is to be said about them."""
    found: dict[str, Scores | None] = {
        "bm25": measure(index, collection, SearchConfig(mode="bm25")),
        "dense": measure(index, collection, SearchConfig()),
        "hybrid_rrf": measure(index, collection, SearchConfig(mode="hybrid")),
    }
    found["hybrid"], weights = convex_out_of_fold(index, collection, seed=SEED)
    said: Said = {"hybrid_weights": weights}
    found["hybrid_rerank"] = None
    if given.reranker:
        rerank = RerankConfig(model=given.reranker)
        found["hybrid_rerank"], _ = convex_out_of_fold(index, collection, seed=SEED, rerank=rerank)
    else:
        said["hybrid_rerank"] = "not run: no cross-encoder at hand"
    found["adapted"] = None
    return found, said


def adapted(collection: Collection, dense: Scores, given: argparse.Namespace) -> tuple[Scores | None, Said]:
    """Return the scores of vectors by the collection's adapted encoder, and what is to be said of it."""
    folder = None if given.adapted is None else given.adapted / collection.name
    if folder is None or not folder.is_dir():
        return None, {"adapted": "not run: no adapted encoder was given"}
    encoder = adapted_encoder(folder, given.work)
    scores = adapted_scores(collection, encoder, given.work)
    gain = adapted_less_dense(dense, scores)
    beside = f"less dense {signed(gain)}, p = {gain['p']:.4f}"
    note = f"{encoder.note}; {beside}" if encoder.note else beside
    return scores, {"adapted": note, "adapted_less_dense": gain, "adapted_gate": encoder.gate}


def measured(
    collection: Collection, index: Index, given: argparse.Namespace, *, whole: bool
) -> dict[str, Any]:
    """Return all figures of a collection."""
    found, said = methods(index, collection, given)
    dense = found["dense"]
    if whole and dense:
        found["adapted"], more = adapted(collection, dense, given)
        said |= more
    else:
        said["adapted"] = "not run on chunks"
    hybrid, sides = found["hybrid"], [found["bm25"], found["dense"]]
    gains = [
        asdict(paired_difference(side.ndcg, hybrid.ndcg, seed=SEED)) for side in sides if side and hybrid
    ]
    return {
        "documents": len(collection.ids),
        "chunks": len(index),
        "queries": len(collection.queries),
        "ndcg@10": by_name(found, "ndcg"),
        "recall@10": by_name(found, "recall"),
        "intervals": {
            name: None
            if scores is None
            else {
                "ndcg@10": asdict(bootstrap_mean(scores.ndcg, seed=SEED)),
                "recall@10": asdict(bootstrap_mean(scores.recall, seed=SEED)),
            }
            for name, scores in found.items()
        },
        "hybrid_less_bm25": gains[0],
        "hybrid_less_dense": gains[1],
        "reference": REFERENCES.get(collection.name, {}) if whole else {},
        **said,
    }


def table_of(title: str, sets: dict[str, dict[str, Any]]) -> Table:
    """Return a table with a row for each collection and method."""
    table = Table(title)
    for name, found in sets.items():
        table.notes.append(
            f"{name}: {found['documents']:,} documents as {found['chunks']:,} chunks, {found['queries']} "
            f"queries; weight of vectors by fold {', '.join(map(str, found['hybrid_weights']))}; hybrid less "
            f"bm25 {signed(found['hybrid_less_bm25'])}, less dense {signed(found['hybrid_less_dense'])}."
        )
        for method, value in found["ndcg@10"].items():
            table.rows.append(row_of(name, method, value, found))
    return table


def signed(gain: dict[str, float]) -> str:
    """Return a difference with its interval as text."""
    return f"{gain['estimate']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})"


def row_of(name: str, method: str, value: float | None, found: dict[str, Any]) -> Row:
    """Return a line of the table."""
    row: Row = {"set": name, "method": method, "nDCG@10": None, "95%": "", "recall@10": None, "95% ": ""}
    row |= {"reference": found["reference"].get(method), "note": found.get(method, "")}
    if value is not None:
        both = found["intervals"][method]
        row |= {"nDCG@10": round(value, 4), "recall@10": round(found["recall@10"][method], 4)}
        row |= {"95%": spanned(both["ndcg@10"]), "95% ": spanned(both["recall@10"])}
    return row


def spanned(value: dict[str, float]) -> str:
    """Return an interval as text."""
    return f"{value['low']:.3f} to {value['high']:.3f}"


def parsed() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder of collections in BEIR's layout")
    parser.add_argument("--sets", nargs="+", help="only these collections")
    parser.add_argument("--work", type=Path, help="where vectors and indexes are kept (by default the cache)")
    parser.add_argument("--chunked", action="store_true", help="also cut documents into chunks")
    parser.add_argument("--reranker", help="a cross-encoder: a folder or a hub id")
    parser.add_argument("--adapted", type=Path, help="a folder with a run for each collection")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--out", type=Path, help="folder to save to (for all collections: bench/results)")
    given = parser.parse_args()
    given.work = given.work or cache_dir() / "bench" / "retrieval"
    given.work.mkdir(parents=True, exist_ok=True)
    return given


def main() -> int:
    """Measure every collection; return 1 if a reference figure was missed by more than .005."""
    given = parsed()
    names = given.sets or collections_in(given.data)
    if not names:
        print(f"no collection in {given.data}", file=sys.stderr)
        return 2
    embedder: Embedder = Remembering(SentenceEmbedder(EmbedConfig()))
    tables, sets, chunked = [], {}, {}
    for name in names:
        collection = read_collection(given.data / name)
        sets[name] = measured(collection, whole_index(collection, given.work, embedder), given, whole=True)
        if given.chunked:
            index = chunked_index(collection, given.work, embedder)
            chunked[name] = measured(collection, index, given, whole=False)
    tables.append(table_of("Documents whole", sets))
    if chunked:
        tables.append(table_of("Documents as chunks of 128 tokens, ranked by their best", chunked))
    missed = [
        f"{name} {method}: {found['ndcg@10'][method]:.4f} for {value}"
        for name, found in sets.items()
        for method, value in found["reference"].items()
        if abs(found["ndcg@10"][method] - value) > 0.005
    ]
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "seed": SEED,
        "machine": machine(),
        "encoder": embedder.describe(),
        "target_on_scifact": TARGET,
        "sets": sets,
        "chunked": chunked,
        "references_missed": missed,
    }
    text = "\n".join(
        [f"# Retrieval measurements, {result['date']}", "", result["machine"]["cpu"], ""]
        + [table.markdown() for table in tables]
        + ["All references are reproduced within .005." if not missed else f"Missed: {'; '.join(missed)}", ""]
    )
    out = given.out or (RESULTS if not given.sets else None)
    if out:
        write_json(out / f"retrieval-{result['date']}.json", result)
        write_text(out / f"retrieval-{result['date']}.md", text)
    print(json.dumps(result, indent=2) if given.json else text)
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())

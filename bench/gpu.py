"""What a GPU gives: embedding, index building and training, against the CPU of the same machine.

    python bench/gpu.py                      # all parts; needs an NVIDIA GPU
    python bench/gpu.py --parts train resume
    python bench/gpu.py --scale 0.001        # tries the script at a small size, on a CPU too
    python -m pytest -m gpu                  # the tests that need a GPU

A part whose package or hardware is missing is skipped, with the reason. Tables go to stdout
(``--json``: one JSON object) and, at full scale, to ``bench/results/gpu-<date>.json`` and ``.md``
after every part, so that a run that is cut off leaves what it has measured.

Timings are of the wall clock with the device synchronised. Vectors are synthetic, so that five
million of them need no download: see `gpu_parts.vectors.Mixture` for how they are drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from gpu_parts.building import indexing
from gpu_parts.ceilings import ceilings
from gpu_parts.common import SEED, SMALL, Row, SkippedError, Table, one_line, release
from gpu_parts.embedding import embedding
from gpu_parts.resuming import resuming
from gpu_parts.training import adaptation

from hinterland.core.errors import HinterlandError
from hinterland.core.files import write_json, write_text
from hinterland.core.imports import require_faiss
from hinterland.core.progress import track
from hinterland.core.run import package_versions

RESULTS = Path(__file__).parent / "results"
PARTS: dict[str, Callable[[float], Iterator[Table]]] = {
    "ceilings": ceilings,
    "embed": embedding,
    "train": adaptation,
    "resume": resuming,
    "index": indexing,
}


def machine() -> Row:
    """Return the devices' names and the packages' versions."""
    import torch

    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    found: Row = {
        "gpu": torch.cuda.get_device_name(0) if torch.cuda.is_available() else None,
        "cuda": torch.version.cuda,
        "cpu": f"{cpu or 'unknown CPU'}, {os.cpu_count()} threads",
        "packages": package_versions(),
    }
    try:
        faiss = require_faiss()
        found["packages"]["faiss"] = f"{faiss.__version__} ({faiss.get_compile_options().strip()})"
    except (HinterlandError, ImportError):
        found["packages"]["faiss"] = "missing"
    return found


def measure(name: str, scale: float, tables: list[Table]) -> str | None:
    """Run one part and append its tables; return why there are none or fewer, if so."""
    import torch

    if not torch.cuda.is_available() and scale >= SMALL:
        return "skipped: no NVIDIA GPU here; --scale 0.001 tries it on the CPU"
    try:
        tables.extend(PARTS[name](scale))
    except SkippedError as error:
        return f"skipped: {error}"
    except (HinterlandError, RuntimeError, OSError, MemoryError) as error:  # the other parts still run
        return f"failed: {type(error).__name__}: {one_line(error)}"
    finally:
        release()
    return None


def result_of(scale: float, tables: Sequence[Table], missing: dict[str, str]) -> Row:
    """Return all there is to save."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "scale": scale,
        "seed": SEED,
        "machine": machine(),
        "tables": [asdict(table) for table in tables],
        "missing": missing,
    }


def report(result: Row, tables: Sequence[Table]) -> str:
    """Return the results as Markdown."""
    about = result["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in about["packages"].items())
    lines = [
        f"# GPU measurements, {result['date']}",
        "",
        f"{about['gpu'] or 'No GPU'}; {about['cpu']}; scale {result['scale']}; {versions}.",
        "",
        *(table.markdown() for table in tables),
        *(f"- {name} {reason}" for name, reason in result["missing"].items()),
    ]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Run the parts that were asked for; return 1 if one failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full sizes")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--out", type=Path, help="folder to save to (at full scale: bench/results)")
    given = parser.parse_args()
    if not 0 < given.scale <= 1:
        parser.error("--scale must be above 0 and at most 1")
    out = given.out or (RESULTS if given.scale == 1 else None)
    tables: list[Table] = []
    missing: dict[str, str] = {}
    for name in track(given.parts, "parts"):
        reason = measure(name, given.scale, tables)
        if reason:
            missing[name] = reason
        if out and tables:
            result = result_of(given.scale, tables, missing)
            write_json(out / f"gpu-{result['date']}.json", result)
            write_text(out / f"gpu-{result['date']}.md", report(result, tables))
    result = result_of(given.scale, tables, missing)
    print(json.dumps(result, indent=2) if given.json else report(result, tables))
    return int(any(reason.startswith("failed") for reason in missing.values()))


if __name__ == "__main__":
    sys.exit(main())

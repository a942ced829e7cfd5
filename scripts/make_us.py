"""Bake core/data/us_states.csv and core/data/us_zip_prefixes.csv.

Run once, by hand, in an environment of its own:

    pip install us==4.0.0 zipcodes==3.0.0 statsmodels pandas
    npm pack vega-datasets@3.2.1 && tar xf vega-datasets-3.2.1.tgz
    python scripts/make_us.py package/data/population_engineers_hurricanes.csv

Names, AP abbreviations and FIPS codes: the package us (BSD-3-Clause). Share of people in urbanised areas
(2010), in poverty and with a high-school diploma (2009): statsmodels' statecrime, from the
Statistical Abstract of the United States and the American Community Survey (public domain).
Population (1 July 2016): Census Bureau estimates, as vega-datasets carries them (US government
work). ZIP prefixes: the package zipcodes (MIT). Regions and divisions are the Census Bureau's.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "core" / "data"
DIVISIONS = {
    ("Northeast", "New England"): "CT ME MA NH RI VT",
    ("Northeast", "Middle Atlantic"): "NJ NY PA",
    ("Midwest", "East North Central"): "IL IN MI OH WI",
    ("Midwest", "West North Central"): "IA KS MN MO NE ND SD",
    ("South", "South Atlantic"): "DE DC FL GA MD NC SC VA WV",
    ("South", "East South Central"): "AL KY MS TN",
    ("South", "West South Central"): "AR LA OK TX",
    ("West", "Mountain"): "AZ CO ID MT NV NM UT WY",
    ("West", "Pacific"): "AK CA HI OR WA",
}
#: Territories and freely associated states that the US Postal Service delivers to.
OUTSIDE = {
    "AS": ("American Samoa", "ASM", "60"), "FM": ("Micronesia", "FSM", "64"), "GU": ("Guam", "GUM", "66"),
    "MH": ("Marshall Islands", "MHL", "68"), "MP": ("Northern Mariana Islands", "MNP", "69"),
    "PR": ("Puerto Rico", "PRI", "72"), "PW": ("Palau", "PLW", "70"), "VI": ("U.S. Virgin Islands", "VIR",
    "78"),
}  # fmt: skip


def states(population_file: Path) -> list[dict[str, Any]]:
    """Return a row for each state, the district, and what lies outside."""
    import us
    from statsmodels.datasets import statecrime

    with population_file.open(encoding="utf-8") as handle:
        population = {row["state"]: int(row["population"]) for row in csv.DictReader(handle)}
    crime = statecrime.load_pandas().data.rename(index=lambda name: name.strip())
    where = {code: both for both, codes in DIVISIONS.items() for code in codes.split()}
    rows: list[dict[str, Any]] = []
    for state in sorted({*us.STATES, us.states.DC}, key=lambda each: each.abbr):
        figures = crime.loc[state.name]
        rows.append(
            {
                "code": state.abbr, "name": state.name, "ap": state.ap_abbr, "fips": state.fips,
                "iso3": "USA",
                "region": where[state.abbr][0], "division": where[state.abbr][1],
                "population": population.get(state.name, ""),
                "population_year": 2016 if state.name in population else "",
                "urban_share": round(float(figures["urban"]), 2), "urban_share_year": 2010,
                "poverty_share": round(float(figures["poverty"]), 2), "poverty_share_year": 2009,
                "high_school_share": round(float(figures["hs_grad"]), 2), "high_school_share_year": 2009,
            }
        )  # fmt: skip
    rows += [
        {"code": code, "name": name, "fips": fips, "iso3": iso3}
        for code, (name, iso3, fips) in OUTSIDE.items()
    ]
    return rows


def prefixes() -> list[tuple[str, str]]:
    """Return the state of each three-digit prefix, and of the ZIP codes that differ from it."""
    import zipcodes

    found: dict[str, dict[str, str]] = defaultdict(dict)
    for entry in zipcodes.list_all():
        found[entry["zip_code"][:3]][entry["zip_code"]] = entry["state"]
    rows = []
    for prefix, codes in found.items():
        main = Counter(codes.values()).most_common(1)[0][0]
        rows.append((prefix, main))
        rows += [(code, state) for code, state in codes.items() if state != main]
    return sorted(rows)


def main() -> None:
    """Write both tables."""
    rows = states(Path(sys.argv[1]))
    with (DATA / "us_states.csv").open("w", encoding="utf-8", newline="") as handle:
        states_out = csv.DictWriter(handle, list(rows[0]), restval="", lineterminator="\n")
        states_out.writeheader()
        states_out.writerows(rows)
    with (DATA / "us_zip_prefixes.csv").open("w", encoding="utf-8", newline="") as handle:
        out = csv.writer(handle, lineterminator="\n")
        out.writerow(["prefix", "state"])
        out.writerows(prefixes())


if __name__ == "__main__":
    main()

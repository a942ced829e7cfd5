"""From the names of groupings to groupings: places, figures of countries, columns, dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from hinterland.core.errors import CorpusError, nearest
from hinterland.core.us_states import FIGURES, SOURCES, by_code, state_code
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.groups import (
    Grouping,
    by_place,
    column_grouping,
    place_groupings,
    thirds,
    year_grouping,
)
from hinterland.curate.audit.settings import AUTO

__all__ = ["NAMES", "groupings_of_table", "merged", "state_codes"]

#: The shipped figures that "auto" groups by: income, urbanity, and who is on the internet.
_FIGURES = ("gdp_per_head", "urban_share", "internet_share")
_PLACES = ("region", "subregion", "country")
_STATES = ("us_state", "us_region")
#: Groupings that are no column of the documents.
NAMES = (*_PLACES, *_STATES, *(f"us_{name}" for name in FIGURES), "year")


def merged(shipped: Covariates, own: Covariates | None) -> Covariates:
    """Return the shipped covariates with the user's own, which win where names are the same."""
    if own is None:
        return shipped
    return Covariates(
        {**shipped.figures, **own.figures},
        f"{own.source}; {shipped.source}",
        own.years,
        own.skipped,
        own.ignored,
        {
            **{name: of for name, of in shipped.column_years.items() if name not in own.figures},
            **own.column_years,
        },
        {name: shipped.source_of(name) for name in shipped.figures}
        | {name: own.source_of(name) for name in own.figures},
    )


def groupings_of_table(
    table: pa.Table,
    names: Sequence[str],
    *,
    shipped: Covariates,
    own: Covariates | None = None,
) -> dict[str, Grouping]:
    """Return groupings by name, in the order of the names.

    Args:
        table: Documents; ``country`` holds ISO 3166-1 alpha-3 codes.
        names: See `AuditSettings.groups`.
        shipped: The figures that come with the kit.
        own: The user's figures; each becomes a grouping, named or not.

    Raises:
        CorpusError: A name is neither a place, a figure, nor a column of words.
    """
    figures = merged(shipped, own)
    wanted = _expand(table, names) + [name for name in (own.columns if own else ()) if name not in names]
    rows = table.num_rows
    country = table["country"] if "country" in table.column_names else pa.nulls(rows, pa.string())
    made: dict[str, Grouping] = {}
    for name in dict.fromkeys(wanted):
        if name in _PLACES or name in figures.columns:
            covariates = own if own is not None and name in own.columns else figures
            made |= place_groupings(country, [name], covariates=covariates)
        elif name in _STATES:
            made[name] = _of_state(table, name)
        elif name.removeprefix("us_") in FIGURES and name.startswith("us_"):
            made[name] = _by_state_figure(table, name)
        elif name == "year":
            column = "date" if "date" in table.column_names or "year" not in table.column_names else "year"
            made[name] = year_grouping(_column(table, column, name))
        else:
            made[name] = column_grouping(_column(table, name, name, figures), name)
    return made


def _expand(table: pa.Table, names: Sequence[str]) -> list[str]:
    """Return the names with "auto" written out."""
    found: list[str] = []
    for name in names:
        if name != AUTO:
            found.append(name)
            continue
        found += ["region", "subregion", *_FIGURES]
        found += [each for each, column in (("lang", "lang"), ("year", "date")) if _varies(table, column)]
    return found


def state_codes(table: pa.Table) -> pa.Array:
    """Return the post's two letters of each document's state, null outside the United States."""
    if not {"country", "admin1"} <= set(table.column_names):
        return pa.nulls(table.num_rows, pa.string())
    encoded = table["admin1"].cast(pa.string()).combine_chunks().dictionary_encode()
    letters = pa.array([state_code(name) for name in encoded.dictionary.to_pylist()], pa.string())
    inside = pc.equal(table["country"].cast(pa.string()).combine_chunks(), "USA")
    return pc.if_else(pc.fill_null(inside, False), letters.take(encoded.indices), None)


def _of_state(table: pa.Table, name: str) -> Grouping:
    """Group documents by state, or by the Census Bureau's region; elsewhere is unknown."""
    _column(table, "admin1", name)  # refuses a table without it
    labels = {
        code: state.name if name == "us_state" else state.region
        for code, state in by_code().items()
        if state.region
    }
    note = "Groups are the states of the United States." if name == "us_state" else (
        "Groups are the Census Bureau's regions of the United States."
    )  # fmt: skip
    made = by_place(state_codes(table), labels, name=name, note=note, phrase="about {}")
    return replace(made, of_country={})  # these are no countries: no population is summed for them


def _by_state_figure(table: pa.Table, name: str) -> Grouping:
    """Group documents by thirds of a figure of their state; elsewhere is unknown."""
    _column(table, "admin1", name)
    column = name.removeprefix("us_")
    states = [state for state in by_code().values() if column in state.figures]
    figures = Covariates(
        {column: {state.code: state.figures[column] for state in states}},
        SOURCES[column],
        {state.code: state.years[column] for state in states},
    )
    made = thirds(figures, column, state_codes(table))
    note, phrase = made.note.replace(" countries", " states"), made.phrase.replace("places", "US states")
    return replace(made, name=name, note=note, phrase=phrase, of_country={})


def _varies(table: pa.Table, column: str) -> bool:
    """Whether documents differ in a column."""
    return column in table.column_names and bool(pc.count_distinct(table[column].drop_null()).as_py() > 1)


def _column(table: pa.Table, column: str, name: str, figures: Covariates | None = None) -> pa.ChunkedArray:
    if column not in table.column_names:
        known = [*NAMES, *(figures.columns if figures else ()), *table.column_names]
        raise CorpusError(f"no grouping {name!r}", where="groups", cure=nearest(name, known))
    return table[column]

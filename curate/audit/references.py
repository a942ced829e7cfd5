"""What a corpus is compared with: people, people on the internet, or shares from a file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from hinterland.core.errors import CorpusError, nearest
from hinterland.core.places import UNKNOWN
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.figure_rows import figure_rows
from hinterland.curate.audit.groups import Grouping, readable_name
from hinterland.curate.geo.countries import country_code

__all__ = ["Kind", "Reference", "place_reference", "read_reference", "refers_to"]

Kind: TypeAlias = Literal["population", "internet users"]

POPULATION, INTERNET = "population", "internet_share"
_LABEL_COLUMNS = ("label", "group")
_COUNTRY_COLUMNS = ("iso3", "country")
_CURE = "give a CSV or Parquet file with a column of labels (or countries) and a column of numbers"


@dataclass(frozen=True)
class Reference:
    """What each group's share would be if the corpus were like something else.

    Attributes:
        name: "population", "internet users", or the file's name.
        shares: Group → share; they sum to 1.
        note: Source, year, and what has no figure.
    """

    name: str
    shares: dict[str, float]
    note: str = ""

    @classmethod
    def of(cls, name: str, amounts: Mapping[str, float], note: str = "") -> Reference:
        """Make a reference of amounts of any unit, in the order given.

        Raises:
            CorpusError: An amount is negative or missing, or all are 0.
        """
        for label, amount in amounts.items():
            if not (math.isfinite(amount) and amount >= 0):
                raise CorpusError(
                    f"the reference's amount of {label!r} is {amount:g}",
                    where=name,
                    cure="give every group a number of at least 0",
                )
        total = math.fsum(amounts.values())
        if not (total > 0 and math.isfinite(total)):
            raise CorpusError(
                f"the reference's amounts sum to {total:g}", where=name, cure="give at least one above 0"
            )
        return cls(name, {label: amount / total for label, amount in amounts.items()}, note)


def place_reference(grouping: Grouping, covariates: Covariates, kind: Kind = "population") -> Reference:
    """Return the groups' shares of the world's population or of its internet users.

    Internet users are the population times ``internet_share``, which is read as percent where
    the column has a value above 1. All countries of a group count, with a document or not.

    Args:
        grouping: Made of countries: region, subregion, country, thirds of a figure.
        covariates: With the column ``population``, for internet users ``internet_share`` too.
        kind: Which of the two.

    Raises:
        CorpusError: The grouping is not made of countries, or a column is missing.
    """
    if not grouping.of_country:
        raise CorpusError(
            f"the grouping {grouping.name!r} is not made of countries, so its {kind} is not known",
            where="audit reference",
            cure="give a file with a share for each of its groups",
        )
    amounts, years = dict(covariates.values(POPULATION)), covariates.year_of(POPULATION)
    described = f"Population, {years}" if years else "Population"
    if kind == "internet users":
        online = covariates.values(INTERNET)
        whole = 100.0 if max(online.values(), default=0.0) > 1 else 1.0
        amounts = {code: n * online[code] / whole for code, n in amounts.items() if code in online}
        years = covariates.year_of(INTERNET)
        described = f"{described}, times the share of it that uses the internet" + (
            f", {years}" if years else ""
        )
    summed, without, outside = _by_group(grouping, amounts)
    note = (
        f"{described}, summed over {len(grouping.of_country) - without} countries."
        f" Source: {covariates.source_of(POPULATION)}."
    )
    if without:
        note += f" {without} countries or territories have no figure."
    if outside:
        what = readable_name(grouping.name)
        note += f" {outside} with a figure are left out, because their {what} is not known."
    return Reference.of(kind, summed, note)


def _by_group(grouping: Grouping, amounts: Mapping[str, float]) -> tuple[dict[str, float], int, int]:
    """Return the sum by group, countries of a group without an amount, and the reverse."""
    parts: dict[str, list[float]] = {}
    for code, label in grouping.of_country.items():
        if code in amounts:
            parts.setdefault(label, []).append(amounts[code])
    order = {label: number for number, label in enumerate(grouping.order or grouping.labels)}
    labels = sorted(parts, key=lambda label: (order.get(label, len(order)), label))
    without = sum(code not in amounts for code in grouping.of_country)
    outside = sum(code not in grouping.of_country for code in amounts)
    return {label: math.fsum(parts[label]) for label in labels}, without, outside


def read_reference(
    path: Path, grouping: Grouping, *, column: str | None = None, name: str | None = None
) -> Reference:
    """Read shares or amounts of any unit from a file.

    The labels stand in a column called like the grouping, ``label`` or ``group``. Where the
    grouping is made of countries, a column ``iso3`` or ``country`` does too, with codes or names
    in any usual form, and amounts are summed by group.

    Args:
        path: CSV or Parquet.
        grouping: What the corpus is grouped by.
        column: The column with the numbers; the only other one by default.
        name: What the reference is called; the file's name by default.

    Raises:
        CorpusError: The file cannot be read, has no such columns, a label occurs twice, an
            amount is negative or missing, all are 0, or no label is one of the groups.
    """
    rows = figure_rows(path, "the reference", cure=_CURE)
    key = _key(rows, grouping)
    if key is None:
        raise CorpusError(
            f"no column {grouping.name!r} and none of {', '.join(_LABEL_COLUMNS)}" if rows else "no rows",
            where=str(path),
            cure=_CURE,
        )
    number = _number_column(rows, key, column, path)
    amounts: dict[str, float] = {}
    for line, row in enumerate(rows, 2 if path.suffix.lower() == ".csv" else 1):
        where = f"{path}, {'line' if path.suffix.lower() == '.csv' else 'row'} {line}"
        label = str(row[key] if row[key] is not None else "").strip()
        if not label:
            raise CorpusError("a row without a label", where=where, cure="name its group, or take it out")
        if key in _COUNTRY_COLUMNS and grouping.of_country:
            label = country_code(label).iso3 or label
        if label in amounts:
            raise CorpusError(f"{label!r} occurs twice", where=where, cure="leave one row for each group")
        amounts[label] = _amount(row[number], where=where)
    called = name or path.stem
    note = f"{readable_name(number)} of {path.name}."
    if key in _COUNTRY_COLUMNS and grouping.of_country:
        return _from_countries(amounts, grouping, called, note, path)
    if amounts.pop(UNKNOWN, None) is not None:
        note += " Its row for what is unknown was left out."
    return Reference.of(called, amounts, note + _check_labels(amounts, grouping, path))


def refers_to(path: Path, grouping: Grouping) -> bool:
    """Whether a file has shares for a grouping: of several groupings it may speak of one alone.

    It does if a column is called like the grouping, if one called ``label`` or ``group`` has a
    group's label, or if it has ``iso3`` or ``country`` and the grouping is made of countries.

    Raises:
        CorpusError: The file cannot be read.
    """
    rows = figure_rows(path, "the reference", cure=_CURE)
    key = _key(rows, grouping)
    if key is None or key in (grouping.name, *_COUNTRY_COLUMNS):
        return key is not None
    groups = _groups(grouping)
    return any(str(row[key]).strip() in groups for row in rows)


def _key(rows: list[dict[str, Any]], grouping: Grouping) -> str | None:
    """Return the column with the labels, if there is one."""
    columns = list(rows[0]) if rows else []
    names = (grouping.name, *_LABEL_COLUMNS, *(_COUNTRY_COLUMNS if grouping.of_country else ()))
    return next((each for each in names if each in columns), None)


def _groups(grouping: Grouping) -> set[str]:
    """Return all groups that there are or could be, also those that are shown together."""
    small = [] if grouping.others is None else grouping.others.to_pylist()
    return {*grouping.labels, *grouping.of_country.values(), *grouping.order, *small} - {grouping.unknown}


def _from_countries(
    amounts: dict[str, float], grouping: Grouping, name: str, note: str, path: Path
) -> Reference:
    strange = sorted(set(amounts) - set(grouping.of_country))
    if len(strange) == len(amounts):
        raise CorpusError(
            f"nothing in the reference is a country of the grouping {grouping.name!r}; {strange[0]!r} is one",
            where=str(path),
            cure="use ISO 3166-1 codes or names of countries",
        )
    summed, _, _ = _by_group(grouping, amounts)
    if strange:
        shown = ", ".join(strange[:10]) + (" …" if len(strange) > 10 else "")
        note += f" {len(strange)} of its rows are of no country in a group and were left out: {shown}."
    return Reference.of(name, summed, note)


def _check_labels(amounts: Mapping[str, float], grouping: Grouping, path: Path) -> str:
    """Return a note on labels that are no group of the corpus; all of them is an error."""
    groups = _groups(grouping)
    strange = [label for label in amounts if label not in groups]
    if len(strange) == len(amounts):
        raise CorpusError(
            f"no label of the reference is a group of {grouping.name!r}; {strange[0]!r} is one"
            if strange
            else "the reference has no group",
            where=str(path),
            cure=nearest(strange[0], groups) if strange else _CURE,
        )
    if not strange:
        return ""
    shown = ", ".join(strange[:10]) + (" …" if len(strange) > 10 else "")
    return f" Groups of the reference that the corpus has no document of: {shown}."


def _number_column(rows: list[dict[str, Any]], key: str, column: str | None, path: Path) -> str:
    """Return the column with the numbers."""
    others = [each for each in rows[0] if each not in (key, "year")]
    if column is not None:
        if column not in rows[0]:
            raise CorpusError(f"no column {column!r}", where=str(path), cure=nearest(column, others))
        return column
    numeric = [each for each in others if any(_is_number(row[each]) for row in rows)]
    if len(numeric) != 1:
        raise CorpusError(
            f"{len(numeric)} columns of numbers: {', '.join(numeric)}" if numeric else "no column of numbers",
            where=str(path),
            cure="say which column holds the reference" if numeric else _CURE,
        )
    return numeric[0]


def _is_number(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _amount(value: Any, *, where: str) -> float:
    if not _is_number(value):
        found = "an empty cell" if value is None or str(value).strip() == "" else f"{str(value)!r}"
        raise CorpusError(
            f"{found} where a number is needed", where=where, cure="write a number of at least 0"
        )
    if float(value) < 0:
        raise CorpusError(
            f"a negative amount, {float(value):g}", where=where, cure="write a number of at least 0"
        )
    return float(value)

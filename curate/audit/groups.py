"""Groupings of documents: by place (region, country, thirds of a figure), column and date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hinterland.core.errors import CorpusError, nearest
from hinterland.core.places import UNKNOWN, by_iso3, region_of, subregion_of
from hinterland.core.svg import number_text
from hinterland.curate.audit.covariates import Covariates

__all__ = [
    "MOST_LABELS",
    "Grouping",
    "by_place",
    "column_grouping",
    "encode",
    "place_groupings",
    "readable_name",
    "thirds",
    "year_grouping",
]

Column: TypeAlias = Iterable[Any] | pa.ChunkedArray | pa.Array
#: A column with more values than this is shown by its largest ones; the rest are one group.
MOST_LABELS = 50
#: The groupings that need nothing but the country.
_BY_COUNTRY = ("region", "subregion", "country")


@dataclass(frozen=True)
class Grouping:
    """A label for every document, and how to speak of it.

    Attributes:
        name: "region", or the covariate's column.
        codes: Index into ``labels`` for every document, shape (documents,).
        labels: The groups, in the order they are shown in; `UNKNOWN` is one of them
            where a document has none.
        note: How the groups were made (cut points, year).
        phrase: How a sentence names a document of a group; ``{}`` is the label.
        unknown: The label of documents without a group.
        of_country: Where the groups are made of countries, the label of every country, by
            ISO 3166-1 alpha-3 code, whether it has a document or not.
        others: Where the last known label stands for many small groups, their names.
        order: All labels that there could be, in order, where that is not the alphabet.
    """

    name: str
    codes: NDArray[np.int64]
    labels: tuple[str, ...]
    note: str = ""
    phrase: str = "in the group {}"
    unknown: str = field(default=UNKNOWN)
    of_country: Mapping[str, str] = field(default_factory=dict)
    others: pa.Array | None = None
    order: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Grouping:
        """Return the grouping of some documents, with the same labels."""
        return replace(self, codes=self.codes[rows])

    def named(self) -> NDArray[np.str_]:
        """Return the label of every document, shape (documents,)."""
        return np.asarray(self.labels)[self.codes] if self.labels else np.empty(0, dtype=np.str_)


def encode(
    labels: Iterable[Any] | pa.ChunkedArray | pa.Array,
    name: str = "the labels",
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return integer codes and the sorted distinct labels; null and "" become `UNKNOWN`.

    Args:
        labels: One for each document, shape (documents,).
        name: What they are called, for errors.

    Raises:
        CorpusError: They are no words or numbers.
    """
    encoded = _words(labels, name).dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.zeros(max(len(order), 1), dtype=np.int64)
    rank[order] = np.arange(len(order))
    names = tuple(encoded.dictionary.take(pa.array(order)).to_pylist())
    return rank[encoded.indices.to_numpy(zero_copy_only=False)], names


def _last_unknown(labels: Iterable[str]) -> tuple[str, ...]:
    """Return sorted labels with `UNKNOWN` at the end."""
    return tuple(sorted(set(labels), key=lambda label: (label == UNKNOWN, label)))


#: Words of column names that are written in capitals.
_SHORT = ("gdp", "us", "uk", "un", "url")


def readable_name(column: str) -> str:
    """Return a grouping's or column's name for people.

    >>> readable_name("gdp_per_head")
    'GDP per head'
    """
    return " ".join(word.upper() if word in _SHORT else word for word in column.split("_"))


def by_place(
    countries: Iterable[str | None] | NDArray[np.str_] | pa.ChunkedArray | pa.Array,
    group_of: Mapping[str, str],
    *,
    name: str,
    labels: Sequence[str] = (),
    note: str = "",
    phrase: str = "in the group {}",
) -> Grouping:
    """Group documents by a label of their country; a country without one is `UNKNOWN`.

    Args:
        countries: ISO 3166-1 alpha-3 codes or null, shape (documents,).
        group_of: The label of each country, also of those without a document: a reference
            such as the population is summed over them.
        name: The grouping's name.
        labels: Order of the labels; alphabetical by default. Labels without a document go.
        note: How the groups were made.
        phrase: How a sentence names a document of a group.
    """
    codes, found = encode(countries)
    of_country = [group_of.get(code, UNKNOWN) for code in found]
    present = set(of_country)
    ordered = tuple(label for label in labels if label in present) or _last_unknown(present)
    ordered += tuple(label for label in _last_unknown(present) if label not in ordered)
    position = {label: number for number, label in enumerate(ordered)}
    table = np.array([position[label] for label in of_country] or [0], dtype=np.int64)
    known = {country: label for country, label in group_of.items() if label != UNKNOWN}
    return Grouping(name, table[codes], ordered, note, phrase, of_country=known, order=tuple(labels))


def place_groupings(
    countries: Iterable[str | None] | pa.ChunkedArray | pa.Array,
    names: Sequence[str] = ("region", "subregion"),
    *,
    covariates: Covariates | None = None,
) -> dict[str, Grouping]:
    """Return groupings by name: "region", "subregion" (UN M49), "country", or a covariate's column.

    Raises:
        CorpusError: A name is neither, or a covariate has too few countries for thirds.
    """
    codes = countries if isinstance(countries, pa.Array | pa.ChunkedArray) else list(countries)
    made: dict[str, Grouping] = {}
    for name in names:
        if name == "country":
            places = {place.iso3: place.name for place in by_iso3().values()}
            made[name] = by_place(
                codes,
                places,
                name=name,
                note="Groups are the countries and territories of ISO 3166-1.",
                phrase="about {}",
            )
        elif name in _BY_COUNTRY:
            rule = region_of if name == "region" else subregion_of
            made[name] = by_place(
                codes,
                {country: rule(country) for country in by_iso3()},
                name=name,
                note=f"Groups are the {name}s of the UN M49 standard.",
                phrase="about {}",
            )
        elif covariates is not None and name in covariates.columns:
            made[name] = thirds(covariates, name, codes)
        else:
            known = [*_BY_COUNTRY, *(covariates.columns if covariates else ())]
            raise CorpusError(f"no grouping {name!r}", where="audit groups", cure=nearest(name, known))
    return made


def thirds(
    covariates: Covariates,
    column: str,
    countries: Iterable[str | None] | NDArray[np.str_] | pa.ChunkedArray | pa.Array,
) -> Grouping:
    """Group documents by the third of all countries in which their country's figure lies.

    The cut points are terciles over the countries of the table, each counted once, so
    they depend neither on the documents nor on how many a country has.

    Raises:
        CorpusError: The column is missing or fewer than three countries have a value.
    """
    values = covariates.values(column)
    if len(values) < 3:
        raise CorpusError(
            f"{column!r} has values for {'1 country' if len(values) == 1 else f'{len(values)} countries'};"
            " thirds need at least 3",
            where=covariates.source_of(column),
            cure="choose another column",
        )
    low, high = (float(cut) for cut in np.quantile(list(values.values()), [1 / 3, 2 / 3]))
    readable = readable_name(column)
    labels = (
        f"lowest third (below {number_text(low)})",
        f"middle third ({number_text(low)} to {number_text(high)})",
        f"highest third ({number_text(high)} and above)",
    )
    group_of = {code: labels[int(value >= low) + int(value >= high)] for code, value in values.items()}
    year = f", {covariates.year_of(column)}" if covariates.year_of(column) else ""
    note = (
        f"Thirds of {readable} over {len(values)} countries{year}, each counted once:"
        f" below {number_text(low)}, to {number_text(high)}, and above."
        f" Source: {covariates.source_of(column)}."
    )
    return by_place(
        countries,
        group_of,
        name=column,
        labels=labels,
        note=note,
        phrase=f"about places in the {{}} of {readable}",
    )


def column_grouping(values: Column, name: str, *, most: int = MOST_LABELS) -> Grouping:
    """Group documents by a column's values, in the order of the alphabet.

    Of more than ``most`` values the largest stay, and the rest are one group.

    Args:
        values: One for each document; null and "" are `UNKNOWN`, shape (documents,).
        name: The column's name.
        most: How many groups are shown.

    Raises:
        CorpusError: The column holds lists or other values that are not words or numbers.
    """
    encoded = _words(values, name).dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    found: pa.Array = encoded.dictionary
    documents = np.bincount(codes, minlength=len(found))
    is_unknown = pc.equal(found, UNKNOWN).to_numpy(zero_copy_only=False)
    alphabet = pc.sort_indices(found).to_numpy()
    alphabet = alphabet[~is_unknown[alphabet]]
    kept, rest = alphabet, alphabet[:0]
    if len(alphabet) > most:
        largest = np.zeros(len(found), dtype=bool)
        largest[alphabet[np.argsort(-documents[alphabet], kind="stable")[:most]]] = True
        kept, rest = alphabet[largest[alphabet]], alphabet[~largest[alphabet]]
    table = np.zeros(len(found), dtype=np.int64)
    table[kept] = np.arange(len(kept))
    labels, note = found.take(pa.array(kept)).to_pylist(), f"Groups are the values of the column {name!r}."
    if len(rest):
        table[rest] = len(labels)
        labels.append(f"other ({len(rest):,} groups)")
        note += f" The {most} with most documents are shown; {len(rest):,} smaller ones are one group."
    if is_unknown.any():
        table[is_unknown] = len(labels)
        labels.append(UNKNOWN)
    phrase = f"whose {readable_name(name)} is {{}}" if not set("{}") & set(name) else "in the group {}"
    others = found.take(pa.array(rest)) if len(rest) else None
    return Grouping(name, table[codes], tuple(labels), note, phrase, others=others)


def year_grouping(
    dates: Column, name: str = "year", *, by: Literal["year", "decade"] | None = None
) -> Grouping:
    """Group documents by the year or decade of ISO 8601 dates.

    What does not begin with a year of four digits is `UNKNOWN`, and the note says how many do not.

    Args:
        dates: "2019-05-01", "2019-05", "2019", a time stamp or null, shape (documents,).
        name: The grouping's name.
        by: Years, or decades; by default years where there are at most `MOST_LABELS` of them.
    """
    words = _words(dates, name)
    dated = pc.match_substring_regex(words, r"^\d{4}($|[-T/ ])")
    years = pc.if_else(dated, pc.utf8_slice_codeunits(words, 0, 4), UNKNOWN)
    many = pc.count_distinct(years).as_py() > MOST_LABELS
    decades = by == "decade" or (by is None and many)
    if decades:
        start = pc.binary_join_element_wise(pc.utf8_slice_codeunits(years, 0, 3), "0s", "")
        years = pc.if_else(dated, start, UNKNOWN)
    wrong = len(words) - pc.sum(dated).as_py() - pc.sum(pc.equal(words, UNKNOWN)).as_py() if len(words) else 0
    made = column_grouping(years, name)
    note = f"Groups are the {'decades' if decades else 'years'} of the documents' dates."
    if wrong:
        note += f" {wrong:,} dates do not begin with a year of four digits."
    phrase = "from the {}" if decades else "from {}"
    return replace(made, note=note + made.note.partition(".")[2], phrase=phrase)


def _words(values: Column, name: str) -> pa.Array:
    """Return a column as words; null, NaN and "" become `UNKNOWN`."""
    try:
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        array = values if isinstance(values, pa.Array) else pa.array(values, from_pandas=True)
        if pa.types.is_floating(array.type):
            array = pc.if_else(pc.is_nan(array), None, array)
        array = array.cast(pa.string())
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise CorpusError(
            f"the values of {name!r} are no words or numbers: {' '.join(str(error).split())}",
            where="audit groups",
            cure="choose a column of words, numbers or dates",
        ) from error
    array = array.fill_null(UNKNOWN)
    return pc.if_else(pc.equal(array, ""), UNKNOWN, array)

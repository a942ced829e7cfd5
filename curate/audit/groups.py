"""Groupings of documents by place: UN region, subregion, and thirds of a country's figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.core.errors import CorpusError, nearest
from hinterland.core.places import UNKNOWN, region_of, subregion_of
from hinterland.core.svg import number_text
from hinterland.curate.audit.covariates import Covariates

__all__ = ["Grouping", "by_place", "encode", "place_groupings", "readable_name", "thirds"]


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
    """

    name: str
    codes: NDArray[np.int64]
    labels: tuple[str, ...]
    note: str = ""
    phrase: str = "in the group {}"
    unknown: str = field(default=UNKNOWN)

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Grouping:
        """Return the grouping of some documents, with the same labels."""
        return Grouping(self.name, self.codes[rows], self.labels, self.note, self.phrase, self.unknown)

    def named(self) -> NDArray[np.str_]:
        """Return the label of every document, shape (documents,)."""
        return np.asarray(self.labels)[self.codes] if self.labels else np.empty(0, dtype=np.str_)


def encode(
    labels: Iterable[str | None] | NDArray[np.str_] | pa.ChunkedArray | pa.Array,
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return integer codes and the sorted distinct labels; null and "" become `UNKNOWN`.

    Args:
        labels: One for each document, shape (documents,).
    """
    if isinstance(labels, pa.ChunkedArray):
        labels = labels.combine_chunks()
    array = labels if isinstance(labels, pa.Array) else pa.array(labels, type=pa.string(), from_pandas=True)
    encoded = array.cast(pa.string()).fill_null(UNKNOWN).dictionary_encode()
    found = [label or UNKNOWN for label in encoded.dictionary.to_pylist()]
    names = tuple(sorted(set(found)))
    position = {name: number for number, name in enumerate(names)}
    order = np.array([position[name] for name in found] or [0], dtype=np.int64)
    return order[encoded.indices.to_numpy(zero_copy_only=False)], names


def _last_unknown(labels: Iterable[str]) -> tuple[str, ...]:
    """Return sorted labels with `UNKNOWN` at the end."""
    return tuple(sorted(set(labels), key=lambda label: (label == UNKNOWN, label)))


def readable_name(column: str) -> str:
    """Return a grouping's or column's name for people.

    >>> readable_name("gdp_per_head")
    'GDP per head'
    """
    return " ".join("GDP" if word == "gdp" else word for word in column.split("_"))


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
        group_of: The label of each country.
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
    return Grouping(name, table[codes], ordered, note, phrase)


def place_groupings(
    countries: Iterable[str | None] | pa.ChunkedArray | pa.Array,
    names: Sequence[str] = ("region", "subregion"),
    *,
    covariates: Covariates | None = None,
) -> dict[str, Grouping]:
    """Return groupings by name: "region", "subregion" (UN M49), or a covariate's column.

    Raises:
        CorpusError: A name is neither, or a covariate has too few countries for thirds.
    """
    codes = countries if isinstance(countries, pa.Array | pa.ChunkedArray) else list(countries)
    _, found = encode(codes)
    made: dict[str, Grouping] = {}
    for name in names:
        if name in ("region", "subregion"):
            rule = region_of if name == "region" else subregion_of
            made[name] = by_place(
                codes,
                {c: rule(c) for c in found},
                name=name,
                note=f"Groups are the {name}s of the UN M49 standard.",
                phrase="about {}",
            )
        elif covariates is not None and name in covariates.columns:
            made[name] = thirds(covariates, name, codes)
        else:
            known = ["region", "subregion", *(covariates.columns if covariates else ())]
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
            f"{len(values)} countries have a value in {column!r}; thirds need at least 3",
            where=covariates.source,
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
        f" below {number_text(low)}, to {number_text(high)}, and above. Source: {covariates.source}."
    )
    return by_place(
        countries,
        group_of,
        name=column,
        labels=labels,
        note=note,
        phrase=f"about places in the {{}} of {readable}",
    )

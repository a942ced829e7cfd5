"""Which column of a source holds what: by the config's mapping, else by the usual names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hinterland.core.record import BASE_SCHEMA

__all__ = ["ALIASES", "NESTS", "Place", "find_columns"]

#: The usual names, best first; capitals, hyphens and spaces do not matter.
ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("id", "doc_id", "docid", "document_id", "uuid", "guid", "_id"),
    "text": (
        *("text", "content", "raw_content", "body", "document", "page_content", "full_text"),
        *("article", "article_text", "markdown", "passage"),
    ),
    "source": ("source", "source_name", "dataset", "publisher", "outlet"),
    "url": ("url", "uri", "link", "source_url", "page_url", "target_uri", "warc_target_uri"),
    "date": (
        *("date", "created", "created_at", "timestamp", "published", "published_at", "publication_date"),
        *("pub_date", "datetime", "date_download", "crawl_date", "warc_date"),
    ),
    "license": ("license", "licence", "rights"),
    "lang": ("lang", "language", "language_code", "lang_code"),
    "country": (
        *("country", "iso3", "iso_3", "iso_a3", "country_iso3", "country_code", "country_code_alpha3"),
        *("iso2", "iso_a2", "country_iso2", "country_name", "nation"),
    ),
    "admin1": ("admin1", "province", "state"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "lng", "long", "longitude"),
    "geo_from": ("geo_from",),
    "geo_confidence": ("geo_confidence",),
}

#: Columns that hold further columns: dolma's and datatrove's ``metadata``, and ours.
NESTS = ("metadata", "meta")
_NOT_NESTED = {"id", "text", "geo_from", "geo_confidence"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is: a column, or keys inside one."""

    column: str
    inside: tuple[str, ...] = ()


def find_columns(
    names: Sequence[str], nested: Mapping[str, Iterable[str]], mapping: Mapping[str, str]
) -> dict[str, tuple[Place, ...]]:
    """Return the places of each column of the record schema, best first.

    In each row the first value that is not null counts.

    Args:
        names: The source's columns.
        nested: The keys inside its columns ``metadata`` and ``meta``.
        mapping: What the config says; a field that stands in it is not looked for elsewhere.

    >>> find_columns(["Body", "Meta"], {}, {})["text"]
    (Place(column='Body', inside=()),)
    """
    inside = tuple((nest, tuple(sorted(keys))) for nest, keys in nested.items())
    return dict(_find(tuple(sorted(names)), inside, tuple(sorted(mapping.items()))))


@lru_cache(maxsize=1024)
def _find(
    names: tuple[str, ...],
    nested: tuple[tuple[str, tuple[str, ...]], ...],
    mapping: tuple[tuple[str, str], ...],
) -> tuple[tuple[str, tuple[Place, ...]], ...]:
    given = dict(mapping)
    found = []
    for field in BASE_SCHEMA.names:
        if field == "meta":
            continue
        if field in given:
            places = _mapped(given[field], names)
        else:
            places = [Place(name) for name in _matching(names, ALIASES[field])]
            if field not in _NOT_NESTED:
                places += [
                    Place(nest, (key,)) for nest, keys in nested for key in _matching(keys, ALIASES[field])
                ]
        found.append((field, tuple(places)))
    return tuple(found)


def _mapped(path: str, names: tuple[str, ...]) -> list[Place]:
    if path in names or "." not in path:
        return [Place(path)] if path in names else []
    column, *inside = path.split(".")
    return [Place(column, tuple(inside))] if column in names else []


def _matching(names: tuple[str, ...], wanted: tuple[str, ...]) -> list[str]:
    """Return the names that are wanted, in the order in which they are wanted."""
    plain: dict[str, list[str]] = {}
    for name in names:
        key = name.strip().lower().replace("-", "_").replace(" ", "_")
        plain.setdefault(key, []).append(name)
    return [
        name for key in wanted for name in sorted(plain.get(key, []), key=lambda name: (name != key, name))
    ]

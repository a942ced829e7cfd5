"""The country of a web address, by its domain.

Only the end of the host name counts: "de" in de.wikipedia.org is a language, and "/uk/" in a path
may be an edition for readers there. What each domain says stands in `domains`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hinterland.core.us_states import by_code, state_code
from hinterland.curate.geo.domains import domains

__all__ = ["UrlPlace", "UrlPlaces", "host_of", "host_place", "hosts_of", "url_place", "url_places"]

#: How sure a country is by the kind of domain. A page of a country's public body is nearly always
#: about it or from it; universities of other countries have .edu addresses too.
_PUBLIC, _COUNTRY, _REGIONAL, _DOUBTFUL = 0.95, 0.9, 0.85, 0.6
_AMERICAN = {"gov": 0.9, "mil": 0.9, "us": 0.9, "edu": 0.75}

_WITH_PROVINCES = {"au", "ca"}

_ARCHIVE = r"^(?:https?://)?web\.archive\.org/(?:web|save)/(?:[0-9a-z_*]+/)?"
_HOST = (
    r"^\s*(?:(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*):)?/+(?:[^/?#@\\\s]*@)?)?"
    r"(?P<host>[^/?#:@\\\s\[\]]+)(?P<after>:[^\d/?#]|[@\s]|)"
)
_WEB = frozenset({"", "http", "https", "ftp", "ws", "wss"})
_IP = re.compile(r"[0-9.]+|0x[0-9a-f]+")
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
#: Endings of file names that are domains too: "notes.md" is a file.
_FILES = frozenset({"cc", "md", "ml", "ps", "py", "sh", "so"})


@dataclass(frozen=True, slots=True)
class UrlPlace:
    """What a host says.

    Attributes:
        iso3: ISO 3166-1 alpha-3, or null.
        admin1: The first-level division, for the domains of some.
        confidence: 0 to 1.
        why: "" with a country, else "generic", "international" or "bad".
    """

    iso3: str | None
    admin1: str | None = None
    confidence: float = 0.0
    why: str = ""


@dataclass(frozen=True)
class UrlPlaces:
    """What many addresses say, all of shape (rows,); null and 0 where they say nothing."""

    iso3: NDArray[np.object_]
    admin1: NDArray[np.object_]
    confidence: NDArray[np.float64]
    counts: Counter[str]


def hosts_of(urls: pa.Array) -> pa.Array:
    """Return the host of each address in small letters, "" where there is none; null stays null."""
    bare = pc.replace_substring_regex(urls, _ARCHIVE, "")
    found = pc.extract_regex(bare, _HOST)
    host = pc.utf8_lower(pc.struct_field(found, "host"))
    scheme = pc.utf8_lower(pc.struct_field(found, "scheme"))
    web = pc.is_in(scheme, pa.array(sorted(_WEB)))
    bare_name = pc.and_(pc.equal(scheme, ""), pc.equal(pc.utf8_trim_whitespace(pc.utf8_lower(urls)), host))
    ending = pc.extract_regex(host, r"^[^.]+\.(?P<ending>[^.]+)$")
    file = pc.and_(
        bare_name, pc.fill_null(pc.is_in(pc.struct_field(ending, "ending"), pa.array(sorted(_FILES))), False)
    )
    whole = pc.equal(pc.struct_field(found, "after"), "")  # no e-mail address and no words after it
    good = pc.fill_null(pc.and_(pc.and_(web, whole), pc.invert(file)), False)
    return pc.if_else(pc.is_null(urls), None, pc.if_else(good, pc.fill_null(host, ""), ""))


def host_of(url: str) -> str:
    """Return the host of an address, or "".

    >>> host_of("HTTPS://user@WWW.Example.co.uk:8080/de/"), host_of("mailto:me@example.de")
    ('www.example.co.uk', '')
    """
    return str(hosts_of(pa.array([url]))[0].as_py())


def host_place(host: str) -> UrlPlace:  # noqa: PLR0911 - one rule after the other
    """Return what a host name says.

    >>> host_place("www.bbc.co.uk").iso3, host_place("openai.ai").iso3, host_place("dane.gov.co").iso3
    ('GBR', None, 'COL')
    """
    name = host.strip(".")
    if "xn--" in name:
        name = ".".join(_decoded(label) for label in name.split("."))
    if not _NAME.fullmatch(name) or _IP.fullmatch(name):
        return UrlPlace(None, why="bad")
    labels = name.split(".")
    top, second, known = labels[-1], labels[-2], domains()
    # The code in a blogspot address was the reader's country, not the writer's.
    if "blogspot" in labels[-3:-1] or f"{second}.{top}" in known.international:
        return UrlPlace(None, why="international")
    if top in _AMERICAN:
        return _american(labels)
    if top in known.regional:
        return UrlPlace(known.regional[top], confidence=_REGIONAL)
    for size in (2, 3) if top in _WITH_PROVINCES else ():
        province = known.province.get(".".join(labels[-size:])) if len(labels) > size else None
        if province:
            return UrlPlace(*province, confidence=_PUBLIC)
    public = second in known.public and len(labels) > 2
    if top not in known.country or (top in known.generic and not public):
        return UrlPlace(None, why="generic")
    sure = _PUBLIC if public else _DOUBTFUL if top in known.doubtful else _COUNTRY
    return UrlPlace(known.country[top], confidence=sure)


def _american(labels: list[str]) -> UrlPlace:
    """Return the United States, with the state of ca.gov, texas.gov and k12.ca.us."""
    top, second = labels[-1], labels[-2]
    sure = _AMERICAN[top]
    state = None
    if top == "us" and len(labels) > 2 and len(second) == 2:
        state = state_code(second)
    elif top == "gov" and second != "va":  # Veterans Affairs; Virginia is virginia.gov
        state = state_code(second) if second.isalpha() else None
    place = by_code().get(state or "")
    if place is None:
        return UrlPlace("USA", confidence=sure)
    return UrlPlace(place.iso3, place.name if place.iso3 == "USA" else None, _PUBLIC)


def _decoded(label: str) -> str:
    """Return a label's letters where it is Punycode."""
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return ""


def url_place(url: str) -> UrlPlace:
    """Return what an address or a host says of a country."""
    return host_place(host_of(url))


def url_places(urls: pa.Array) -> UrlPlaces:
    """Return what many addresses say; each distinct host is looked at once.

    Args:
        urls: Strings, shape (rows,).
    """
    encoded = hosts_of(urls.cast(pa.string())).dictionary_encode()
    found = [host_place(host) for host in encoded.dictionary.to_pylist()]
    found.append(UrlPlace(None))  # null
    indices = encoded.indices.cast(pa.int64()).fill_null(len(found) - 1).to_numpy(zero_copy_only=False)
    rows = np.bincount(indices, minlength=len(found))
    counts: Counter[str] = Counter()
    for place, count in zip(found[:-1], rows.tolist(), strict=False):
        counts[place.why or "country"] += count
    return UrlPlaces(
        np.array([place.iso3 for place in found], dtype=object)[indices],
        np.array([place.admin1 for place in found], dtype=object)[indices],
        np.array([place.confidence for place in found], dtype=np.float64)[indices],
        +counts,
    )

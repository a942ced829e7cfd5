"""Questions derived from the Factbook's structured facts, each with its gold document.

Questions are asked about held-out places only. Their documents are never trained on, so
an adapted model can have learnt the manner of the domain, but none of these answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hinterland.core import seeds
from hinterland.core.places import region_of, subregion_of
from hinterland.demo.factbook import Entry, plain_text
from hinterland.eval.task import Question

__all__ = ["FACTS", "Fact", "hold_out", "questions"]

_PARENTHESIS = re.compile(r"\s*\([^)]*\)")
_CODE = re.compile(r"\(([A-Z]{3})\)")
_HEIGHT = re.compile(r"\s+-?[\d,.]+\s*m\b.*$")


@dataclass(frozen=True, slots=True)
class Fact:
    """A kind of fact: where it stands, how it is asked, how its answers are read.

    Attributes:
        name: The relation, for the breakdown.
        section: The section whose document is gold.
        path: The field inside the section.
        template: The question, with ``{place}``.
        answers: Turns the field's text into the accepted answers; none if unusable.
    """

    name: str
    section: str
    path: tuple[str, ...]
    template: str
    answers: Callable[[str], tuple[str, ...]]


def _first(text: str) -> str:
    """Return the text up to the first semicolon, comma or note, without parentheses."""
    return re.split(r"[;,]| - |note:", _PARENTHESIS.sub("", text))[0].strip(" .")


def _capital(text: str) -> tuple[str, ...]:
    name = _first(text)
    return (name,) if name and name.lower() not in ("none", "na") else ()


def _languages(text: str) -> tuple[str, ...]:
    """Return the languages marked official: "English (official), Kiswahili (official)"."""
    found = []
    for part in re.split(r"[,;]", text):
        if "(official" in part:
            words = _first(part.partition("(")[0])
            if words and len(words.split()) <= 3 and not any(char.isdigit() for char in words):
                found.append(words)
    return tuple(found)


def _currency(text: str) -> tuple[str, ...]:
    """Return a currency's name and code: "Kenyan shillings (KES) per US dollar -"."""
    name = _first(text.partition(" per ")[0])
    if not name or name.lower() == "dollar" or len(name.split()) > 5:
        return ()
    code = _CODE.search(text)
    singular = name[:-1] if name.endswith("s") else name
    return tuple(dict.fromkeys([name, singular, *([code.group(1)] if code else [])]))


def _summit(text: str) -> tuple[str, ...]:
    """Return a summit's name without its height: "Mount Kenya 5,199 m"."""
    match = _HEIGHT.search(text)
    full = text[: match.start()].strip(" .,") if match else ""
    name = _PARENTHESIS.sub("", full).strip(" .,")
    named = (
        name and not name[0].isdigit() and not re.search(r"unnamed|location|elevation", name, re.IGNORECASE)
    )
    return tuple(dict.fromkeys([name, full])) if named and len(name.split()) <= 5 else ()


def _nationality(text: str) -> tuple[str, ...]:
    name = _first(text)
    return (name,) if name and name.lower() not in ("none", "na") and len(name.split()) <= 3 else ()


def _domain(text: str) -> tuple[str, ...]:
    match = re.match(r"\.[a-z]{2,3}\b", text)
    return (match.group(),) if match else ()


FACTS = (
    Fact("capital", "Government", ("Capital", "name"), "What is the capital of {place}?", _capital),
    Fact(
        "official language",
        "People and Society",
        ("Languages", "Languages"),
        "What is an official language of {place}?",
        _languages,
    ),
    Fact(
        "currency", "Economy", ("Exchange rates", "Currency"), "What currency is used in {place}?", _currency
    ),
    Fact(
        "highest point",
        "Geography",
        ("Elevation", "highest point"),
        "What is the highest point of {place}?",
        _summit,
    ),
    Fact(
        "adjective",
        "People and Society",
        ("Nationality", "adjective"),
        "What adjective is used for people or things from {place}?",
        _nationality,
    ),
    Fact(
        "internet domain",
        "Communications",
        ("Internet country code",),
        "What is the internet country code of {place}?",
        _domain,
    ),
)


def _field(data: Mapping[str, Any], path: Sequence[str]) -> str:
    here: Any = data
    for part in path:
        here = here.get(part) if isinstance(here, dict) else None
    return plain_text(here["text"]) if isinstance(here, dict) and isinstance(here.get("text"), str) else ""


def hold_out(entries: Iterable[Entry], *, share: float, seed: int) -> list[str]:
    """Return the countries whose documents are kept from training, a share of each region.

    Args:
        entries: All places.
        share: Of the countries in each UN region, at least one.
        seed: Decides which.

    Returns:
        ISO alpha-3 codes, sorted.
    """
    by_region: dict[str, set[str]] = {}
    for entry in entries:
        if entry.country:
            by_region.setdefault(region_of(entry.country), set()).add(entry.country)
    chosen: list[str] = []
    for region, codes in sorted(by_region.items()):
        order = seeds.generator(seed, "hold-out", region).permutation(sorted(codes))
        chosen += [str(code) for code in order[: max(1, round(share * len(codes)))]]
    return sorted(chosen)


def questions(
    entries: Iterable[Entry],
    *,
    countries: Iterable[str],
    document_ids: Mapping[tuple[str, str], str],
    texts: Mapping[str, str],
) -> list[Question]:
    """Return every question that can be asked about ``countries``.

    Args:
        entries: All places.
        countries: The held-out countries.
        document_ids: (file code, section) → the id of its document in the full corpus.
            A fact whose section has no document is not asked.
        texts: Document id → text. A fact that its document does not state is not asked.

    Returns:
        Questions in a stable order, with groups ``relation``, ``region``, ``subregion``,
        ``country``.
    """
    wanted = set(countries)
    result = []
    for entry in entries:
        if entry.country not in wanted:
            continue
        for fact in FACTS:
            gold = document_ids.get((entry.code, fact.section))
            answers = fact.answers(_field(entry.data.get(fact.section, {}), fact.path))
            if gold is None or not any(answer in texts[gold] for answer in answers):
                continue
            result.append(
                Question(
                    id=f"{entry.code}-{fact.name.replace(' ', '-')}",
                    question=fact.template.format(place=entry.name),
                    answers=answers,
                    gold_documents=(gold,),
                    groups={
                        "relation": fact.name,
                        "region": region_of(entry.country),
                        "subregion": subregion_of(entry.country),
                        "country": str(entry.country),
                    },
                )
            )
    return result

"""What is compared: the kit, the most populous candidate, and two published packages."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from curation_parts.peers import Peer

from geoparsing_parts.data import Article
from hinterland.core.places import by_iso3
from hinterland.curate.geo.lexicon import lexicon
from hinterland.curate.geo.names import normalise
from hinterland.curate.geo.text import place_texts
from hinterland.curate.geo.toponyms import find_toponyms, resolve

__all__ = ["FLASHGEOTEXT", "GEOTEXT", "Found", "System", "kit", "packaged", "populous"]

GEOTEXT = Peer("geotext", "0.4.0", "peer_geotext.py", ())
FLASHGEOTEXT = Peer("flashgeotext", "0.5.5", "peer_flashgeotext.py", ())
_PATIENCE = 600

Span = tuple[int, int]


@dataclass(frozen=True)
class Found:
    """A place name that a system found.

    Attributes:
        start: Its first character.
        end: One after its last.
        country: ISO 3166-1 alpha-3, None where the system has none.
        confidence: What the system says of it, NaN where it says nothing.
        demonym: Whether it is known to be one, which GeoVirus does not mark.
    """

    start: int
    end: int
    country: str | None
    confidence: float = float("nan")
    demonym: bool = False


@dataclass
class System:
    """One system's answers, a list of each for the articles.

    Attributes:
        name: What it is called in tables.
        found: Names it found.
        resolved: Its country for each marked name.
        main: Its country for the article, and how sure it is (NaN where it does not say).
    """

    name: str
    found: list[list[Found]]
    resolved: list[list[str | None]]
    main: list[tuple[str | None, float]]


def _golds(article: Article) -> list[Span]:
    return [(gold.start, gold.end) for gold in article.golds]


def kit(articles: Sequence[Article]) -> System:
    """Return what the kit says."""
    found = [
        [
            Found(each.start, each.end, each.country, each.confidence, each.kind == "demonym")
            for each in find_toponyms(article.text)
        ]
        for article in articles
    ]
    placed = place_texts([article.text for article in articles])
    main = [(place.country, place.confidence) if place else (None, 0.0) for place in placed]
    resolved = [resolve(article.text, _golds(article)) for article in articles]
    return System("hinterland", found, resolved, main)


def most_populous(name: str) -> str | None:
    """Return the country of the most populous entity of a name, countries among them."""
    key = normalise(name)
    known = lexicon().find(key) or lexicon().find(key.removeprefix("the "))
    if known is None:
        return None
    return max(known.meanings, key=lambda meaning: meaning.people).iso3 or None


def populous(articles: Sequence[Article], ours: System) -> System:
    """Return the baseline: the kit's spans, each the most populous of its name in the same gazetteer."""
    found = [
        [
            Found(
                each.start, each.end, most_populous(article.text[each.start : each.end]), demonym=each.demonym
            )
            for each in spans
        ]
        for article, spans in zip(articles, ours.found, strict=True)
    ]
    resolved = [
        [most_populous(article.text[start:end]) for start, end in _golds(article)] for article in articles
    ]
    return System("most populous", found, resolved, [_frequent(each) for each in found])


def _frequent(found: Sequence[Found]) -> tuple[str | None, float]:
    """Return the most frequent country, the earliest of ties."""
    counts = Counter(each.country for each in found if each.country)
    return (counts.most_common(1)[0][0] if counts else None), float("nan")


def packaged(articles: Sequence[Article], peer: Peer, folder: Path) -> System:
    """Return what a package says; it is installed if it is missing.

    Raises:
        SkippedError: It cannot be installed.
    """
    python = peer.python(folder)
    texts = [article.text for article in articles]
    golds = [article.text[start:end] for article in articles for start, end in _golds(article)]
    program = Path(__file__).with_name(peer.program)
    answer = subprocess.run(
        [str(python), str(program)],
        input=json.dumps([*texts, *golds]),
        capture_output=True,
        text=True,
        check=True,
        timeout=_PATIENCE,
    )
    spans = json.loads(answer.stdout)
    country = _country_of(peer)
    found = [
        [Found(start, end, country(value)) for start, end, value in each] for each in spans[: len(texts)]
    ]
    alone = iter(spans[len(texts) :])
    resolved = []
    for article in articles:
        own = [next(alone) for _ in article.golds]
        resolved.append([country(each[0][2]) if each else None for each in own])
    return System(f"{peer.name} {peer.version}", found, resolved, [_frequent(each) for each in found])


def _country_of(peer: Peer) -> Callable[[str], str | None]:
    """Return how the package's answer is read as a country."""
    if peer is GEOTEXT:
        codes = {place.iso2: place.iso3 for place in by_iso3().values()}
        return codes.get
    return most_populous

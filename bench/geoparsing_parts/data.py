"""The two corpora of news with place names marked by people, and which half of them was looked at."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np

from hinterland.curate.geo.gazetteer import load
from hinterland.curate.geo.lexicon import lexicon
from hinterland.curate.geo.names import normalise

__all__ = ["Article", "Gold", "read_geovirus", "read_trnews"]

#: A point from which the nearest place is further lies in the sea, a desert or a continent's middle.
FAR_KM = 150.0
#: Pages on what no country holds alone.
WATER = re.compile(r"\b(?:Sea|Ocean|Gulf|Strait|Channel|Mediterranean|Atlantic|Pacific)\b")
#: A point is ambiguous if a place of another country is less than so many times as far as the nearest.
TIMES = 1.5


@dataclass(frozen=True)
class Gold:
    """A place name that people marked.

    Attributes:
        start: Its first character.
        end: One after its last.
        country: ISO 3166-1 alpha-3; None where it has none or none was given.
        ambiguous: Whether the country follows from coordinates that are near a border or far from all.
    """

    start: int
    end: int
    country: str | None
    ambiguous: bool = False


@dataclass
class Article:
    """An article, or for GeoVirus the part of one that was marked."""

    source: str
    text: str
    golds: list[Gold] = field(default_factory=list)
    lost: int = 0  # names that do not stand in the text

    @property
    def held_out(self) -> bool:
        """Whether it was not looked at while weights were set: half of the sources, by hash."""
        return hashlib.sha256(self.source.encode()).digest()[0] % 2 == 1

    def main_country(self) -> str | None:
        """Return the most frequent country among the marked names, the earliest of ties; None without any.

        Lucy et al. 2024 define the place of a page so.
        """
        countries = [gold.country for gold in sorted(self.golds, key=lambda gold: gold.start) if gold.country]
        return Counter(countries).most_common(1)[0][0] if countries else None


def _parse(path: Path) -> ElementTree.Element:
    with gzip.open(path) as handle:
        return ElementTree.fromstring(handle.read())


def _country(name: str) -> str | None:
    found = lexicon().find(normalise(name))
    known = [m.iso3 for m in found.meanings if m.kind == "country"] if found else []
    return known[0] if known else None


def read_trnews(path: Path) -> list[Article]:
    """Return the articles of TR-News; countries are those of the GeoNames entries that people chose.

    Some offsets are off by as many characters as were once cut from an article; such a name is taken
    where it stands nearest to its offset.
    """
    articles = []
    for element in _parse(path):
        article = Article(_text(element, "url"), element.findtext("text") or "")
        for each in element.iter("toponym"):
            phrase = _text(each, "phrase")
            start = _found(article.text, phrase, int(_text(each, "start")))
            if start is None:
                article.lost += 1
                continue
            country = _country(_text(each, "gaztag/country"))
            if country is None and each.find("gaztag/country") is not None:
                point = float(_text(each, "gaztag/lat")), float(_text(each, "gaztag/lon"))
                country = load().nearest([point[0]], [point[1]]).iso3[0]
            article.golds.append(Gold(start, start + len(phrase), country))
        articles.append(article)
    return articles


def _found(text: str, phrase: str, offset: int) -> int | None:
    """Return where a phrase stands nearest to an offset."""
    starts = [match.start() for match in re.finditer(re.escape(phrase), text)]
    return min(starts, key=lambda start: abs(start - offset), default=None)


def read_geovirus(path: Path) -> list[Article]:
    """Return the articles of GeoVirus, where people chose a page of Wikipedia with its coordinates.

    A page called as a country is that country, since its point can be anywhere in it; else the
    country is that of the gazetteer's place nearest to the point. Continents, waters, and points
    further than `FAR_KM` from any place have none.
    """
    articles, names = [], []
    points: list[tuple[float, float]] = []
    for element in _parse(path):
        article = Article(_text(element, "source"), element.findtext("text") or "")
        for each in element.iter("location"):
            start = int(_text(each, "start")) - 1
            name = _text(each, "name")
            if not article.text.startswith(name, start):
                article.lost += 1
                continue
            points.append((float(_text(each, "lat")), float(_text(each, "lon"))))
            page = unquote(_text(each, "page").rpartition("/")[2]).replace("_", " ").partition(" (")[0]
            nowhere = each.find("continent") is not None or WATER.search(page) is not None
            names.append((article, start, start + len(name), page, nowhere))
        articles.append(article)
    countries, unsure = _nearest(np.asarray(points))
    for row, country, ambiguous in zip(names, countries, unsure, strict=True):
        article, start, end, page, nowhere = row
        own = _country(page)
        if nowhere:
            gold = Gold(start, end, None)
        elif own is not None:
            gold = Gold(start, end, own)
        else:
            gold = Gold(start, end, country, ambiguous)
        article.golds.append(gold)
    return articles


def _nearest(points: np.ndarray) -> tuple[list[str | None], list[bool]]:
    """Return the country of each point, and whether another one is nearly as near."""
    from scipy.spatial import cKDTree

    gazetteer = load()
    near = gazetteer.nearest(points[:, 0], points[:, 1])
    y, x = np.radians(gazetteer.lat.astype(float)), np.radians(gazetteer.lon.astype(float))
    sphere = np.column_stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)])
    v, u = np.radians(points.T)
    tree = cKDTree(sphere)
    reach = np.maximum(near.km, 1.0) * TIMES / 6371.0
    around = tree.query_ball_point(
        np.column_stack([np.cos(v) * np.cos(u), np.cos(v) * np.sin(u), np.sin(v)]), reach
    )
    countries = [
        str(country) if km <= FAR_KM else None for country, km in zip(near.iso3, near.km, strict=True)
    ]
    unsure = [len({gazetteer.iso3[row] for row in rows}) > 1 for rows in around]
    return countries, unsure


def _text(element: ElementTree.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()

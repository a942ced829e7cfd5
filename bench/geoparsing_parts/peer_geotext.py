"""geotext's cities, countries and nationalities with their countries, run in its own environment.

Reads a JSON list of texts from stdin; writes for each a list of start, end and ISO 3166-1 alpha-2
code. geotext gives names in order, so that each is looked for after the one before.
"""

from __future__ import annotations

import json
import sys

from geotext import GeoText


def found(text: str) -> list[tuple[int, int, str]]:
    """Return spans with the country that geotext counts each as."""
    place = GeoText(text)
    index = GeoText.index
    spans = []
    for names, country in (
        (place.countries, index.countries),
        (place.cities, index.cities),
        (place.nationalities, index.nationalities),
    ):
        at = 0
        for name in names:
            start = text.index(name, at)
            at = start + len(name)
            spans.append((start, at, country[name.lower()]))
    return sorted(spans)


if __name__ == "__main__":
    json.dump([found(text) for text in json.load(sys.stdin)], sys.stdout)

"""flashgeotext's cities and countries, run in its own environment.

Reads a JSON list of texts from stdin; writes for each a list of start, end and the name that the
tool gives the place. It gives no country for a city.
"""

from __future__ import annotations

import json
import sys

from flashgeotext.geotext import GeoText
from loguru import logger

logger.remove()
TOOL = GeoText()


def found(text: str) -> list[tuple[int, int, str]]:
    """Return spans with the tool's name for each."""
    spans = {}
    for kind in ("cities", "countries"):  # a name that is both is a country
        for name, each in TOOL.extract(input_text=text)[kind].items():
            spans.update(dict.fromkeys(each["span_info"], name))
    return sorted((start, end, name) for (start, end), name in spans.items())


if __name__ == "__main__":
    json.dump([found(text) for text in json.load(sys.stdin)], sys.stdout)

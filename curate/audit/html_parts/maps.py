"""The maps: what all filters together keep, by country and by state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hinterland.core.page import figure_html
from hinterland.core.svg import number_text
from hinterland.core.usmap import us_map
from hinterland.core.worldmap import world_map
from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.html_parts.words import joined

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["map_of", "maps", "states_of"]

_CAUTION = (
    " Colours diverge from the share of all {places}. A {place} with few documents varies by chance: what the"
    " data support is said below, by group."
)


def _drawn(places: Mapping[str, tuple[int, float]], middle_label: str) -> dict[str, Any]:
    """Return what a map of shares kept is drawn with."""
    kept, documents = sum(held for _, held in places.values()), sum(number for number, _ in places.values())
    return {
        "values": {code: held / number for code, (number, held) in places.items() if number},
        "unit": "%",
        "low_label": "kept less",
        "high_label": "kept more",
        "middle": kept / documents if documents else None,
        "middle_label": middle_label,
        "details": {
            code: f"{number_text(held)} of {number:,} documents" for code, (number, held) in places.items()
        },
    }


def map_of(audit: Audit, *, standalone: bool = False) -> str:
    """Return the world map of what all filters together keep."""
    drawn = _drawn(audit.countries, "all countries")
    return world_map(title="Share of documents kept, by country", standalone=standalone, **drawn)


def states_of(audit: Audit, *, standalone: bool = False) -> str:
    """Return the map of what all filters together keep in the United States."""
    drawn = _drawn(audit.states, "all states")
    return us_map(title="Share of documents kept, by US state", standalone=standalone, **drawn)


def maps(audit: Audit) -> Markup:
    """Return the maps there is something to show on."""
    parts = []
    if audit.countries:
        caption = "Each country's share of documents kept by all filters together."
        caution = _CAUTION.format(places="countries", place="country")
        parts.append(figure_html(map_of(audit), caption + caution))
    if audit.states:
        caption = "The same for the states of the United States."
        caution = _CAUTION.format(places="states", place="state")
        parts.append(figure_html(states_of(audit), caption + caution))
    return joined(*parts)

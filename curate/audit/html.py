"""An audit as one self-contained page: the finding first, method and limits last."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from hinterland.core.page import fill, page
from hinterland.core.svg import number_text
from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.claims import ALL, headline
from hinterland.curate.audit.html_parts.agreement import agreement
from hinterland.curate.audit.html_parts.attribution import attribution
from hinterland.curate.audit.html_parts.coverage import concentration, coverage_parts
from hinterland.curate.audit.html_parts.curves import curves
from hinterland.curate.audit.html_parts.examples import examples
from hinterland.curate.audit.html_parts.exposure import exposures, measures
from hinterland.curate.audit.html_parts.maps import map_of, maps, states_of
from hinterland.curate.audit.html_parts.method import method
from hinterland.curate.audit.html_parts.placement import placement
from hinterland.curate.audit.html_parts.regression import regression
from hinterland.curate.audit.html_parts.retention import group_chart, retention_parts
from hinterland.curate.audit.render import coverage

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["group_chart", "map_of", "page_of", "sections", "states_of"]

#: Anchor, name in the navigation, heading, what must be there for it, and what writes it.
_PARTS: tuple[tuple[str, str, str, Callable[[Audit], object], Callable[[Audit], Markup]], ...] = (
    ("placed", "Places", "Where documents are from", lambda a: a.placements, placement),
    ("map", "Map", "Map", lambda a: a.countries or a.states, maps),
    ("coverage", "Coverage", "What the corpus holds", lambda a: a.coverage, coverage_parts),
    ("sources", "Sources", "How many sources it rests on", lambda a: a.concentration, concentration),
    ("kept", "Kept", "What is kept of each group", lambda a: a.groupings, retention_parts),
    ("shares", "Filters", "Which filters make a gap", lambda a: a.attribution, attribution),
    ("thresholds", "Thresholds", "What another threshold would keep", lambda a: a.curves, curves),
    ("agreement", "Agreement", "Where filters agree", lambda a: a.agreement, agreement),
    ("examples", "Examples", "Documents to look at", lambda a: a.examples, examples),
    ("regression", "Regression", "Regression on covariates", lambda a: a.regression, regression),
    ("exposure", "Exposure", "Who is retrieved and cited", lambda a: a.exposure, exposures),
    ("measures", "Measures", "How a model does", lambda a: a.measures, measures),
    ("method", "Method", "Method and limits", lambda _: True, method),
)


def sections(audit: Audit) -> list[tuple[str, str, Markup]]:
    """Return (anchor, heading, HTML) for each part after the finding; empty parts are left out."""
    return [(anchor, heading, write(audit)) for anchor, _, heading, has, write in _PARTS if has(audit)]


def page_of(audit: Audit) -> str:
    """Return the page."""
    parts = sections(audit)
    body = fill(
        '<p class="lead">{{ finding }}</p><p>{{ coverage }}</p>{{ facts }}'
        '{% for anchor, heading, html in parts %}<section id="{{ anchor }}"><h2>{{ heading }}</h2>{{ html }}'
        "</section>{% endfor %}",
        finding=headline(audit),
        coverage=coverage(audit),
        facts=_facts(audit),
        parts=parts,
    )
    names = {anchor: name for anchor, name, *_ in _PARTS}
    return page(
        audit.title,
        body,
        nav=[(f"#{anchor}", names[anchor]) for anchor, _, _ in parts],
        style=_data("audit.css"),
        script=_data("audit.js"),
    )


@cache
def _data(name: str) -> str:
    return files("hinterland.curate.audit.html_parts").joinpath(name).read_text(encoding="utf-8")


def _facts(audit: Audit) -> Markup:
    """Return a few figures at a glance."""
    overall = next((by[ALL].overall for by in audit.results.values() if ALL in by), None)
    tested = [claim for claim in audit.claims if claim.filter == ALL]
    facts = [("Documents", f"{audit.documents:,}")]
    if overall is not None and audit.documents:
        facts += [
            ("Documents kept", number_text(overall.retention.estimate, "%")),
            (f"{audit.token_unit.capitalize()} kept", number_text(overall.token_retention.estimate, "%")),
        ]
    if tested:
        supported = sum(claim.supported for claim in tested)
        facts.append(("Groups that differ from all others", f"{supported} of {len(tested)}"))
    if len(audit.filters) > 1:
        facts.append(("Filters", str(len(audit.filters) - 1)))
    return fill(
        '<dl class="facts">{% for name, value in facts %}<div><dt>{{ name }}</dt><dd>{{ value }}</dd></div>'
        "{% endfor %}</dl>",
        facts=facts,
    )

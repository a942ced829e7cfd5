"""How it was worked out and what it cannot say, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hinterland.core.page import fill
from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.render import limits

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["method"]


def method(audit: Audit) -> Markup:
    """Return the list of what the reader must know."""
    lines = limits(audit)
    lines += [words for has, words in _more(audit) if has]
    settings = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in audit.settings.items())
    return fill(
        "<ul>{% for line in lines %}<li>{{ line }}</li>{% endfor %}</ul>"
        "{% if notes %}<h3>Of this audit</h3><ul>{% for line in notes %}<li>{{ line }}</li>{% endfor %}</ul>"
        "{% endif %}{% if settings %}<p class=note>Settings: {{ settings }}.</p>{% endif %}",
        lines=lines,
        notes=list(audit.notes),
        settings=settings,
    )


def _more(audit: Audit) -> list[tuple[bool, str]]:
    """Return what is said only where the part is there."""
    return [
        (
            bool(audit.results),
            "The design effect is the variance of a group's retention over what it would be if its"
            " documents were"
            " independent: with a design effect of 4, a hundred documents say as much as twenty-five.",
        ),
        (
            bool(audit.placements),
            "Where a document is from is worked out by rules that err; a group's figures hold for"
            " documents placed"
            " there, not for all that come from there.",
        ),
        (
            bool(audit.coverage),
            "Representation ratios compare with a reference that has its own errors, and are not corrected"
            " for"
            " the number of groups looked at: of twenty groups without a gap, one will seem to have one.",
        ),
        (
            bool(audit.attribution),
            "A filter's share of a gap says which rule drops the documents, not whether it is right to."
            " The shares"
            " sum to the gap whatever order the filters run in.",
        ),
        (
            bool(audit.curves),
            "The curves and the slider are counts in this corpus without intervals. A threshold chosen"
            " here as best"
            " will do a little worse on other documents.",
        ),
        (
            bool(audit.regression),
            "Regressions describe associations in this corpus. Another choice of covariates gives other"
            " coefficients.",
        ),
        (
            bool(audit.exposure),
            "Exposure holds for these queries; other users ask for other things. Its findings are for each"
            " group by itself, not corrected for their number.",
        ),
        (
            bool(audit.measures),
            "Findings on measures are for each group by itself, not corrected for their number.",
        ),
    ]

"""Documents to look at: kept and dropped, by group and reason. Their text is nobody's to trust."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hinterland.core.page import fill
from hinterland.core.places import by_iso3
from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.html_parts.words import joined, label
from hinterland.curate.audit.parts import Example
from hinterland.curate.audit.render import name_of

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["examples"]

_LONGEST = 700

_GROUP = """\
<details class="examples"{{ " open" if first }}><summary>{{ group }} \
<span class=note>({{ heading }}, {{ kept|length }} kept, {{ dropped|length }} dropped)</span></summary>
<div class="pair">
{% for title, rows in [("Kept", kept), ("Dropped", dropped)] if rows %}
<div><h4>{{ title }}</h4>
{% for row in rows %}
<figure class="example"><blockquote dir="auto">{{ row.text }}</blockquote>
<figcaption>{% if row.reason %}<strong>{{ row.reason }}</strong> · {% endif %}\
{{ row.origin }}</figcaption></figure>
{% endfor %}
</div>
{% endfor %}
</div></details>
"""


def examples(audit: Audit) -> Markup:
    """Return the examples, folded by group."""
    groups: dict[tuple[str, str], list[Example]] = {}
    for each in audit.examples:
        groups.setdefault((each.grouping, each.group), []).append(each)
    intro = fill(
        "<p>{{ words }}</p>",
        words="The beginnings of a few documents, drawn at random with the audit's seed, to be read and not"
        " counted. They are shown as they are, unchecked.",
    )
    parts = [
        fill(
            _GROUP,
            group=label(group),
            heading=f"by {name_of(grouping)}",
            kept=[_shown(each) for each in rows if each.kept],
            dropped=[_shown(each) for each in rows if not each.kept],
            first=number == 0,
        )
        for number, ((grouping, group), rows) in enumerate(groups.items())
    ]
    return joined(intro, *parts)


def _shown(each: Example) -> dict[str, str]:
    text = each.text.strip()
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rstrip() + " …"
    place = by_iso3().get(each.country)
    country = place.name.strip() if place else each.country
    origin = ", ".join(filter(None, [country, each.source, each.id]))
    return {"text": text or "(empty)", "reason": each.reason, "origin": origin}

"""One self-contained HTML page: inline style, no network, light and dark, phone and print.

Everything that is not marked as HTML is escaped by jinja2. A page carries a content
security policy that forbids it to load anything, and to run any script but the kit's own,
which it names by hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from hinterland.core.svg import clean, legible, number_text

if TYPE_CHECKING:
    from jinja2 import Environment, Template
    from markupsafe import Markup

__all__ = ["Cell", "figure_html", "fill", "json_block", "page", "panels_html", "table_html"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell whose words differ from what it sorts by.

    Args:
        words: What is shown.
        sort: What it sorts by; a number makes the cell numeric.
        href: Where it links to.
    """

    words: str
    sort: float | str | None = None
    href: str = ""


Value = str | int | float | None | Cell


@cache
def _environment() -> Environment:
    from jinja2 import Environment, StrictUndefined

    return Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: legible(value) if type(value) is str else value,
    )


@lru_cache(maxsize=256)
def _compiled(template: str) -> Template:
    return _environment().from_string(template)


@cache
def _data(name: str) -> str:
    return files("hinterland.core").joinpath(f"data/{name}").read_text(encoding="utf-8")


def fill(template: str, **values: object) -> Markup:
    """Fill a jinja2 template with autoescape; what is passed as Markup is left as it is.

    Control characters, which HTML forbids, are dropped from plain words.

    Raises:
        jinja2.UndefinedError: The template names a value that is not given.
    """
    from markupsafe import Markup

    return Markup(_compiled(template).render(**values))  # noqa: S704 autoescaped


def page(
    title: str,
    body_html: str,
    *,
    nav: Sequence[tuple[str, str]] = (),
    footer: str = "Made with hinterland.",
    style: str = "",
    script: str = "",
) -> str:
    """Return a whole HTML page.

    Args:
        title: Plain words; the page's title and its first heading.
        body_html: HTML, inserted as it is: build it with `fill`, `table_html`, `figure_html`.
        nav: (address, label) pairs, usually ("#part", "Part").
        footer: Plain words.
        style: Further CSS of the kit's own.
        script: Further JavaScript of the kit's own; it finds its data in `json_block`.
    """
    from markupsafe import Markup

    js = _data("page.js") + script
    return str(
        fill(
            _data("page.html"),
            title=title,
            body=Markup(body_html),  # noqa: S704 the caller's HTML, by contract
            nav=list(nav),
            footer=footer,
            css=Markup(_data("page.css") + style),  # noqa: S704 ships with the kit
            js=Markup(js),  # noqa: S704 ships with the kit
            hashes=Markup(_hash(js)),  # noqa: S704 letters and digits
        )
    )


def _hash(script: str) -> str:
    """Return what a content security policy calls a script by."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def json_block(name: str, value: Any) -> Markup:
    """Return values as a block of data that the page's script reads by its id.

    The block is not run. No word in it can end it: "<", ">" and "&" are written as escapes.

    Args:
        name: Its id: letters, digits and hyphens.
        value: What `json.dumps` takes; numbers must be finite.

    Raises:
        ValueError: A number is not finite.
    """
    from markupsafe import Markup

    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(f'<script type="application/json" id="{clean(name)}">{text}</script>')  # noqa: S704 escaped


def panels_html(label: str, panels: Sequence[tuple[str, str, Markup]]) -> Markup:
    """Return panels of which the page shows one at a time; without its script, all, folded.

    Args:
        label: What is chosen ("Choose a score").
        panels: (group, heading, HTML); the group, if any, orders the choice.
    """
    if len(panels) == 1:
        return fill("<h4>{{ heading }}</h4>{{ html }}", heading=panels[0][1], html=panels[0][2])
    return fill(
        '<div class="panels" data-panels="{{ label }}">{% for group, heading, html in panels %}'
        '<details data-panel="{{ heading }}"{% if group %} data-group="{{ group }}"{% endif %}'
        "{{ ' open' if loop.first }}><summary>{% if group %}{{ group }}: {% endif %}{{ heading }}</summary>"
        "{{ html }}</details>{% endfor %}</div>",
        label=label,
        panels=list(panels),
    )


def _number(value: Value) -> float | None:
    """Return what a cell sorts by as a number, if it is one."""
    key = value.sort if isinstance(value, Cell) else value
    return float(key) if isinstance(key, int | float) else None


def _shown(value: Value) -> str:
    if isinstance(value, Cell):
        return value.words
    if value is None:
        return "–"
    return value if isinstance(value, str) else number_text(float(value))


def table_html(
    columns: Sequence[str],
    rows: Sequence[Sequence[Value]],
    *,
    caption: str = "",
    muted: Sequence[bool] = (),
    sortable: bool = True,
) -> Markup:
    """Return a table that scrolls in its own box and sorts by its headings.

    A column is numeric, and set right, if each of its cells is a number or empty.

    Args:
        columns: The headings.
        rows: Cells by row; the first cell is the row's heading.
        caption: Plain words above the table.
        muted: Rows to show in grey.
        sortable: Whether the headings sort.

    Raises:
        ValueError: A row has another number of cells than there are columns.
    """
    for number, row in enumerate(rows):
        if len(row) != len(columns):
            raise ValueError(f"row {number} has {len(row)} cells, the table has {len(columns)} columns")
    numeric = [
        any(_number(row[i]) is not None for row in rows)
        and all(_number(row[i]) is not None or row[i] is None for row in rows)
        for i in range(len(columns))
    ]
    cells = []
    for row in rows:
        line = []
        for i, value in enumerate(row):
            key = value.sort if isinstance(value, Cell) else value if numeric[i] else None
            if isinstance(key, float) and not math.isfinite(key):
                key = ""
            line.append(
                {
                    "words": clean_markup(_shown(value)),
                    "sort": None if key is None else f"{key:.9g}" if isinstance(key, float) else str(key),
                    "href": value.href if isinstance(value, Cell) else "",
                }
            )
        cells.append(line)
    return fill(
        _TABLE,
        columns=columns,
        rows=cells,
        numeric=numeric,
        caption=caption,
        muted=[*muted, *[False] * (len(rows) - len(muted))],
        sortable=sortable,
    )


def clean_markup(words: str) -> Markup:
    """Return words escaped, without the control characters that HTML forbids."""
    from markupsafe import Markup

    return Markup(clean(words))  # noqa: S704 escaped


_TABLE = """\
<div class="box" role="region" tabindex="0" aria-label="{{ caption or columns[0] }}"><table\
{{ " data-sortable" if sortable and rows|length > 1 }}{{ " class=dense" if columns|length > 6 }}>
{% if caption %}
<caption>{{ caption }}</caption>
{% endif %}
<thead><tr>{% for name in columns %}<th scope="col"{{ ' class=n' if numeric[loop.index0] }}>{{ name }}</th>\
{% endfor %}</tr></thead>
<tbody>
{% for row in rows %}
<tr{{ " class=muted" if muted[loop.index0] }}>
{% for cell in row %}
<{{ "th scope=row" if loop.first else "td" }}{{ " class=n" if numeric[loop.index0] and not loop.first }}\
{% if cell.sort is not none %} data-sort="{{ cell.sort }}"{% endif %}>\
{% if cell.href %}<a href="{{ cell.href }}">{{ cell.words }}</a>{% else %}{{ cell.words }}{% endif %}\
</{{ "th" if loop.first else "td" }}>
{% endfor %}
</tr>
{% endfor %}
</tbody></table></div>
"""


def figure_html(svg: str, caption: str = "") -> Markup:
    """Return a drawing of this kit in a figure that scrolls in its own box.

    Args:
        svg: From `hinterland.core.charts` or `hinterland.core.worldmap`.
        caption: Plain words below it.
    """
    from markupsafe import Markup

    return fill(
        '<figure{{ " class=wide" if wide }}>'
        '<div class="box" role="region" tabindex="0" aria-label="drawing">{{ svg }}</div>'
        "{% if caption %}<figcaption>{{ caption }}</figcaption>{% endif %}</figure>",
        svg=Markup(svg),  # noqa: S704 drawn by this kit, escaped there
        caption=caption,
        wide='class="hl-map"' in svg,
    )

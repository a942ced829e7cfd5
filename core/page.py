"""One self-contained HTML page: inline style, no network, light and dark, phone and print.

Everything that is not marked as HTML is escaped by jinja2. A page carries a content
security policy that forbids it to load anything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from hinterland.core.svg import clean, number_text

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = ["Cell", "figure_html", "fill", "page", "table_html"]


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

    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _data(name: str) -> str:
    return files("hinterland.core").joinpath(f"data/{name}").read_text(encoding="utf-8")


def fill(template: str, **values: object) -> Markup:
    """Fill a jinja2 template with autoescape; what is passed as Markup is left as it is.

    Raises:
        jinja2.UndefinedError: The template names a value that is not given.
    """
    from markupsafe import Markup

    return Markup(_environment().from_string(template).render(**values))  # noqa: S704 autoescaped


def page(
    title: str,
    body_html: str,
    *,
    nav: Sequence[tuple[str, str]] = (),
    footer: str = "Made with hinterland.",
) -> str:
    """Return a whole HTML page.

    Args:
        title: Plain words; the page's title and its first heading.
        body_html: HTML, inserted as it is: build it with `fill`, `table_html`, `figure_html`.
        nav: (address, label) pairs, usually ("#part", "Part").
        footer: Plain words.
    """
    from markupsafe import Markup

    return str(
        fill(
            _data("page.html"),
            title=title,
            body=Markup(body_html),  # noqa: S704 the caller's HTML, by contract
            nav=list(nav),
            footer=footer,
            css=Markup(_data("page.css")),  # noqa: S704 ships with the kit
            js=Markup(_data("page.js")),  # noqa: S704 ships with the kit
        )
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
                    "sort": None if key is None else str(key),
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
{{ " data-sortable" if sortable and rows|length > 1 }}>
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

"""What another threshold would keep: a chart, a table, and a slider over every threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hinterland.core.page import Cell, Value, figure_html, fill, json_block, panels_html, table_html
from hinterland.core.svg import legible
from hinterland.core.sweep import sweep_chart
from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.html_parts.words import MAX_ROWS, joined, label, left_out, note
from hinterland.curate.audit.parts import Curve
from hinterland.curate.audit.render import name_of

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["curves", "per_mille"]

_STEPS = 201  # of a slider
_NAMED, _GREY = 6, 14  # lines of a chart


def per_mille(value: float) -> int | None:
    """Return a share or ratio in thousandths, as the page shows it; None where it is no number."""
    return round(value * 1000) if math.isfinite(value) else None


def _percent(value: float) -> str:
    thousandths = per_mille(value)
    return "–" if thousandths is None else f"{thousandths / 10:.1f}%"


def _ratio(value: float) -> str:
    thousandths = per_mille(value)
    return "–" if thousandths is None else f"{thousandths / 1000:.3f}"


def _threshold(value: float, digits: int = 6) -> str:
    """Write a threshold so that neighbours differ, and never with an exponent where it is large."""
    if abs(value) < 1e15 and (value == int(value) or abs(value) >= 10 ** (digits - 1)):
        return f"{value:,.0f}" if value == int(value) or digits < 6 else f"{value:,.1f}"
    return f"{value:.{digits}g}"


def _sign(curve: Curve) -> str:
    return {">=": "≥", "<=": "≤"}.get(curve.keep, curve.keep)


def curves(audit: Audit) -> Markup:
    """Return the thresholds' table, charts and sliders."""
    intro = fill(
        "<p>{{ words }}</p>",
        words="What each threshold would keep if it stood elsewhere and all other rules stayed as they"
        " are, worked"
        " out from the scores. Documents without a score count as kept. These are counts in this corpus,"
        " without"
        " intervals: a small difference between two groups or two thresholds may be chance.",
    )
    shown = [curve for curve in audit.curves if curve.thresholds]
    panels, data = [], []
    for number, curve in enumerate(shown):
        steps = _steps(curve)
        data.append(_data(curve, steps))
        panels.append((f"By {name_of(curve.grouping)}", _title(curve), _one(audit, curve, steps, number)))
    return joined(
        intro,
        _summary(shown) if len(shown) > 1 else joined(),
        panels_html("Choose a threshold", panels) if panels else joined(),
        json_block("curves", {"unit": audit.token_unit, "curves": data}),
    )


def _title(curve: Curve) -> str:
    return f"{curve.filter}: {curve.column} {_sign(curve)}"


def _nearest(curve: Curve, value: float) -> int | None:
    """Return the threshold looked at that lies nearest to a value."""
    if not math.isfinite(value):
        return None
    return min(range(len(curve.thresholds)), key=lambda i: abs(curve.thresholds[i] - value))


def _steps(curve: Curve) -> list[int]:
    """Return which thresholds the slider stops at: all, or of many an even choice with the marked ones."""
    last = len(curve.thresholds) - 1
    chosen = set(range(last + 1))
    if last + 1 > _STEPS:
        chosen = {round(i * last / (_STEPS - 1)) for i in range(_STEPS)}
        chosen |= {i for i in (_nearest(curve, curve.current), _nearest(curve, curve.best)) if i is not None}
    return sorted(chosen)


def _groups(curve: Curve) -> list[str]:
    """Return the groups that are shown: those that are compared first."""
    ranked = [group for group in curve.groups if group in curve.ranked]
    return [*ranked, *(group for group in curve.groups if group not in curve.ranked)][:MAX_ROWS]


def _marks(curve: Curve) -> list[tuple[str, int]]:
    """Return the current threshold and the best one, where there are such."""
    now, best = _nearest(curve, curve.current), _nearest(curve, curve.best)
    if now is not None and now == best:
        return [("now, and best", now)]
    return [(name, i) for name, i in (("now", now), ("best", best)) if i is not None]


def _data(curve: Curve, steps: Sequence[int]) -> dict[str, Any]:
    """Return a curve in thousandths, as the slider shows it."""

    def row(values: Sequence[float]) -> list[int | None]:
        return [per_mille(values[i]) for i in steps]

    position = {i: number for number, i in enumerate(steps)}
    marks = {"now": _nearest(curve, curve.current), "best": _nearest(curve, curve.best)}
    return {
        "column": legible(curve.column),
        "sign": _sign(curve),
        "steps": [_threshold(curve.thresholds[i]) for i in steps],
        "kept": row(curve.kept),
        "tokens": row(curve.tokens),
        "disparity": row(curve.disparity),
        "groups": [
            [label(group), group in curve.ranked, row(curve.groups[group])] for group in _groups(curve)
        ],
        **{name: None if i is None else position[i] for name, i in marks.items()},
    }


def _named(curve: Curve) -> tuple[dict[str, tuple[float, ...]], dict[str, tuple[float, ...]]]:
    """Return the lines that are named, and those that are drawn grey."""
    pool = [group for group in curve.groups if group in curve.ranked] or list(curve.groups)
    if len(pool) > _NAMED:
        at = _nearest(curve, curve.current)
        at = len(curve.thresholds) // 2 if at is None else at
        order = sorted(pool, key=lambda group: (curve.groups[group][at], group))
        half = _NAMED // 2
        chosen = {*order[:half], *order[-half:]}
    else:
        chosen = set(pool)
    named = {label(group): curve.groups[group] for group in pool if group in chosen}
    grey = {label(group): curve.groups[group] for group in pool if group not in chosen}
    return named, dict(list(grey.items())[:_GREY])


def _one(audit: Audit, curve: Curve, steps: Sequence[int], number: int) -> Markup:
    named, grey = _named(curve)
    index = {i: place for place, i in enumerate(steps)}

    def at(values: Sequence[float]) -> list[float]:
        return [values[i] for i in steps]

    chart = sweep_chart(
        [_threshold(curve.thresholds[i], 4) for i in steps],
        {name: at(line) for name, line in named.items()},
        title=f"Share kept by {name_of(curve.grouping)}, over the threshold of {curve.column}",
        x_label=f"keep if {curve.column} {_sign(curve)}",
        overall=at(curve.kept),
        overall_label="all documents",
        others={name: at(line) for name, line in grey.items()},
        marks=[(name, index[i]) for name, i in _marks(curve)],
    )
    caption = "The axis runs in the steps of the thresholds looked at."
    if grey:
        caption += " Named are the groups kept least and kept most; grey lines are the others."
    return fill(
        '<div class="sweep" data-curve="{{ number }}">{{ words }}{{ chart }}{{ table }}{{ note }}</div>',
        number=number,
        words=fill("<p>{{ words }}</p>", words=_words(audit, curve)),
        chart=figure_html(chart, caption),
        table=_table(audit, curve),
        note=note(
            f"{curve.unmeasured:,} documents have no such score and count as kept."
            if curve.unmeasured
            else ""
        ),
    )


def _words(audit: Audit, curve: Curve) -> str:
    now, best = _nearest(curve, curve.current), _nearest(curve, curve.best)
    words = []
    if now is not None:
        words.append(
            f"Now, at {_threshold(curve.current)}: {_percent(curve.kept[now])} of documents and"
            f" {_percent(curve.tokens[now])} of {audit.token_unit} are kept"
            + (
                f"; the worst-kept group has {_ratio(curve.disparity[now])} of the best-kept one's share."
                if math.isfinite(curve.disparity[now])
                else "."
            )
        )
    if len(curve.ranked) < 2:
        words.append("Fewer than two groups are large enough to compare.")
    elif best is not None:
        words.append(
            f"Of the thresholds where that ratio is at least {curve.bound:g}, the one that keeps most is"
            f" {_threshold(curve.best)}: {_percent(curve.kept[best])} of documents and"
            f" {_percent(curve.tokens[best])} of {audit.token_unit}."
        )
    else:
        words.append(f"No threshold looked at brings that ratio to {curve.bound:g}.")
    return " ".join(words)


_TABLE = """\
<div class="box" role="region" tabindex="0" aria-label="{{ caption }}"><table><caption>{{ caption }}</caption>
<thead><tr><th scope="col">Group</th><th scope="col" class="n live" hidden>At the slider</th>\
{% if now %}<th scope="col" class="n">Now</th>{% endif %}\
{% if best %}<th scope="col" class="n">Best</th>{% endif %}</tr></thead><tbody>
{% for row in rows %}
<tr{{ " class=muted" if row.muted }}><th scope="row">{{ row.name }}</th><td class="n live" hidden></td>\
{% if now %}<td class="n">{{ row.now }}</td>{% endif %}\
{% if best %}<td class="n">{{ row.best }}</td>{% endif %}</tr>
{% endfor %}
</tbody></table></div>
"""


def _table(audit: Audit, curve: Curve) -> Markup:
    """Return the shares at the marked thresholds, with an empty column for the slider's."""
    now, best = _nearest(curve, curve.current), _nearest(curve, curve.best)

    def row(name: str, values: Sequence[float], write: Any, *, muted: bool = False) -> dict[str, Any]:
        return {
            "name": name,
            "now": "" if now is None else write(values[now]),
            "best": "" if best is None else write(values[best]),
            "muted": muted,
        }

    groups = _groups(curve)
    rows = [
        row("all documents", curve.kept, _percent),
        row(f"all {audit.token_unit}", curve.tokens, _percent),
        *(row(label(g), curve.groups[g], _percent, muted=g not in curve.ranked) for g in groups),
        row("worst kept over best kept", curve.disparity, _ratio),
    ]
    which = left_out(len(groups), len(curve.groups), "the compared first")
    return fill(
        _TABLE,
        caption=f"Share kept, by {name_of(curve.grouping)}. Grey groups are not compared."
        + (f" {which}" if which else ""),
        rows=rows,
        now=now is not None,
        best=best is not None,
    )


def _summary(shown: Sequence[Curve]) -> Markup:
    rows: list[Sequence[Value]] = []
    for curve in shown:
        now, best = _nearest(curve, curve.current), _nearest(curve, curve.best)

        def cells(i: int | None, value: float, curve: Curve = curve) -> list[Value]:
            if i is None:
                return [None] * 3
            return [
                Cell(_threshold(value), value),
                Cell(_percent(curve.kept[i]), curve.kept[i]),
                Cell(_ratio(curve.disparity[i]), curve.disparity[i]),
            ]

        rows.append(
            [_title(curve), name_of(curve.grouping), *cells(now, curve.current), *cells(best, curve.best)]
        )
    head = ["Threshold", "By", "Now", "Keeps", "Worst over best"]
    then = ["Best", "Would keep", "Worst over best, then"]
    any_best = any(math.isfinite(curve.best) for curve in shown)
    bounds = sorted({curve.bound for curve in shown})
    bound = f"{bounds[0]:g}" if len(bounds) == 1 else "its bound"
    return table_html(
        [*head, *then] if any_best else head,
        [row if any_best else row[:5] for row in rows],
        caption="Every threshold. "
        + (
            f"“Best” keeps most documents with the worst-kept group at {bound} of the best-kept one's"
            " share or more; – where none does."
            if any_best
            else f"None brings the worst-kept group to {bound} of the best-kept one's share."
        ),
    )

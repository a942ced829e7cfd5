"""The curve of a tuning as a small picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hinterland.core.charts import line_chart

__all__ = ["curve_svg"]

_ROOM = 24  # characters of the setting that fit into the legend


def curve_svg(tuning: Mapping[str, Any]) -> str:
    """Return recall against the time of a query as a standalone SVG; the setting is chosen by this time.

    Points that another beats in both are left out, but for the one chosen: they are no choice.

    Args:
        tuning: What `Tuning.as_dict` gave, or a manifest's ``tuning``.
    """
    points = sorted(tuning["curve"], key=lambda point: (point["milliseconds"], -point["recall"]))
    best, front = -1.0, []
    for point in points:
        if point["recall"] > best or point["parameters"] == tuning["parameters"]:
            best = max(best, point["recall"])
            front.append(point)
    k, promise = tuning["k"], tuning["promise"]
    line = [(point["recall"], point["milliseconds"]) for point in front]
    lines = {"settings": line} if line else {}
    if front:
        slow = max(point["milliseconds"] for point in front)
        lines[f"promised: {promise:g}"] = [(promise, 0.0), (promise, slow)]
    chosen = ", ".join(f"{name} {value}" for name, value in tuning["parameters"].items())
    there = [point for point in tuning["curve"] if point["parameters"] == tuning["parameters"]]
    shown = chosen if len(chosen) <= _ROOM else f"{chosen[:_ROOM]}…"
    lines |= {f"chosen: {shown}": [(each["recall"], each["milliseconds"])] for each in there}
    return line_chart(
        lines,
        title=f"Recall and time; chosen: {chosen or 'nothing to choose'}",
        x_label=f"recall@{k}",
        y_label="milliseconds, one query alone",
        zero=True,
        standalone=True,
    )

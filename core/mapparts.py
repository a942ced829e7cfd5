"""What the maps share: classes, the legend, hatching, and the map in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hinterland.core.svg import ID, Ink, clean, number_text, text

__all__ = ["class_of", "edges_of", "ending_of", "hatching", "key", "words_of"]


def edges_of(values: list[float], middle: float | None, unit: str) -> list[float]:
    """Return the six edges of five classes: equal steps, about ``middle`` if given."""
    low, high = min(values), max(values)
    if middle is not None:
        reach = max(high - middle, middle - low) or 0.1
        down, up = reach, reach
        if unit == "%":  # no class lies where no share can
            down, up = min(reach, middle), min(reach, max(1.0 - middle, high - middle))
        steps = (1.0, 0.6, 0.2)
        return [*(middle - down * step for step in steps), *(middle + up * step for step in reversed(steps))]
    if high <= low:
        high = low + (abs(low) or 1.0)
    return [low + (high - low) * step / 5 for step in range(6)]


def class_of(value: float, edges: list[float]) -> int:
    """Return the class (1 to 5) that ``value`` lies in."""
    return 1 + sum(value >= edge for edge in edges[1:5])


def hatching(ink: Ink) -> str:
    """Return the pattern of places without a value."""
    return (
        f'<pattern id="{ID}-h" width="8" height="8" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)">'
        f'<rect width="8" height="8" {ink("empty")}/><path d="M0 0V8" stroke-width="4"'
        f" {ink('hatch', of='stroke')}/></pattern>"
    )


def key(edges: list[float], ink: Ink, top: float, ramp: str, unit: str, labels: tuple[str, str, str]) -> str:
    """Draw five swatches with their bounds, and one for places without a value."""
    low_label, high_label, empty_label = labels
    y, wide, x = top + 16, 92.0, 10.0
    parts = []
    for number in range(5) if edges else ():
        at = x + number * wide
        span = f"{number_text(edges[number], unit)} to {number_text(edges[number + 1], unit)}"
        parts.append(
            f'<rect x="{at:.0f}" y="{y:.0f}" width="{wide:.0f}" height="20" stroke-width="0.5"'
            f" {ink(f'{ramp}-{number + 1}')}><title>{clean(span)}</title></rect>"
        )
        if number:
            parts.append(
                text(at, y + 39, number_text(edges[number], unit), ink, role="soft", size=17, anchor="middle")
            )
    if edges:
        parts.append(text(x, y + 61, low_label, ink, size=19))
        parts.append(text(x + 5 * wide, y + 61, high_label, ink, size=19, anchor="end"))
        x += 5 * wide + 30
    parts.append(f'<rect x="{x:.0f}" y="{y:.0f}" width="34" height="20" fill="url(#{ID}-h)"/>')
    parts.append(text(x + 44, y + 17, empty_label, ink, size=19))
    return "".join(parts)


def words_of(known: Mapping[str, float], unit: str, empty_label: str, name_of: Callable[[str], str]) -> str:
    """Say the map's extremes and how many places it covers."""
    if not known:
        return f"No place has a value; all are marked “{empty_label}”."
    ordered = sorted(known, key=lambda code: (known[code], code))

    def name(code: str) -> str:
        return f"{name_of(code)} ({number_text(known[code], unit)})"

    lowest, highest = ", ".join(map(name, ordered[:3])), ", ".join(map(name, ordered[:-4:-1]))
    return f"{len(known)} places have a value. Lowest: {lowest}. Highest: {highest}."


def ending_of(
    height: float,
    width: float,
    ink: Ink,
    unit: str,
    *,
    middle: float | None,
    label: str,
    absent: Mapping[str, float],
) -> tuple[list[str], float]:
    """Draw what stands beside and below the legend; return it and where the drawing ends.

    Args:
        height: Of the map itself.
        width: Of the drawing.
        ink: Its colours.
        unit: As in `number_text`.
        middle: The value that colours diverge from.
        label: What that value is.
        absent: Places that the map cannot show, by name.
    """
    parts, below = [], height + 92
    if middle is not None:
        said = f"{label or 'middle'}: {number_text(middle, unit)}"
        parts.append(text(width - 10, height + 34, said, ink, role="soft", size=19, anchor="end"))
    if absent:
        listed = ", ".join(f"{name} {number_text(value, unit)}" for name, value in absent.items())
        parts.append(text(10, below + 14, f"Not on the map: {listed}", ink, role="soft", size=17))
        below += 32
    return parts, below

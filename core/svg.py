"""What charts and maps share: escaping, colours with fallbacks, and the accessible frame.

A drawing on a page takes its colours from CSS variables, so that it follows the page's
light or dark scheme; the attribute holds a concrete colour for readers without CSS. A
standalone drawing (a file, a README) has the concrete colours only, on white.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from html import escape

__all__ = ["ID", "PALETTE", "Ink", "clean", "frame", "legible", "number_text", "text"]

#: Stands for the drawing's own id until `frame` puts it in; no text holds it, because `clean` drops it.
ID = "\0"

#: Colours by role; Okabe and Ito's where the hue carries meaning.
PALETTE = {
    "ink": "#1b1f24",
    "soft": "#57606a",
    "rule": "#d0d7de",
    "paper": "#ffffff",
    "first": "#0072b2",
    "second": "#d55e00",
    "third": "#009e73",
    "fourth": "#7b4fa3",
    "fifth": "#b8860b",
    "sixth": "#c2497f",
    "muted": "#8c959f",
    "empty": "#e6e8eb",
    "hatch": "#b6bdc5",
    "seq-1": "#dbe9f6",
    "seq-2": "#9fcae1",
    "seq-3": "#5a9fd0",
    "seq-4": "#1f6cb0",
    "seq-5": "#08306b",
    "div-1": "#b35806",
    "div-2": "#f0a35b",
    "div-3": "#e9e3d8",
    "div-4": "#9a90c8",
    "div-5": "#4d2d8c",
}


@dataclass(frozen=True, slots=True)
class Ink:
    """Writes colours as attributes.

    Args:
        standalone: Concrete colours only, for a drawing outside a page.
    """

    standalone: bool = False

    def __call__(self, role: str, *, of: str = "fill") -> str:
        """Return the attributes that colour ``of`` ("fill" or "stroke") with a role of `PALETTE`."""
        plain = f'{of}="{PALETTE[role]}"'
        return plain if self.standalone else f'{plain} style="{of}:var(--hl-{role},{PALETTE[role]})"'


def legible(words: str) -> str:
    """Drop the control characters and half characters that XML forbids."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "", words)


def clean(words: str) -> str:
    """Escape words for XML; control characters, which XML forbids, are dropped."""
    return escape(legible(words))


def text(
    x: float,
    y: float,
    words: str,
    ink: Ink,
    *,
    role: str = "ink",
    size: int = 15,
    anchor: str = "start",
    bold: bool = False,
) -> str:
    """Return a real text label."""
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{weight} {ink(role)}>'
        f"{clean(words)}</text>"
    )


def frame(
    body: str,
    *,
    width: float,
    height: float,
    title: str,
    desc: str,
    ink: Ink,
    kind: str,
    defs: str = "",
) -> str:
    """Wrap marks in an ``<svg role="img">`` with title, description and, standalone, a white ground.

    Args:
        body: The marks.
        width: In the drawing's own units.
        height: In the drawing's own units.
        title: What it shows.
        desc: The same in words, for those who do not see it.
        ink: Colours.
        kind: The CSS class, "chart" or "map".
        defs: Patterns; `ID` in it and in the body becomes an id unique to the content.
    """
    unique = "hl" + hashlib.sha256(f"{title}\0{desc}\0{body}".encode("utf-8", "replace")).hexdigest()[:10]
    ground = f'<rect width="{width:.0f}" height="{height:.0f}" {ink("paper")}/>' if ink.standalone else ""
    size = f' width="{width:.0f}" height="{height:.0f}"' if ink.standalone else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="hl-{kind}"{size}'
        f' viewBox="0 0 {width:.0f} {height:.0f}"'
        f' role="img" aria-labelledby="{unique}-t {unique}-d"'
        ' font-family="system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif">'
        f'<title id="{unique}-t">{clean(title)}</title><desc id="{unique}-d">{clean(desc)}</desc>'
        + (f"<defs>{defs}</defs>" if defs else "")
        + ground
        + body
        + "</svg>"
    ).replace(ID, unique)


def number_text(value: float, unit: str = "") -> str:
    """Write a number for people: fractions as percent where ``unit`` is "%", else three digits.

    The unit "points" writes a difference of fractions in percentage points, without a sign for them.

    >>> number_text(0.4149, "%"), number_text(0.5312), number_text(12345.6)
    ('41%', '0.53', '12,346')
    """
    if not math.isfinite(value):
        return "–"
    if unit == "points":
        return f"{value * 100:.1f}".replace("-0.0", "0.0")
    if unit == "%":
        share = value * 100
        if 0 < abs(share) < 0.095:
            return f"{share:.1g}%" if abs(share) >= 1e-4 else f"{share:.0e}%"
        digits = 1 if 0 < abs(share) < 1 or 99 < abs(share) < 100 else 0
        return f"{share:.{digits}f}%"
    if abs(value) >= 1000 or value == int(value):
        words = f"{value:,.0f}"
    elif abs(value) >= 10:
        words = f"{value:.1f}"
    elif abs(value) >= 0.1:
        words = f"{value:.2f}"
    else:
        words = f"{value:.2g}"
    return f"{words} {unit}".rstrip()

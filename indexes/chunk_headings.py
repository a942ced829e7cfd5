"""Find the headings of Markdown and HTML, and with them a document's sections.

Markdown: ATX (``## Title``) and setext (a line under the title) headings as CommonMark has them,
none inside fenced code or front matter. HTML: ``h1`` to ``h6``, none inside scripts, styles and
comments. It is read in one pass that broken markup cannot slow down, as it does `html.parser`
(17 s for 40 kB of unclosed tags). Places are those of the text as it is given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from hinterland.indexes.chunk_types import Document, Section

__all__ = ["Heading", "find_headings", "heading_sections"]

_LONGEST = 200  # characters of a heading that go into the title path
_IS_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body|h[1-6])\b", re.IGNORECASE)
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_NO_PARAGRAPH = re.compile(r" {0,3}(?:[-+*][ \t]|\d{1,9}[.)][ \t]|>)| {4}|\t")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|\{#[^}]*\}|[*`]")
_TAG = re.compile(r"<(?:(!--)|(/?)([a-zA-Z][a-zA-Z0-9]*))")
_HEADING = re.compile("h[1-6]")
_RAW = frozenset({"script", "style", "textarea", "title", "xmp"})  # no tag is one inside these
#: Tags that begin a block, which no heading holds.
_BLOCK = re.compile(
    "address|article|aside|blockquote|body|div|dl|fieldset|figure|footer|form|header|hr|html|li|main|nav|ol|p"
    "|pre|section|table|ul"
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading.

    Attributes:
        start: Its first character, markup included.
        end: One past its last.
        level: 1 to 6.
        title: Its words.
    """

    start: int
    end: int
    level: int
    title: str


def _html(text: str) -> list[Heading]:
    """Return the headings of HTML in one pass; an unclosed one ends at the next block or heading."""
    found: list[Heading] = []
    start, level, words = 0, 0, [""]  # of the heading that is open; level 0: none
    place = 0
    while tag := _TAG.search(text, place):
        before, place = text[place : tag.start()], text.find("-->" if tag[1] else ">", tag.end())
        if place < 0:
            break  # never closed, so all that follows belongs to it
        name = (tag[3] or "").lower()
        place += 3 if tag[1] else 1
        words.append(before)
        ends = tag[2] and name == f"h{level}"
        begins = not tag[2] and _HEADING.fullmatch(name)
        if level and (ends or begins or (not tag[2] and _BLOCK.fullmatch(name))):
            found.append(Heading(start, place if ends else tag.start(), level, unescape("".join(words))))
            level = 0
        if begins:
            start, level, words = tag.start(), int(name[1]), []
        if not tag[2] and name in _RAW:
            close = re.compile(f"</{name}", re.IGNORECASE).search(text, place)
            if close is None:
                break
            place = close.start()
    if level:
        rest = "" if place < 0 else text[place:]
        found.append(Heading(start, len(text), level, unescape("".join([*words, rest]))))
    return found


def _markdown(text: str) -> list[Heading]:
    found: list[Heading] = []
    lines = text.split("\n")
    fence = ""
    place, paragraph = 0, -1  # where the paragraph began that a setext line may end
    front = _front_matter(lines)
    for number, line in enumerate(lines):
        start, place = place, place + len(line) + 1
        plain = line.rstrip("\r")
        mark = _FENCE.match(plain)
        if number < front:
            continue
        if fence:
            closed = mark and mark[1].startswith(fence) and not plain.strip().strip(fence[0])
            fence = "" if closed else fence
            continue
        underline = _SETEXT.fullmatch(plain)
        atx = _ATX.fullmatch(plain)
        if underline and paragraph >= 0:
            level = 1 if underline[1][0] == "=" else 2
            found.append(Heading(paragraph, start + len(plain), level, text[paragraph:start]))
        elif atx:
            found.append(Heading(start, start + len(plain), len(atx[1]), atx[2] or ""))
        elif mark:
            fence = mark[1]
        elif plain.strip() and (paragraph >= 0 or not _NO_PARAGRAPH.match(plain)):
            paragraph = start if paragraph < 0 else paragraph
            continue
        paragraph = -1
    return found


def _front_matter(lines: list[str]) -> int:
    """Return how many lines a YAML head between two ``---`` takes."""
    if lines[0].rstrip() != "---":
        return 0
    return next((number + 1 for number, line in enumerate(lines) if number and line.rstrip() == "---"), 0)


def find_headings(text: str) -> list[Heading]:
    r"""Return the headings of a text, HTML if it has such tags, else Markdown.

    >>> [(each.level, each.title) for each in find_headings("# A\ntext\n\nB\n---\n")]
    [(1, 'A'), (2, 'B')]
    """
    html = _IS_HTML.search(text) is not None
    found = _html(text) if html else _markdown(text)
    return [Heading(each.start, each.end, each.level, _words(each.title, html)) for each in found]


def _words(title: str, html: bool) -> str:
    return " ".join((title if html else _LINK.sub(r"\1", title)).split())[:_LONGEST]


def heading_sections(document: Document) -> list[Section]:
    """Return a document's sections, each from its heading to the next, with title paths.

    The path is the document's title, then the headings that the section stands under. A heading
    that repeats the end of the document's title is not named again, and one without text of
    its own goes with the section below it.
    """
    text = document.text
    headings = find_headings(text)
    ends = [heading.start for heading in headings[1:]] + [len(text)] * bool(headings)
    sections: list[Section] = []
    above: list[Heading] = []
    start = 0
    if headings and text[: headings[0].start].strip():
        sections.append(Section(0, headings[0].start, document.title))
        start = headings[0].start
    for number, (heading, end) in enumerate(zip(headings, ends, strict=True)):
        above = [each for each in above if each.level < heading.level] + [heading]
        deeper = number + 1 < len(headings) and headings[number + 1].level > heading.level
        if deeper and not text[heading.end : end].strip():
            continue
        sections.append(Section(start, end, _path(document.title, above)))
        start = end
    return sections or [Section(0, len(text), document.title)]


def _path(title: str, above: list[Heading]) -> str:
    parts = [each.title for each in above if each.title]
    if title and parts and title.rpartition(" › ")[2].casefold() == parts[0].casefold():
        parts = parts[1:]
    return " › ".join([*([title] if title else []), *parts]).encode("utf-8", "replace").decode()

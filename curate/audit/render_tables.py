"""Tables of reports: in text of a bounded width, and in Markdown."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["WIDTH", "Section", "Table", "escape_markdown", "markdown_table", "text_table"]

#: Columns of a terminal that text is made for.
WIDTH = 100
_LABEL, _LONGEST = 34, 46  # characters of a row's name, and of another cell
_INDENT = "  "
_CODE = re.compile(r"((?<!`)`[\w.@:+-]+`(?!`))")
#: What would begin a tag, an entity or a quotation.
_HTML = re.compile(r"<(?=[A-Za-z/!?])|&(?=[#\w])|^\s*>", re.MULTILINE)
#: What Markdown would format: emphasis (not the underscore in a name), links, backslashes.
_MARKS = re.compile(r"[\\*`]|(?<!\w)_|_(?!\w)|\[(?=[^\]]*\][(\[:])")

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as words.

    Attributes:
        head: The columns' names.
        rows: Cells, each row as long as ``head``.
        caption: What stands above it.
        left: Columns that are aligned to the left.
        first: Rows that stay where a table is cut, by position; the others follow in order.
        after: What stands below it.
        later: Columns that go into a block below, one after the other, where a text table is
            too wide.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    left: tuple[int, ...] = (0,)
    first: tuple[int, ...] = ()
    after: str = ""
    later: tuple[int, ...] = ()

    def cut(self, size: int) -> tuple[tuple[str, ...], ...]:
        """Return at most so many rows, in their own order."""
        if len(self.rows) <= size:
            return self.rows
        named = set(self.first)
        order = [*self.first, *(i for i in range(len(self.rows)) if i not in named)]
        return tuple(self.rows[i] for i in sorted(order[:size]))

    def text(self, *, file: str, size: int) -> list[str]:
        """Return the lines of a text table, in blocks of columns where it is too wide.

        Args:
            file: Where the rows are that are cut.
            size: How many rows are shown.
        """
        rows = [
            [_clipped(cell, _LONGEST if i else _LABEL) for i, cell in enumerate(row)]
            for row in self.cut(size)
        ]
        lines = _wrapped(self.caption)
        for columns in _blocks(self.head, rows, self.later):
            head = [self.head[i] for i in columns]
            part = [[row[i] for i in columns] for row in rows]
            left = [place for place, i in enumerate(columns) if i in self.left]
            lines += [_INDENT + line for line in _aligned(head, part, left)]
        if len(self.rows) > len(rows):
            lines.append(f"{_INDENT}… and {len(self.rows) - len(rows):,} more ({file})")
        return [*lines, *_wrapped(self.after)]

    def markdown(self) -> list[str]:
        """Return the lines of a Markdown table with all rows."""
        caption = [escape_markdown(self.caption), ""] if self.caption else []
        after = ["", escape_markdown(self.after)] if self.after else []
        return [*caption, *markdown_table(self.head, self.rows), *after]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report.

    Attributes:
        title: Its heading.
        file: The CSV file with all of it.
        lines: What stands before its tables; in Markdown each is an item of a list.
        tables: Its tables.
        note: What the reader must know of all of it.
        most_lines: How many lines the text shows.
        most_tables: How many tables the text shows.
        most_rows: How many rows of each.
    """

    title: str
    file: str
    lines: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    note: str = ""
    most_lines: int = 10
    most_tables: int = 6
    most_rows: int = 12

    def text(self) -> list[str]:
        """Return the lines for a terminal, long parts cut."""
        found = [self.title, *_wrapped(self.note)]
        for line in self.lines[: self.most_lines]:
            found += _wrapped(line)
        if len(self.lines) > self.most_lines:
            found.append(f"{_INDENT}… and {len(self.lines) - self.most_lines:,} more ({self.file})")
        for table in self.tables[: self.most_tables]:
            found += table.text(file=self.file, size=self.most_rows)
        if len(self.tables) > self.most_tables:
            left = len(self.tables) - self.most_tables
            found.append(f"… and {left:,} more table{'' if left == 1 else 's'} ({self.file})")
        return found

    def markdown(self) -> list[str]:
        """Return the lines of Markdown, with all of it."""
        found = [f"## {self.title}"]
        if self.note:
            found += ["", escape_markdown(self.note)]
        if self.lines:
            found += ["", *(f"- {escape_markdown(line)}" for line in self.lines)]
        for table in self.tables:
            found += ["", *table.markdown()]
        return found


def text_table(head: Sequence[str], rows: Rows) -> list[str]:
    """Return an aligned text table; the first and the last column to the left, the others to the right."""
    return _aligned(head, rows, (0, len(head) - 1))


def _aligned(head: Sequence[str], rows: Rows, left: Sequence[int]) -> list[str]:
    wide = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        cells = [cell.ljust(wide[i]) if i in left else cell.rjust(wide[i]) for i, cell in enumerate(row)]
        return "  ".join(cells).rstrip()

    return [line(head), *map(line, rows)]


def _blocks(head: Sequence[str], rows: Rows, later: Sequence[int]) -> list[list[int]]:
    """Return the columns of each block that fits the width; the first column leads each."""
    wide = [max(len(row[i]) for row in [head, *rows]) + 2 for i in range(len(head))]
    room = WIDTH - len(_INDENT) - wide[0] + 2
    for moved in range(len(later) + 1):
        main = [i for i in range(1, len(head)) if i not in later[:moved]]
        parts = [main, sorted(later[:moved])]
        if sum(wide[i] for i in main) <= room:
            break
    blocks: list[list[int]] = []
    for columns in filter(None, parts):
        blocks.append([0])
        left = room
        for column in columns:
            if wide[column] > left and len(blocks[-1]) > 1:
                blocks.append([0])
                left = room
            blocks[-1].append(column)
            left -= wide[column]
    return blocks or [[0]]


def _clipped(cell: str, longest: int) -> str:
    line = " ".join(cell.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _wrapped(line: str) -> list[str]:
    """Return a sentence in lines that fit."""
    return textwrap.wrap(
        line, WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT * 2, break_on_hyphens=False
    )


def markdown_table(head: Sequence[str], rows: Rows) -> list[str]:
    """Return a Markdown table."""

    def line(cells: Sequence[str]) -> str:
        words = (escape_markdown(cell.strip()).replace("|", "\\|").replace("\n", " ") for cell in cells)
        return "| " + " | ".join(words) + " |"

    return [line(head), "|" + " --- |" * len(head), *map(line, rows)]


def escape_markdown(words: str) -> str:
    """Return words in which no markup of a corpus is read as HTML or formatting.

    A name between backticks is code, and stays as it is.
    """
    return "".join(part if i % 2 else _escape(part) for i, part in enumerate(_CODE.split(words)))


def _escape(words: str) -> str:
    safe = _HTML.sub(lambda mark: html.escape(mark[0]), words)
    return _MARKS.sub(r"\\\g<0>", safe)

"""HTML: the main text of a page, without menus, footers and advertising (trafilatura)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from hinterland.core.imports import require
from hinterland.curate.readers.base import CURE, READERS, Piece, ReadConfig, Unreadable
from hinterland.curate.readers.stream import blocks, recoded, whole

__all__ = ["HtmlReader", "main_text"]


def main_text(page: bytes | str, *, url: str | None = None) -> str:
    """Return the main text of a page.

    Args:
        page: The page; bytes are decoded as the page itself says, else by what they look like.
        url: Where it is from.

    Raises:
        Unreadable: It is not HTML that can be parsed (``bad_html``), or holds no main text.
        MissingDependencyError: trafilatura is not installed.
    """
    trafilatura = require("trafilatura", cure=CURE)
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # what it cannot parse is listed here
    try:
        text = trafilatura.extract(page, url=url, include_comments=False)
    except Exception as error:  # of lxml, of dates and addresses that are none, of nesting
        raise Unreadable("bad_html", f"{type(error).__name__}: {error}") from error
    if not text:
        raise Unreadable("no_main_text")
    return str(text)


class HtmlReader:
    """Reads ``.html``, ``.htm`` and ``.xhtml``; the source is the file's name."""

    effort = 4

    def read(self, path: Path, config: ReadConfig) -> Iterator[tuple[int, Piece]]:
        """See `Reader.read`; the position is 0, the file as a whole."""
        page = whole(recoded(blocks(path), config.encoding), config.max_document_bytes)
        yield 0, {"text": main_text(page), "source": path.name}

    def count(self, path: Path) -> int:
        """See `Reader.count`."""
        return int(path.is_file())


for _suffix in ("html", "htm", "xhtml"):
    READERS.register(_suffix)(HtmlReader())

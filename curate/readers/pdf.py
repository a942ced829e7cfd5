"""PDF: the text of all pages (pypdf). Scanned pages hold none; they are not recognised."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hinterland.core.imports import require
from hinterland.curate.readers.base import CURE, READERS, Note, Piece, ReadConfig, Unreadable
from hinterland.curate.readers.stream import open_file

__all__ = ["PdfReader"]


class PdfReader:
    """Reads ``.pdf``; the source is the file's name, pages are parted by a blank line."""

    effort = 8

    def read(self, path: Path, config: ReadConfig) -> Iterator[tuple[int, Piece]]:
        """See `Reader.read`; the position is 0, the file as a whole, or a page that cannot be read."""
        pypdf = require("pypdf", cure=CURE)
        logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it cannot read is listed here
        pages: list[str] = []
        size = 0
        with open_file(path) as handle:
            try:
                document = pypdf.PdfReader(handle)
                if document.is_encrypted and not document.decrypt(""):
                    raise Unreadable("encrypted", "a password is needed")
                total = len(document.pages)
            except Unreadable:
                raise
            except Exception as error:  # its parser raises whatever a damaged file leads it to
                raise Unreadable("broken_file", f"{type(error).__name__}: {error}") from error
            for number in range(1, total + 1):
                page = _page(document, number)
                if isinstance(page, Note):
                    yield number, page
                    continue
                size += len(page.encode("utf-8", "replace"))
                if size > config.max_document_bytes:
                    raise Unreadable("too_large", f"more than {config.max_document_bytes:,} bytes of text")
                if page.strip():
                    pages.append(page.strip())
        text = "\n\n".join(pages).encode("utf-8", "replace").decode()  # halves of pairs, from broken fonts
        yield 0, {"text": text, "source": path.name, "pages": total}

    def count(self, path: Path) -> int:
        """See `Reader.count`."""
        return int(path.is_file())


def _page(document: Any, number: int) -> str | Note:
    try:
        return str(document.pages[number - 1].extract_text())
    except Exception as error:  # see above; the other pages may be whole
        return Note("bad_page", f"{type(error).__name__}: {error}"[:200])


READERS.register("pdf")(PdfReader())

"""Plain text and Markdown: one file is one document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hinterland.curate.readers.base import READERS, Piece, ReadConfig, Unreadable
from hinterland.curate.readers.stream import blocks, recoded, whole

__all__ = ["TextReader"]


class TextReader:
    """Reads ``.txt``, ``.text``, ``.md``, ``.markdown`` and ``.rst``; the source is the file's name."""

    effort = 1

    def read(self, path: Path, config: ReadConfig) -> Iterator[tuple[int, Piece]]:
        """See `Reader.read`; the position is 0, the file as a whole."""
        content = whole(recoded(blocks(path), config.encoding), config.max_document_bytes)
        try:
            yield 0, {"text": content.decode(), "source": path.name}
        except UnicodeDecodeError as error:
            raise Unreadable("not_utf8", f"byte {error.start}") from error

    def count(self, path: Path) -> int:
        """See `Reader.count`."""
        return int(path.is_file())


for _suffix in ("txt", "text", "md", "markdown", "rst"):
    READERS.register(_suffix)(TextReader())

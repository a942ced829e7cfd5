"""WARC: pages of a web archive (FastWARC), HTML reduced to its main text (trafilatura).

``response`` and ``resource`` records are documents, and ``conversion`` records (WET), whose
text is taken as it is. Other records (requests, metadata) are none. ``url`` and ``date``
come from the record's headers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hinterland.core.imports import require
from hinterland.curate.readers.base import CURE, READERS, Piece, ReadConfig, Unreadable
from hinterland.curate.readers.html import main_text
from hinterland.curate.readers.stream import BlockStream, blocks

__all__ = ["WarcReader"]

_HTML = ("text/html", "application/xhtml+xml")


class WarcReader:
    """Reads ``.warc`` and ``.wet``, packed or not; the source is the archive's name."""

    effort = 5

    def read(self, path: Path, config: ReadConfig) -> Iterator[tuple[int, Piece]]:
        """See `Reader.read`; the position is the record, those that are no documents counted too."""
        warc = require("fastwarc.warc", cure=CURE)
        stream = BlockStream(blocks(path))
        kinds = warc.WarcRecordType
        documents = kinds.response | kinds.resource | kinds.conversion
        position, cut = 0, False
        try:
            for record in warc.ArchiveIterator(
                stream, record_types=kinds.any_type, parse_http=False, stream_detect=False
            ):
                position += 1
                if record.record_type & documents:
                    row = _document(record, path, config)
                    cut = isinstance(row, Unreadable) and row.reason == "broken_file"
                    yield position, row
        except Unreadable as problem:
            problem.position = position + 1
            raise
        except OSError as error:
            raise Unreadable("broken_file", str(error), position=position + 1) from error
        if stream.tail and not stream.tail.endswith(b"\n") and not cut:
            raise Unreadable("broken_file", "the archive is cut off", position=position + 1)

    def count(self, path: Path) -> int:
        """See `Reader.count`: from the size, at what a page of Common Crawl takes."""
        packed = not path.name.lower().endswith((".warc", ".wet"))
        return round(path.stat().st_size / (25_000 if packed else 100_000)) or 1


def _document(record: Any, path: Path, config: ReadConfig) -> Piece:
    """Return a record's document."""
    length = record.content_length
    if length > config.max_document_bytes:
        return Unreadable("too_large", f"{length:,} bytes")
    try:
        content, kind = _payload(record, config)
        text = _text(content, kind, record)
    except Unreadable as problem:
        return problem
    date = record.headers.get("WARC-Date")
    url = record.headers.get("WARC-Target-URI")
    return {"text": text, "url": url and url.strip("<>"), "date": date, "source": path.name}


def _payload(record: Any, config: ReadConfig) -> tuple[bytes, str]:
    """Return what was sent, without HTTP headers and content encoding, and its type."""
    length = record.content_length
    http = str(record.headers.get("Content-Type", "")).startswith("application/http")
    kind = str(record.headers.get("Content-Type", "")) or "nothing"
    try:
        if http:
            record.parse_http(auto_decode="all")
            if record.http_headers is None:
                raise Unreadable("bad_http", "no HTTP headers")
            status = record.http_headers.status_code
            if status is not None and status != 200:
                raise Unreadable("http_status", str(status))
            kind = str(record.http_content_type or "nothing")
        content = record.reader.read(config.max_document_bytes + 1)
    except (OSError, ValueError) as error:
        raise Unreadable("bad_http", str(error)) from error
    if len(content) > config.max_document_bytes:
        raise Unreadable("too_large", f"more than {config.max_document_bytes:,} bytes unpacked")
    encoded = http and record.http_headers.get("Content-Encoding")
    if not encoded and len(content) < record.content_length:
        raise Unreadable("broken_file", f"the record has {len(content):,} of {length:,} bytes")
    return content, kind.partition(";")[0].strip().lower()


def _text(content: bytes, kind: str, record: Any) -> str:
    if kind in _HTML:
        charset = record.http_charset
        page: bytes | str = content
        if charset:
            try:
                page = content.decode(charset)
            except (LookupError, UnicodeDecodeError):
                page = content  # the header is wrong; the page itself may say
        return main_text(page, url=record.headers.get("WARC-Target-URI"))
    if kind != "text/plain":
        raise Unreadable("not_text", kind)
    try:
        return content.decode(record.http_charset or "utf-8")
    except (LookupError, UnicodeDecodeError) as error:
        raise Unreadable("wrong_encoding", str(error)) from error


for _suffix in ("warc", "wet"):
    READERS.register(_suffix)(WarcReader())

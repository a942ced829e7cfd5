"""Damage to WARC archives."""

from __future__ import annotations

import gzip
from pathlib import Path

from damage.documents import PAGE
from damage.kinds import damage


def record(
    body: bytes = PAGE.encode(),
    *,
    kind: str = "text/html",
    status: str = "200 OK",
    headers: str = "",
    length: int | None = None,
) -> bytes:
    """Return a response record."""
    http = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{headers}\r\n".encode() + body
    return (
        (
            "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://example.org/page\r\n"
            "WARC-Date: 2024-01-02T03:04:05Z\r\nContent-Type: application/http; msgtype=response\r\n"
            f"WARC-Record-ID: <urn:uuid:1>\r\n"
            f"Content-Length: {len(http) if length is None else length}\r\n\r\n"
        ).encode()
        + http
        + b"\r\n\r\n"
    )


@damage("a WARC that is cut off inside a record", {"broken_file": 1}, ["Title"])
def warc_cut(folder: Path) -> None:
    (folder / "a.warc").write_bytes(record() + record()[:-60])


@damage("a packed WARC that is cut off", {"broken_file": 1}, ["Title"])
def warc_packed_cut(folder: Path) -> None:
    (folder / "a.warc.gz").write_bytes(gzip.compress(record()) + gzip.compress(record())[:-30])


@damage("a packed WARC with a member flipped", {"broken_file": 1}, ["Title"])
def warc_flipped(folder: Path) -> None:
    spoilt = bytearray(gzip.compress(record()))
    spoilt[10:14] = b"\xff\xff\xff\xff"
    (folder / "a.warc.gz").write_bytes(gzip.compress(record()) + bytes(spoilt))


@damage("a record that says it is longer", {"broken_file": 1}, ["Title"])
def warc_length(folder: Path) -> None:
    (folder / "a.warc").write_bytes(record() + record(length=50_000))


@damage("something between records", {"broken_file": 1}, ["Title"])
def warc_between(folder: Path) -> None:
    (folder / "a.warc").write_bytes(record() + b"and this\r\n" + record())


@damage("a WARC that is none", {"broken_file": 1}, [])
def warc_other(folder: Path) -> None:
    (folder / "a.warc").write_bytes(b"not an archive at all\r\n")


@damage("pages that were not found", {"http_status": 1}, ["Title"])
def warc_status(folder: Path) -> None:
    (folder / "a.warc").write_bytes(record(status="404 Not Found") + record())


@damage("pictures in a WARC", {"not_text": 1}, ["Title"])
def warc_picture(folder: Path) -> None:
    (folder / "a.warc").write_bytes(record(b"\x89PNG", kind="image/png") + record())


@damage("a page that names a charset there is not, and one in the wrong one", None, ["Title", "Title"])
def warc_charset(folder: Path) -> None:
    (folder / "a.warc").write_bytes(
        record(kind="text/html; charset=klingon")
        + record(PAGE.replace("more", "olé").encode(), kind="text/html; charset=ascii")
    )


@damage("plain text in a WARC in the wrong encoding", {"wrong_encoding": 1}, ["Title"])
def warc_text(folder: Path) -> None:
    (folder / "a.warc").write_bytes(record(b"caf\xe9", kind="text/plain") + record())


@damage("a page that is a gzip bomb", {"too_large": 1}, ["Title"])
def warc_bomb(folder: Path) -> None:
    body = gzip.compress(b"x" * 50_000_000, 9)
    headers = f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n"
    (folder / "a.warc").write_bytes(record(body, headers=headers) + record())

"""Files as bounded blocks of bytes: unpacked, recoded to UTF-8, cut into lines.

No function here holds more than a block and one line, whatever the file unpacks to.
"""

from __future__ import annotations

import bz2
import codecs
import errno
import io
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from hinterland.curate.readers.base import COMPRESSED, Unreadable

__all__ = ["BlockStream", "blocks", "lines", "open_file", "recoded", "whole"]

_BLOCK = 1 << 18
_PACKED = 1 << 14
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def open_file(path: Path) -> BinaryIO:
    """Open a regular file.

    Raises:
        Unreadable: It is none (``not_a_file``), a link to nothing (``dangling_link``) or to
            itself (``link_loop``), or may not be read (``unreadable_file``).
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
            raise Unreadable("not_a_file")
        return path.open("rb")
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Unreadable("link_loop") from error
        if isinstance(error, FileNotFoundError) and path.is_symlink():
            raise Unreadable("dangling_link", str(path.readlink())) from error
        raise Unreadable("unreadable_file", error.strerror or str(error)) from error


def blocks(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes in blocks of at most 256 KiB, unpacked if it is gzip, zstd or bzip2.

    Raises:
        Unreadable: It cannot be opened, or (``broken_file``) it breaks off here.
    """
    with open_file(path) as handle:
        try:
            head = handle.read(4)
            handle.seek(0)
            kind = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)
            if kind == "gzip":
                yield from _unpacked(handle, lambda: zlib.decompressobj(31))
            elif kind == "bz2":
                yield from _unpacked(handle, bz2.BZ2Decompressor)
            elif kind == "zstd":
                yield from _zstd(path)
            elif path.name.lower().endswith(COMPRESSED) and _is_binary(handle):
                raise Unreadable("broken_file", "neither gzip, zstd, bzip2 nor text")
            else:
                while block := handle.read(_BLOCK):
                    yield block
        except (OSError, EOFError, zlib.error) as error:
            raise Unreadable("broken_file", str(error)) from error


def _is_binary(handle: BinaryIO) -> bool:
    head = handle.read(1024)
    handle.seek(0)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return True
    return b"\0" in head


def _unpacked(handle: BinaryIO, start: Callable[[], Any]) -> Iterator[bytes]:
    """Yield what gzip or bzip2 members hold, up to the byte at which they break."""
    data = b""
    while data or (data := handle.read(_PACKED)):
        if not data.strip(b"\0"):  # padding behind the last member
            data = b""
            continue
        member = start()
        while not member.eof:
            if not data and getattr(member, "needs_input", True) and not (data := handle.read(_PACKED)):
                raise EOFError("the archive is cut off")
            earlier = member.copy() if hasattr(member, "copy") else None
            try:
                block = member.decompress(data, _BLOCK)
            except zlib.error:
                if earlier is not None:
                    yield from _bytewise(earlier, data)
                raise
            data = getattr(member, "unconsumed_tail", b"")  # bzip2 keeps it inside
            if block:
                yield block
        data = member.unused_data


def _bytewise(member: Any, data: bytes) -> Iterator[bytes]:
    """Yield what comes out before the byte at which a member breaks."""
    try:
        for place in range(len(data)):
            yield member.decompress(data[place : place + 1])
    except zlib.error:
        return


def _zstd(path: Path) -> Iterator[bytes]:
    """Yield what zstd frames hold; the block that breaks is read again byte by byte."""
    done = 0
    try:
        with pa.CompressedInputStream(pa.OSFile(os.fsencode(path)), "zstd") as stream:
            while block := stream.read(_BLOCK):
                done += len(block)
                yield block
    except OSError as error:
        with pa.CompressedInputStream(pa.OSFile(os.fsencode(path)), "zstd") as stream:
            for _ in range(done // _BLOCK):
                stream.read(_BLOCK)
            rest = bytearray()
            try:
                while byte := stream.read(1):
                    rest += byte
            except OSError:
                yield bytes(rest)
        raise EOFError(str(error)) from error


def recoded(source: Iterator[bytes], encoding: str | None) -> Iterator[bytes]:
    """Yield the same text as UTF-8 and without a byte order mark.

    UTF-8 is passed on unchecked. Without a mark, two-byte encodings are known by the NULs
    beside a first ASCII character.

    Args:
        source: Blocks of bytes.
        encoding: What it is written in, if that is known.

    Raises:
        Unreadable: It is not that encoding from here on (``wrong_encoding``).
    """
    head = b""
    for block in source:
        head += block
        if len(head) >= 4:
            break
    skip = 0
    for mark, name in _MARKS:
        if head.startswith(mark):
            encoding, skip = name, len(mark)
            break
    else:
        if encoding is None and len(head) >= 4:
            nulls = "".join("0" if byte == 0 else "x" for byte in head[:4])
            encoding = {"x0x0": "utf-16-le", "0x0x": "utf-16-be"}.get(nulls)
    if encoding is None or encoding == "utf-8":
        yield head[skip:]
        yield from source
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        # UTF-7 can hold halves of pairs: they are passed on, and refused with their line.
        yield decoder.decode(head[skip:]).encode("utf-8", "surrogatepass")
        for block in source:
            yield decoder.decode(block).encode("utf-8", "surrogatepass")
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        yield bytes(error.object[: error.start]).decode(encoding).encode()
        raise Unreadable("wrong_encoding", f"not {encoding}: {error.reason}") from error


def lines(source: Iterator[bytes], limit: int) -> Iterator[tuple[int, bytes | Unreadable]]:
    """Yield each line with its number from 1; one longer than ``limit`` bytes as `Unreadable`.

    Raises:
        Unreadable: As ``source`` does, with the number of the line that broke.
    """
    number, size = 1, 0  # the line that is being put together, and its bytes so far
    carried: list[bytes] = []
    try:
        for block in source:
            *ended, last = block.split(b"\n")
            for end in ended:
                size += len(end)
                yield number, b"".join([*carried, end]) if size <= limit else _too_large(limit)
                number, size = number + 1, 0
                carried.clear()
            size += len(last)
            if size <= limit:
                carried.append(last)
            else:
                carried.clear()  # its end is waited for without keeping it
    except Unreadable as problem:
        problem.position = number
        raise
    if size:
        yield number, b"".join(carried) if size <= limit else _too_large(limit)


def _too_large(limit: int) -> Unreadable:
    return Unreadable("too_large", f"more than {limit:,} bytes")


def whole(source: Iterator[bytes], limit: int) -> bytes:
    """Return all of a source.

    Raises:
        Unreadable: It is larger than ``limit`` bytes (``too_large``), or breaks off.
    """
    parts, size = [], 0
    for block in source:
        size += len(block)
        if size > limit:
            raise _too_large(limit)
        parts.append(block)
    return b"".join(parts)


class BlockStream(io.RawIOBase):
    """A file object over blocks, for parsers that want one.

    Attributes:
        tail: The last bytes read, at most 4.
    """

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source, self._rest, self.tail = source, memoryview(b""), b""
        self._place = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move forward, or tell the place by ``seek(0, 1)``.

        Raises:
            OSError: The place is behind, or counted from the end.
        """
        target = offset if whence == io.SEEK_SET else self._place + offset
        if whence == io.SEEK_END or target < self._place:
            raise OSError("the stream only goes forward")
        while self._place < target and self.read(min(target - self._place, 1 << 20)):
            pass
        return self._place

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` with what is left of the current block."""
        while not self._rest:
            block = next(self._source, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self.tail = (self.tail + bytes(self._rest[max(0, size - 4) : size]))[-4:]
        self._rest = self._rest[size:]
        self._place += size
        return size

"""Damage to packed files, and to JSON over several lines."""

from __future__ import annotations

import bz2
import gzip
import json
import os
from pathlib import Path

import pyarrow as pa

from damage.kinds import AFTER, BEFORE, MAX_DOCUMENT_BYTES, around, damage, line


@damage("gzip that is cut off", {"broken_file": 1}, [BEFORE, AFTER])
def gzip_cut(folder: Path) -> None:
    rest = gzip.compress(b"".join(line(os.urandom(40).hex()) for _ in range(50)))
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(around(b"")) + rest[:10])


@damage("gzip with bytes flipped", {"broken_file": 1})
def gzip_flipped(folder: Path) -> None:
    rest = bytearray(gzip.compress(line("lost" * 100)))
    rest[10:14] = b"\xff\xff\xff\xff"
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(around(b"")) + bytes(rest))


@damage("gzip with a wrong checksum", {"broken_file": 1})
def gzip_checksum(folder: Path) -> None:
    whole = bytearray(gzip.compress(around(b"")))
    whole[-8] ^= 255
    (folder / "a.jsonl.gz").write_bytes(bytes(whole))


@damage("rubbish behind the gzip", {"broken_file": 1})
def gzip_tail(folder: Path) -> None:
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(around(b"")) + b"rubbish")


@damage("NULs behind the gzip, as tapes have them")
def gzip_padding(folder: Path) -> None:
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(around(b"")) + bytes(512))


@damage("named .gz, and never packed")
def gzip_by_name(folder: Path) -> None:
    (folder / "a.jsonl.gz").write_bytes(around(b""))


@damage("packed, and not named so")
def gzip_unnamed(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(gzip.compress(around(b"")))


@damage("named .gz, and something else", {"broken_file": 1}, [])
def gzip_other(folder: Path) -> None:
    (folder / "a.jsonl.gz").write_bytes(b"\x00\x8b\x08" + gzip.compress(around(b""))[3:])


@damage("gzip of nothing", {"empty_file": 1}, [])
def gzip_empty(folder: Path) -> None:
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(b""))


@damage("a gzip bomb: 100 MB of one letter", {"too_large": 1})
def gzip_bomb(folder: Path) -> None:
    packed = gzip.compress(b'{"text": "' + b"x" * 100_000_000 + b'"}\n', 9)
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(line()) + packed + gzip.compress(line(AFTER)))


def zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


@damage("zstd that is cut off", {"broken_file": 1})
def zstd_cut(folder: Path) -> None:
    rest = zstd(b"".join(line(os.urandom(40).hex()) for _ in range(50)))
    (folder / "a.jsonl.zst").write_bytes(zstd(around(b"")) + rest[:15])


@damage("zstd with bytes flipped", {"broken_file": 1})
def zstd_flipped(folder: Path) -> None:
    (folder / "a.jsonl.zst").write_bytes(zstd(around(b"")) + b"\x28\xb5\x2f\xfd" + b"\xff" * 40)


@damage("a zstd bomb: 200 MB of one letter", {"too_large": 1})
def zstd_bomb(folder: Path) -> None:
    packed = zstd(b'{"text": "' + b"x" * 200_000_000 + b'"}\n')
    (folder / "a.jsonl.zst").write_bytes(zstd(line()) + packed + zstd(line(AFTER)))


@damage("bzip2 that is cut off", {"broken_file": 1})
def bzip2_cut(folder: Path) -> None:
    (folder / "a.jsonl.bz2").write_bytes(bz2.compress(around(b"")) + bz2.compress(line("lost"))[:20])


# --- JSON over several lines


@damage("bad elements in an array", {"not_json": 1, "not_an_object": 2})
def array_elements(folder: Path) -> None:
    parts = [line().decode(), '{"text": nothing}', "3", '"a, b] {"', line(AFTER).decode()]
    (folder / "a.json").write_text("[" + ",\n".join(parts) + "]")


@damage("an array that breaks off", {"broken_file": 1})
def array_cut(folder: Path) -> None:
    (folder / "a.json").write_bytes(b"[" + line() + b"," + line(AFTER) + b', {"text": "ha')


@damage("an element of an array over the limit", {"too_large": 1})
def array_large(folder: Path) -> None:
    parts = [line(), line('x\\"' * MAX_DOCUMENT_BYTES), line(AFTER)]
    (folder / "a.json").write_bytes(b"[" + b",".join(parts) + b"]")


@damage("objects written over several lines")
def pretty_objects(folder: Path) -> None:
    (folder / "a.json").write_text(
        "\n".join(json.dumps({"text": text}, indent=2) for text in (BEFORE, AFTER))
    )


@damage("a .json file that is not JSON", {"not_json": 1}, [])
def json_words(folder: Path) -> None:
    (folder / "a.json").write_text("these are only words")

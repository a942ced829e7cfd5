"""A deliberately broken corpus: each function writes one kind of damage into its own folder.

``write_all`` writes them all; run as a program, this file reads them and prints the ledger as
a table in Markdown. A kind says which rejects are expected and which texts survive
beside the damage. ``MAX_DOCUMENT_BYTES`` is the limit under which it is to be read.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import struct
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["KINDS", "MAX_DOCUMENT_BYTES", "Kind", "write_all"]

MAX_DOCUMENT_BYTES = 1_000_000
BEFORE, AFTER = "a text that stands before the damage", "a text that stands behind the damage"


@dataclass(frozen=True)
class Kind:
    """One kind of damage.

    Attributes:
        name: The function's, and its folder's.
        about: What is damaged, in words.
        write: Writes it into a folder.
        reasons: The expected entries of the ledger.
        texts: The texts that are expected to be read, in order; each begins as given.
    """

    name: str
    about: str
    write: Callable[[Path], None]
    reasons: dict[str, int]
    texts: list[str] = field(default_factory=list)


KINDS: list[Kind] = []


def damage(
    about: str, reasons: dict[str, int] | None = None, texts: list[str] | None = None
) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    def add(write: Callable[[Path], None]) -> Callable[[Path], None]:
        KINDS.append(
            Kind(write.__name__, about, write, reasons or {}, [BEFORE, AFTER] if texts is None else texts)
        )
        return write

    return add


def write_all(folder: Path) -> list[Kind]:
    """Write every kind into its own folder; return those that this system can express."""
    written = []
    for kind in KINDS:
        place = folder / kind.name
        place.mkdir(parents=True)
        if not possible(kind):
            continue
        kind.write(place)
        written.append(kind)
    return written


def possible(kind: Kind) -> bool:
    """Whether this user can be forbidden what the kind forbids: nothing is forbidden to root."""
    return kind.name != "no_permission" or os.geteuid() != 0


def line(text: object = BEFORE, **further: object) -> bytes:
    return json.dumps({"text": text, **further}).encode() + b"\n"


def around(middle: bytes) -> bytes:
    return line() + middle + line(AFTER)


# --- lines of JSON


@damage("a line that breaks off", {"not_json": 1})
def cut_line(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b'{"text": "half\n'))


@damage("a line of random bytes", {"not_utf8": 1})
def binary_line(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(bytes(range(128, 256)) + b"\n"))


@damage("a line in another encoding", {"not_utf8": 1})
def latin1_line(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around('{"text": "Côte d\'Ivoire"}\n'.encode("latin-1")))


@damage("a line of NULs, as a crash leaves it", {"not_json": 1})
def nul_line(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(bytes(100) + b"\n"))


@damage("null for a text", {"null_text": 1})
def null_text(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(line(None)))


@damage("NaN for a text", {"text_not_a_string": 1})
def nan_text(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(line(float("nan"))))


@damage("a number for a text", {"text_not_a_string": 1})
def number_text(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(line(42)))


@damage("a list for a text", {"text_not_a_string": 1})
def list_text(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(line(["in", "parts"])))


@damage("an empty text", {"empty_text": 1})
def empty_text(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(line("")))


@damage("a text of spaces", {"empty_text": 1})
def blank_text(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(line(" \n\t\u3000")))


@damage("a row without a text", {"no_text_column": 1})
def no_text(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b'{"title": "alone"}\n'))


@damage("a list instead of an object", {"not_an_object": 1})
def list_line(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b'["a text"]\n'))


@damage("a bare string instead of an object", {"not_an_object": 1})
def string_line(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b'"a text"\n'))


@damage("two objects on a line", {"not_json": 1})
def two_objects(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b'{"text": "one"}{"text": "two"}\n'))


@damage("half of a surrogate pair", {"lone_surrogate": 1})
def lone_surrogate(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b'{"text": "\\ud83d alone"}\n'))


@damage("NUL characters inside a text: taken out", {"nul_removed": 1}, [BEFORE, "no more", AFTER])
def nul_escape(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b'{"text": "no\\u0000 more\\u0000"}\n'))


@damage("a line over the limit", {"too_large": 1})
def long_line(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(line("x" * 2 * MAX_DOCUMENT_BYTES)))


@damage("lists nested 100,000 deep", {"nested_too_deep": 1})
def deep_lists(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(
        around(b'{"text": "t", "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n")
    )


@damage("objects nested 500 deep", {"nested_too_deep": 1})
def deep_objects(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b'{"a":' * 500 + b"1" + b"}" * 500 + b"\n"))


@damage("ids that occur twice", {"id_taken": 1})
def equal_ids(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(line(id="same id") + line(AFTER, id="same id"))


@damage("ids, sources and dates of other types", {"bad_id": 1, "bad_source": 1, "bad_date": 1})
def wrong_types(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(line(id=[1]) + line(AFTER, source={"a": 1}, date=True))


@damage("places outside of the world", {"bad_lat": 1, "bad_lon": 2})
def wrong_places(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(line(lat=91, lon="east") + line(AFTER, lat="45.5", lon=float("inf")))


@damage("a country that does not exist", {"unknown_country": 1})
def wrong_country(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(line(country="Atlantis") + line(AFTER, country="Kenya"))


@damage("whole numbers of 30 digits, and NaN, beside the text")
def wide_numbers(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(line(id=10**30) + line(AFTER, score=float("nan")))


@damage("no newline at the end")
def no_newline(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b"").rstrip())


@damage("Windows line ends and blank lines")
def windows_lines(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b"\n \n").replace(b"\n", b"\r\n"))


@damage("byte order marks, at the start and where files were joined")
def marks(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + line() + b"\xef\xbb\xbf" + line(AFTER))


@damage("UTF-16, as PowerShell writes it")
def utf16(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b"").decode().encode("utf-16"))


@damage("UTF-16 without a mark")
def utf16_bare(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b"").decode().encode("utf-16-be"))


@damage("UTF-16 with half a character at the end", {"wrong_encoding": 1})
def utf16_cut(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b"").decode().encode("utf-16") + b"{")


@damage("a file of 0 bytes", {"empty_file": 1}, [])
def empty_file(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(b"")


@damage("a file of blank lines", {"empty_file": 1}, [])
def blank_file(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(b"\n\n \n")


# --- packed files


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


# --- Parquet and Arrow


def parquet(columns: dict[str, Any]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression="none", use_dictionary=False)
    return sink.getvalue()


@damage("a Parquet file that is none", {"broken_file": 1}, [])
def parquet_other(folder: Path) -> None:
    (folder / "a.parquet").write_bytes(b"PAR1 nothing of the kind PAR1")


@damage("a Parquet file of 0 bytes", {"broken_file": 1}, [])
def parquet_empty(folder: Path) -> None:
    (folder / "a.parquet").write_bytes(b"")


@damage("a Parquet file without its end", {"broken_file": 1}, [])
def parquet_cut(folder: Path) -> None:
    (folder / "a.parquet").write_bytes(parquet({"text": [BEFORE] * 100})[:-200])


@damage("a Parquet page with bytes flipped", {"broken_file": 1}, [])
def parquet_flipped(folder: Path) -> None:
    whole = bytearray(parquet({"text": [BEFORE]}))
    whole[4:12] = b"\xff" * 8
    (folder / "a.parquet").write_bytes(bytes(whole))


@damage("nulls in a Parquet column", {"null_text": 1})
def parquet_null(folder: Path) -> None:
    (folder / "a.parquet").write_bytes(parquet({"text": [BEFORE, None, AFTER]}))


@damage("Parquet without a text", {"no_text_column": 2}, [])
def parquet_no_text(folder: Path) -> None:
    (folder / "a.parquet").write_bytes(parquet({"label": [1, 2]}))


@damage("Parquet with numbers for texts", {"text_not_a_string": 2}, [])
def parquet_numbers(folder: Path) -> None:
    (folder / "a.parquet").write_bytes(parquet({"text": [1.5, 2.5]}))


@damage("bytes that are not UTF-8 in a Parquet column of strings", {"not_utf8": 1})
def parquet_encoding(folder: Path) -> None:
    whole = parquet({"text": [BEFORE, "#spoilt#", AFTER]})
    (folder / "a.parquet").write_bytes(whole.replace(b"#spoilt#", b"\xff\xfespoilt"))


@damage("Parquet with texts as bytes, one in another encoding", {"not_utf8": 1})
def parquet_bytes(folder: Path) -> None:
    (folder / "a.parquet").write_bytes(parquet({"content": [BEFORE.encode(), b"caf\xe9", AFTER.encode()]}))


def arrow_stream(rows: list[str | None]) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, pa.schema([("text", pa.string())])) as writer:
        for row in rows:
            writer.write_batch(pa.record_batch({"text": pa.array([row], pa.string())}))
    return sink.getvalue()


@damage("an Arrow stream that breaks off", {"broken_file": 1})
def arrow_cut(folder: Path) -> None:
    (folder / "a.arrow").write_bytes(arrow_stream([BEFORE, AFTER, "lost " * 100])[:-300])


@damage("an Arrow stream that is none", {"broken_file": 1}, [])
def arrow_other(folder: Path) -> None:
    (folder / "a.arrow").write_bytes(b"ARROW1 and no more")


@damage("an Arrow stream with offsets that point nowhere", {"broken_file": 1}, [])
def arrow_offsets(folder: Path) -> None:
    whole = arrow_stream(["#" * 48])
    (folder / "a.arrow").write_bytes(whole.replace(struct.pack("<ii", 0, 48), struct.pack("<ii", 0, 1 << 30)))


# --- CSV


@damage("rows with too few and too many fields", {"ragged_row": 2})
def csv_ragged(folder: Path) -> None:
    (folder / "a.csv").write_text(f"n,text\n1,{BEFORE}\n2\n3,a,b\n4,{AFTER}\n")


@damage("a quotation mark that is not closed", {"broken_file": 1}, [BEFORE])
def csv_quote(folder: Path) -> None:
    (folder / "a.csv").write_text(f'n,text\n1,{BEFORE}\n2,"never closed\n3,{AFTER}\n')


@damage("letters behind a closed quotation mark", {"bad_csv": 1})
def csv_letters(folder: Path) -> None:
    (folder / "a.csv").write_text(f'n,text\n1,{BEFORE}\n2,"closed" or not\n3,{AFTER}\n')


@damage("a row in another encoding", {"not_utf8": 1})
def csv_encoding(folder: Path) -> None:
    (folder / "a.csv").write_bytes(f"n,text\n1,{BEFORE}\n2,caf\xe9\n3,{AFTER}\n".encode("latin-1"))


@damage("a field over the limit", {"too_large": 1})
def csv_large(folder: Path) -> None:
    (folder / "a.csv").write_text(f"n,text\n1,{BEFORE}\n2,{'x' * 2 * MAX_DOCUMENT_BYTES}\n3,{AFTER}\n")


@damage("a CSV file without a text", {"no_text_column": 1}, [])
def csv_no_text(folder: Path) -> None:
    (folder / "a.csv").write_text("name,colour\na,blue\n")


@damage("a CSV file of a header alone", {"empty_file": 1}, [])
def csv_header(folder: Path) -> None:
    (folder / "a.csv").write_text("n,text\n")


@damage("a CSV file with an empty header", {"no_header": 1}, [])
def csv_no_header(folder: Path) -> None:
    (folder / "a.csv").write_text("\n1,text\n")


@damage("semicolons, and a mark of UTF-8, as spreadsheets write them")
def csv_semicolons(folder: Path) -> None:
    (folder / "a.csv").write_text(f"\ufeffn;Text\n1;{BEFORE}\n2;{AFTER}\n")


# --- plain text, HTML


@damage("a text file in another encoding", {"not_utf8": 1}, [])
def text_encoding(folder: Path) -> None:
    (folder / "a.txt").write_bytes("Curaçao".encode("latin-1"))


@damage("a text file with NULs", {"nul_removed": 1}, [BEFORE])
def text_nul(folder: Path) -> None:
    (folder / "a.txt").write_bytes(BEFORE.encode() + bytes(10))


@damage("a text file of nothing but NULs", {"empty_text": 1}, [])
def text_only_nul(folder: Path) -> None:
    (folder / "a.txt").write_bytes(bytes(4096))


@damage("a text file of 0 bytes", {"empty_text": 1}, [])
def text_empty(folder: Path) -> None:
    (folder / "a.md").write_bytes(b"")


@damage("a text file over the limit", {"too_large": 1}, [])
def text_large(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"x" * (MAX_DOCUMENT_BYTES + 1))


@damage("text files in UTF-16 and UTF-32", None, [BEFORE, AFTER])
def text_utf16(folder: Path) -> None:
    (folder / "a.txt").write_bytes(BEFORE.encode("utf-16"))
    (folder / "b.txt").write_bytes(AFTER.encode("utf-32"))


@damage("a packed text file that is cut off", {"broken_file": 1}, [])
def text_cut(folder: Path) -> None:
    (folder / "a.txt.gz").write_bytes(gzip.compress(BEFORE.encode() * 100)[:-20])


PAGE = f"<html><body><article><h1>Title</h1><p>{BEFORE}, and {AFTER}, and more.</p></article></body></html>"


@damage("HTML without any text", {"no_main_text": 1}, [])
def html_empty(folder: Path) -> None:
    (folder / "a.html").write_text("<html><body><script>1</script></body></html>")


@damage("HTML that is random bytes", {"no_main_text": 1}, [])
def html_bytes(folder: Path) -> None:
    (folder / "a.html").write_bytes(bytes(range(256)) * 20)


@damage("HTML nested 50,000 deep", {"no_main_text": 1}, [])
def html_deep(folder: Path) -> None:
    (folder / "a.html").write_text("<div>" * 50_000 + "text" + "</div>" * 50_000)


@damage("HTML with tags left open", None, ["Title"])
def html_open(folder: Path) -> None:
    (folder / "a.html").write_text(PAGE.replace("</p>", "").replace("</article>", "").replace("</body>", "<"))


# --- PDF


def pdf(text: str) -> bytes:
    """Return a PDF of one page."""
    content = f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    return (
        out
        + b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
        % (
            table,
            start,
        )
    )


@damage("a PDF that is none", {"broken_file": 1}, [])
def pdf_other(folder: Path) -> None:
    (folder / "a.pdf").write_bytes(b"%PDF-1.4 and no more")


@damage("a PDF cut in half", {"broken_file": 1}, [])
def pdf_cut(folder: Path) -> None:
    (folder / "a.pdf").write_bytes(pdf(BEFORE)[:120])


@damage("a PDF whose table of contents points nowhere", None, [BEFORE])
def pdf_table(folder: Path) -> None:
    (folder / "a.pdf").write_bytes(pdf(BEFORE).replace(b"startxref\n", b"startxref\n9"))


@damage("a PDF with a password", {"encrypted": 1}, [])
def pdf_encrypted(folder: Path) -> None:
    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(BEFORE)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        writer.encrypt("secret", algorithm="RC4-128")
        writer.write(folder / "a.pdf")


@damage("a PDF of pictures, without a text", {"empty_text": 1}, [])
def pdf_scan(folder: Path) -> None:
    (folder / "a.pdf").write_bytes(pdf(""))


# --- WARC


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


# --- files that are none


@damage("a link to nothing", {"dangling_link": 1})
def dangling_link(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b""))
    (folder / "b.jsonl").symlink_to(folder / "gone.jsonl")


@damage("a link to itself", {"link_loop": 1})
def link_loop(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b""))
    (folder / "b.jsonl").symlink_to(folder / "b.jsonl")


@damage("a folder linked into itself", {"folder_loop": 1})
def folder_loop(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b""))
    (folder / "again").symlink_to(folder)


@damage("a pipe, which never ends", {"not_a_file": 1})
def pipe(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b""))
    os.mkfifo(folder / "b.jsonl")


@damage("a file and a folder that may not be read", {"unreadable_file": 1, "unreadable_folder": 1})
def no_permission(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b""))
    (folder / "b.jsonl").write_bytes(around(b""))
    (folder / "b.jsonl").chmod(0)
    (folder / "c").mkdir(mode=0)


@damage("files of unknown kinds", {"unknown_kind": 2})
def unknown_kinds(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(around(b""))
    (folder / "b.docx").write_bytes(b"PK")
    (folder / "LICENSE").write_text("all rights")


@damage("attributes of another document", {"no_attributes": 1})
def dolma_attributes(folder: Path) -> None:
    for place in ("documents", "attributes/toxic"):
        (folder / place).mkdir(parents=True)
    (folder / "documents" / "a.jsonl").write_bytes(line(id="a1") + line(AFTER, id="a2"))
    (folder / "attributes" / "toxic" / "a.jsonl").write_bytes(
        b'{"id": "a1", "attributes": {"score": [[0, 5, 0.1]]}}\n{"id": "other", "attributes": {}}\n'
    )


def table() -> str:
    """Return what becomes of each kind when all are read in one run, as a table in Markdown."""
    from hinterland.core.corpus import Corpus
    from hinterland.core.engine import LocalEngine
    from hinterland.curate.read import ReadConfig, read_corpus

    lines = ["| kind | what is damaged | ledger | read |", "|---|---|---|--:|"]
    total: Counter[str] = Counter()
    with TemporaryDirectory() as folder:
        place = Path(folder)
        config = ReadConfig(max_document_bytes=MAX_DOCUMENT_BYTES)
        for kind in write_all(place / "in"):
            out = place / kind.name
            result = read_corpus(
                [place / "in" / kind.name], out, config, engine=LocalEngine(), work=out / "work"
            )
            total.update(result.counts)
            ledger = ", ".join(f"`{name}` {number}" for name, number in result.reasons.items()) or "–"
            read = len(Corpus.open(result.corpus))
            lines.append(f"| {kind.name} | {kind.about} | {ledger} | {read} |")
    lines += ["", f"{total['in']} in = {total['read']} read + {total['rejected']} rejected"]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")

"""Damage to lines of JSON."""

from __future__ import annotations

from pathlib import Path

from damage.kinds import AFTER, BEFORE, MAX_DOCUMENT_BYTES, around, damage, line


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

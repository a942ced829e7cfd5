"""The check finds what was left, in every kind of file, and nothing where nothing is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.changing_index import EMBEDDER, secret

from hinterland.core.errors import IndexBundleError
from hinterland.indexes.lexical import LexicalConfig, LexicalIndex
from hinterland.indexes.residue import refuse_residue, scan
from hinterland.indexes.residue_patterns import STRIDE, WINDOW, Patterns, escaped
from hinterland.indexes.residue_traces import Traces
from hinterland.indexes.segments import write_block
from hinterland.indexes.version import passages_of


def chunks(numbers: range) -> pa.Table:
    return pa.table(
        {
            "id": [f"number-{number}#abcdef" for number in numbers],
            "document_id": [f"number-{number}" for number in numbers],
            "text": [secret(number) for number in numbers],
            "title": ["Ledgers"] * len(numbers),
            "url": [f"https://example.org/{number}" for number in numbers],
        }
    )


REMOVED, KEPT = chunks(range(0, 3)), chunks(range(3, 9))
VECTORS = EMBEDDER.passages(passages_of(REMOVED))
TRACES = Traces.of(
    REMOVED,
    KEPT,
    lexical=LexicalConfig(),
    vectors=VECTORS,
    kept_vectors=[EMBEDDER.passages(passages_of(KEPT))],
)
PIECE = secret(1)[100:140]


def parquet(column: pa.Array) -> Callable[[Path], None]:
    return lambda folder: pq.write_table(
        pa.table({"column": column}), folder / "some.bin", compression="zstd"
    )


def cached(folder: Path) -> None:
    write_block(folder / "segment.vectors", passages_of(REMOVED)[:1], VECTORS[:1])


PLANTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda folder: (folder / "notes.txt").write_text(f"xyz{PIECE}"), "a piece of text"),
    "binary": (
        lambda folder: (folder / "x.bin").write_bytes(b"\0\1\2" * 7 + PIECE.encode()),
        "a piece of text",
    ),
    "escaped": (lambda folder: (folder / "x.dat").write_text(json.dumps(["é", PIECE])), "a piece of text"),
    "json value": (
        lambda folder: (folder / "x.json").write_text(json.dumps({"a": PIECE})),
        "a piece of text",
    ),
    "json key": (lambda folder: (folder / "x.json").write_text(json.dumps({PIECE: 1})), "a piece of text"),
    "json id": (
        lambda folder: (folder / "x.json").write_text('{"a": ["number-2"]}'),
        "an id or a short text",
    ),
    "json lines": (
        lambda folder: (folder / "x.jsonl").write_text('{"a": 1}\n{"b": "number-2"}\n'),
        "an id or a short text",
    ),
    "parquet": (parquet(pa.array(["a" * 1000, PIECE])), "a piece of text"),
    "parquet dictionary": (parquet(pa.array([PIECE] * 9).dictionary_encode()), "a piece of text"),
    "parquet list": (parquet(pa.array([["b"], [PIECE]])), "a piece of text"),
    "parquet binary": (parquet(pa.array([PIECE.encode()])), "a piece of text"),
    "parquet id": (parquet(pa.array(["number-1", "number-7"])), "an id or a short text"),
    "parquet vectors": (parquet(pa.array(list(VECTORS[1]))), "a vector"),
    "parquet lists of numbers": (
        parquet(pa.array([VECTORS[2].tolist()], pa.list_(pa.float32()))),
        "a vector",
    ),
    "npy": (lambda folder: np.save(folder / "v.npy", VECTORS), "a vector"),
    "cache": (cached, "a cached vector"),
    "name": (lambda folder: (folder / "number-1").write_text("x"), "its name"),
    "hidden": (lambda folder: (folder / ".half.tmp").write_text(PIECE), "a piece of text"),
    "below": (
        lambda folder: ((folder / ".a").mkdir(), (folder / ".a" / "b").write_text(PIECE)),
        "a piece of text",
    ),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_what_is_planted_is_found(tmp_path: Path, plant: str) -> None:
    act, what = PLANTS[plant]
    (tmp_path / "innocent.json").write_text(json.dumps({"text": secret(5), "id": "number-5"}))
    pq.write_table(KEPT, tmp_path / "kept.parquet")
    np.save(tmp_path / "kept.npy", EMBEDDER.passages(passages_of(KEPT)))
    clean = scan(tmp_path, TRACES)
    assert clean.as_dict()["clean"]
    assert clean.files == 3
    refuse_residue(clean, tmp_path)
    act(tmp_path)
    report = scan(tmp_path, TRACES)
    assert what in [each["what"] for each in report.found], report.found
    assert not {each["file"] for each in report.found} & {"innocent.json", "kept.parquet", "kept.npy"}
    assert PIECE not in json.dumps(report.as_dict())
    with pytest.raises(IndexBundleError, match="still there") as error:
        refuse_residue(report, tmp_path)
    assert report.found[0]["file"] in str(error.value)


def test_a_word_that_only_removed_passages_have(tmp_path: Path) -> None:
    LexicalIndex.build(passages_of(KEPT), LexicalConfig()).save(tmp_path / "bm25")
    assert not scan(tmp_path, TRACES).found
    vocabulary = tmp_path / "bm25" / "vocab.index.json"
    words = json.loads(vocabulary.read_text())
    vocabulary.write_text(json.dumps({**words, "quokka2x7": len(words)}))
    assert [each["what"] for each in scan(tmp_path, TRACES).found] == [
        "a word that only removed passages have"
    ]


def test_a_torn_parquet_file_is_not_passed_over(tmp_path: Path) -> None:
    pq.write_table(KEPT, tmp_path / "kept.parquet")
    data = (tmp_path / "kept.parquet").read_bytes()
    (tmp_path / "kept.parquet").write_bytes(data[: len(data) // 2])
    assert "cannot be read as Parquet" in scan(tmp_path, TRACES).found[0]["what"]


def test_what_a_kept_text_shares_is_no_trace() -> None:
    shared = "This sentence stands in both of the documents, word for word."
    patterns = Patterns.of_texts(
        [f"{shared} Only here: a purple elephant hums softly."], [f"Intro. {shared}"]
    )
    assert not patterns.find(shared.encode())
    assert patterns.find(b"a purple elephant hums softly.")


@given(st.text(min_size=WINDOW + STRIDE, max_size=200), st.integers(0, 10_000), st.binary(max_size=50))
def test_any_long_enough_piece_is_found_at_any_place(text: str, place: int, before: bytes) -> None:
    for data in (text.encode(), escaped(text)):
        length = min(WINDOW + STRIDE - 1, len(data))
        start = place % (len(data) - length + 1)
        patterns = Patterns.of_texts([text], [])
        assert patterns.find(before + data[start : start + length] + b"xyz")


@given(st.lists(st.binary(min_size=8, max_size=24), min_size=1, max_size=20), st.binary(max_size=400))
def test_found_is_what_a_plain_search_finds(pieces: list[bytes], data: bytes) -> None:
    data = data + pieces[0] + data
    patterns = Patterns(pieces)
    assert {patterns.pieces[number] for number in patterns.find(data)} == {
        piece for piece in patterns.pieces if piece in data
    }

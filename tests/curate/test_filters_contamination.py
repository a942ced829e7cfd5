"""Shared n-grams: by hand, against a plain search, and sets that cannot be read."""

from __future__ import annotations

import gzip
import json
import math
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError, CorpusError
from hinterland.curate.filters.contamination import Contamination, strings
from hinterland.curate.words import Batch

QUESTION = (
    "Which of the harbours on the north coast was closed in 1953 after the storm, and who ordered it closed?"
)
NAMES = ("contamination.ngrams", "contamination.share", "contamination.set")


def write(path: Path, rows: list[object]) -> str:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return str(path)


def test_a_copied_question_by_hand(tmp_path: Path) -> None:
    one = write(tmp_path / "harbours.jsonl", [{"question": QUESTION, "answer": "the mayor"}])
    two = write(tmp_path / "other.jsonl.gz", [{"text": "a b c d e f g h i j k l m n o p"}])
    found = Contamination(
        sets=[one, two]
    ).score(
        [
            f"Quiz! {QUESTION.upper()} Nobody knows.",  # 20 words, so 8 places
            " ".join(QUESTION.replace(",", " --").split()[3:17]),  # 13 words and a dash
            " ".join(QUESTION.split()[:12]),  # too short for a 13-gram
            QUESTION.replace("1953", "1954"),  # another question
            "x a b c d e f g h i j k l m q " + QUESTION,
            "",
        ]
    )
    assert found["contamination.ngrams"].tolist() == [8, 1, 0, 0, 1 + 8, 0]
    shares = found["contamination.share"]
    assert shares[:5].tolist() == [20 / 23, 1.0, 0, 0, (13 + 20) / (15 + 20)]
    assert math.isnan(shares[5])
    assert found["contamination.set"].tolist() == ["harbours", "harbours", None, None, "other", None]


def test_the_rule_comes_with_the_sets(tmp_path: Path) -> None:
    assert Contamination().rules == ()
    chosen = Contamination(sets=[write(tmp_path / "a.jsonl", [QUESTION and {"text": QUESTION}])])
    (rule,) = chosen.rules
    assert rule.passes(chosen.score([QUESTION, "clean"])[rule.column]).tolist() == [False, True]


def test_short_texts_are_looked_for_whole_from_eight_words(tmp_path: Path) -> None:
    eight, seven = "one two three four five six seven eight", "one two three four five six seven"
    path = write(tmp_path / "s.jsonl", [{"q": eight}, {"q": seven}, {"q": seven, "long": QUESTION}, {"n": 3}])
    chosen = Contamination(sets=[path])
    assert chosen.info() == [{"name": "s", "items": 4, "ngrams": 1 + 8, "whole": 1, "too_short": 2}]
    found = chosen.score([f"zero {eight} nine", f"zero {seven} nine"])
    assert found["contamination.ngrams"].tolist() == [1, 0]
    assert found["contamination.share"].tolist() == [0.8, 0]


def test_kinds_of_sets_and_names(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    pq.write_table(pa.table({"choices": [[QUESTION, "no"]], "n": [1]}), tmp_path / "x" / "qa.parquet")
    (tmp_path / "notes.txt").write_text(
        QUESTION[::-1] + " of no use in the least to anyone at all here or there"
    )
    other = write(tmp_path / "qa.jsonl", [{"text": "nine ten " * 10}])
    chosen = Contamination(sets=[str(tmp_path / "x"), str(tmp_path / "notes.txt"), other])
    found = chosen.score([QUESTION, "of no use in the least to anyone at all here or there", "ten nine " * 8])
    assert found["contamination.set"].tolist() == ["x/qa", "notes", f"{tmp_path.name}/qa"]


def test_only_the_fields_that_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [{"question": QUESTION, "source": "w " * 20}])
    found = Contamination(sets=[path], fields=["question"]).score([QUESTION, "w " * 20])
    assert (found["contamination.ngrams"] > 0).tolist() == [True, False]
    with pytest.raises(ConfigError, match="no field 'answer'"):
        Contamination(sets=[path], fields=["answer"]).score([QUESTION])


def plain(text: str, sets: list[str], n: int) -> tuple[int, int]:
    """Return places and covered words by comparing every pair of n-grams."""
    split = [re.findall(r"\w+", each) for each in sets]
    wanted = {tuple(item[at : at + n]) for item in split for at in range(len(item) - n + 1)}
    wanted |= {tuple(item) for item in split if 8 <= len(item) < n}
    doc = re.findall(r"\w+", text)
    places, covered = 0, set()
    for gram in wanted:
        for at in range(len(doc) - len(gram) + 1):
            if tuple(doc[at : at + len(gram)]) == gram:
                places += 1
                covered |= set(range(at, at + len(gram)))
    return places, len(covered)


LETTERS = st.lists(st.sampled_from("ab"), max_size=40).map(" ".join)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LETTERS, min_size=1, max_size=3), st.lists(LETTERS, max_size=3), LETTERS)
def test_as_many_as_a_plain_search_finds(
    tmp_path: Path, sets: list[str], others: list[str], text: str
) -> None:
    long = "a b b a b a a b b a"
    chosen = Contamination(sets=[write(tmp_path / "s.jsonl", [{"t": each} for each in [*sets, long]])], n=9)
    alone, together = chosen.score([text]), chosen.score(Batch([*others, text]))
    places, covered = plain(text, [*sets, long], 9)
    assert alone["contamination.ngrams"][0] == places
    if text:
        assert alone["contamination.share"][0] == covered / len(text.split())
    for name in NAMES:
        one, other = alone[name][0], together[name][-1]
        assert one == other or (math.isnan(one) and math.isnan(other))


def test_no_texts(tmp_path: Path) -> None:
    found = Contamination(sets=[write(tmp_path / "a.jsonl", [{"t": QUESTION}])]).score([])
    assert [len(found[name]) for name in NAMES] == [0, 0, 0]


def test_a_changed_set_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    chosen = Contamination(sets=[write(path, [{"t": "q " * 20}])])
    before = chosen.content()
    assert not chosen.score([QUESTION])["contamination.ngrams"][0]
    write(path, [{"t": QUESTION}])
    assert chosen.content() != before
    assert chosen.score([QUESTION])["contamination.ngrams"][0] == 8


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{not json}\n", "not JSON"),
        (b"[1]\n", "not an object but list"),
        (b'{"t": "\xff"}\n', "not JSON"),
        (b'{"t": "too few words"}\n', "nothing to look for"),
        (b"", "nothing to look for"),
    ],
)
def test_a_set_that_cannot_be_read_is_an_error(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_bytes(content)
    with pytest.raises(CorpusError, match=message):
        Contamination(sets=[str(tmp_path / "bad.jsonl")]).score(["x"])


def test_a_zst_set_is_read(tmp_path: Path) -> None:
    import zstandard

    lines = "\n" + json.dumps({"t": QUESTION}) + "\n"
    (tmp_path / "a.jsonl.zst").write_bytes(zstandard.compress(lines.encode()))
    chosen = Contamination(sets=[str(tmp_path / "a.jsonl.zst")])
    assert chosen.score([QUESTION])["contamination.set"].tolist() == ["a"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl.gz", b"\x1f\x8b\x08"),
        ("a.parquet", b"PAR1"),
        ("a.jsonl.zst", b"nonsense"),
        ("a.txt", b"\xff"),
    ],
)
def test_a_truncated_set_is_an_error(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match="not readable"):
        Contamination(sets=[str(tmp_path / name)]).score(["x"])


def test_bad_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no evaluation set"):
        Contamination().score(["x"])
    with pytest.raises(ConfigError, match="sets is a list"):
        Contamination(sets="a.jsonl")
    with pytest.raises(ConfigError, match="n is 3"):
        Contamination(n=3)
    with pytest.raises(CorpusError, match="no such file"):
        Contamination(sets=[str(tmp_path / "none.jsonl")]).score(["x"])
    (tmp_path / "a.bin").write_bytes(b"")
    with pytest.raises(CorpusError, match="nothing to read"):
        Contamination(sets=[str(tmp_path / "a.bin")]).content()


def test_strings_of_a_row() -> None:
    assert list(strings({"a": "x", "b": [1, "y", {"c": ("z", None)}]})) == ["x", "y", "z"]


def test_shares_are_shares(tmp_path: Path) -> None:
    chosen = Contamination(sets=[write(tmp_path / "a.jsonl", [{"t": "a b " * 30}])])
    found = chosen.score(["a b " * 50, "b a " * 9])
    np.testing.assert_array_equal(found["contamination.share"], [1, 1])

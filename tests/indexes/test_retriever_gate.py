"""The gate: p-values worked by hand; a worse encoder is refused, a better one let through."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError
from hinterland.indexes.adapt_retriever.documents import Passage
from hinterland.indexes.adapt_retriever.exam import PSEUDO, given_exam, pseudo_exam
from hinterland.indexes.adapt_retriever.gate import Exam, compare, scores, sign_flip
from hinterland.indexes.adapt_retriever.settings import GateSettings
from hinterland.indexes.queries import read_judgements, read_queries

GATE = GateSettings()


@given(st.lists(st.sampled_from([-0.5, 0.0, 0.25, 1.0]), min_size=2, max_size=9))
@settings(deadline=None)  # the first call loads scipy
def test_p_is_the_share_of_sign_patterns(differences: list[float]) -> None:
    found = [value for value in differences if value]
    if len(found) < 2:
        assert sign_flip(differences, resamples=9999, seed=0) == 1
        return
    means = [np.mean(np.array(signs) * found) for signs in product((-1, 1), repeat=len(found))]
    above = np.mean(np.array(means) >= np.mean(found) - 1e-12)
    below = np.mean(np.array(means) <= np.mean(found) + 1e-12)
    assert sign_flip(differences, resamples=9999, seed=0) == pytest.approx(min(1, 2 * min(above, below)))


def test_six_equal_gains_are_the_fewest_that_pass() -> None:
    exam = Exam((), (), (), (), "by hand")
    five = compare([0.1] * 5, [0.2] * 5, exam, GATE, seed=0)
    six = compare([0.1] * 6, [0.2] * 6, exam, GATE, seed=0)
    assert (five.p, five.better) == (pytest.approx(2 / 2**5), False)
    assert (six.p, six.better) == (pytest.approx(2 / 2**6), True)
    worse = compare([0.2] * 6, [0.1] * 6, exam, GATE, seed=0)
    assert (worse.p, worse.better, worse.difference) == (six.p, False, pytest.approx(-0.1))


def test_made_up_queries_must_gain_in_each_kind() -> None:
    kinds = ("title",) * 8 + ("cloze",) * 8
    exam = Exam((), (), (), (), "by hand", kinds)
    both = compare([0.1] * 16, [0.2] * 16, exam, GATE, seed=0)
    one = compare([0.1] * 16, [0.9] * 8 + [0.2] * 4 + [0.0] * 4, exam, GATE, seed=0)
    assert (both.better, sorted(both.by_kind)) == (True, ["cloze", "title"])
    assert both.by_kind["title"] == {"queries": 8, "difference": pytest.approx(0.1), "p": 2 / 2**8}
    assert (one.p < 0.05, one.difference > 0, one.better) == (True, True, False)


def test_noise_passes_no_more_often_than_promised() -> None:
    exam, passed = Exam((), (), (), (), "noise"), 0
    for seed in range(60):
        draw = np.random.default_rng(seed)
        how = GATE.model_copy(update={"resamples": 99})
        passed += compare(draw.random(40), draw.random(40), exam, how, seed=seed).better
    assert passed <= 6  # half of alpha, 1.5 of 60, are expected; 7 or more have a chance of 0.1 %


class Points:
    """An encoder that knows where each text lies; queries may be blurred."""

    def __init__(self, places: dict[str, int], blur: float) -> None:
        self.places, self.blur, self.dimension = places, blur, len(places)

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.eye(self.dimension, dtype=np.float32)[[self.places[text] for text in texts]]

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        noise = np.random.default_rng(0).normal(size=(len(texts), self.dimension))
        mixed = self.passages([text.removesuffix("?") for text in texts]) + self.blur * noise
        return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), np.float32)


def test_a_better_encoder_passes_and_a_worse_one_does_not() -> None:
    names = [f"t{number}" for number in range(40)]
    exam = Exam(
        tuple(names), tuple(names), tuple(f"{n}?" for n in names), tuple({n: 1.0} for n in names), "planted"
    )
    places = {name: number for number, name in enumerate(names)}
    sharp, dull = (scores(Points(places, blur), exam, k=10) for blur in (0.0, 0.6))  # type: ignore[arg-type]
    assert sharp.tolist() == [1.0] * 40
    assert dull.mean() < 0.9
    assert compare(dull, sharp, exam, GATE, seed=0).better
    assert not compare(sharp, dull, exam, GATE, seed=0).better
    assert not compare(sharp, sharp, exam, GATE, seed=0).better


def test_a_document_ranks_where_its_best_passage_does() -> None:
    exam = Exam(("a0", "b0", "a1"), ("a", "b", "a"), ("a1?",), ({"a": 1.0},), "by hand")
    assert scores(Points({"a0": 0, "b0": 1, "a1": 2}, 0.0), exam, k=1).tolist() == [1.0]  # type: ignore[arg-type]


def passages(count: int, *, titled: bool) -> list[Passage]:
    text = "Here is the first sentence of {0}. And there is a second one of {0}."
    return [
        Passage(f"d{n}", 0, f"Title {n}" if titled else "", text.format(f"number{n}")) for n in range(count)
    ]


def test_no_question_stands_in_its_answer() -> None:
    held_out, rest = (
        passages(8, titled=True),
        [Passage("other", 0, "Other", "Of another document altogether.")],
    )
    exam = pseudo_exam(held_out, rest, GATE, seed=0)
    assert exam.source == PSEUDO
    assert sorted(exam.kinds) == ["cloze"] * 4 + ["title"] * 4
    assert len(exam.queries) == 8
    assert {query.startswith("Title") for query in exam.queries} == {True, False}
    for query, relevant in zip(exam.queries, exam.relevant, strict=True):
        answers = [p for p, d in zip(exam.passages, exam.documents, strict=True) if d in relevant]
        assert answers
        assert not any(query in answer for answer in answers)
    assert exam.passages[-1] == "Other\nOf another document altogether."
    few = GATE.model_copy(update={"passages": 10, "queries": 6})
    assert len(pseudo_exam(held_out, rest * 9, few, seed=0).passages) == 10
    untitled = pseudo_exam(passages(6, titled=False), [], GATE, seed=0)
    assert all("sentence of" in query or "second one" in query for query in untitled.queries)
    with pytest.raises(ConfigError, match="5 held-out documents"):
        pseudo_exam(held_out[:5], rest, GATE, seed=0)


def test_given_queries_are_read_and_checked(tmp_path: Path) -> None:
    lines = [json.dumps({"_id": f"q{n}", "text": f"Query {n}"}) for n in range(7)]
    (tmp_path / "queries.jsonl").write_text("\n".join(lines) + "\n")
    judged = ["query-id\tcorpus-id\tscore", *(f"q{n}\td{n}\t1" for n in range(6)), "q6\tgone\t1", "q0\td3\t0"]
    (tmp_path / "qrels.tsv").write_text("\n".join(judged))
    judgements = read_queries(tmp_path / "queries.jsonl"), read_judgements(tmp_path / "qrels.tsv")
    exam = given_exam(passages(6, titled=True), *judgements)
    assert exam.queries == tuple(f"Query {n}" for n in range(6))  # q6 has no answer here
    assert exam.relevant[0] == {"d0": 1.0}
    with pytest.raises(ConfigError, match="5 queries have a relevant document"):
        given_exam(passages(5, titled=True), *judgements)

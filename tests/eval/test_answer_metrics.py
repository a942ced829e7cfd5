from __future__ import annotations

import math
import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.errors import RegistryError
from hinterland.eval.metrics import METRICS, contains, exact_match, f1
from hinterland.eval.metrics.normalise import normalise, tokens


def squad_normalise(text: str) -> str:
    """The official SQuAD v1.1 normalisation, written from its evaluation script."""
    text = text.lower()
    text = "".join(character for character in text if character not in set(string.punctuation))
    text = re.sub(r"\b(a|an|the)\b", " ", text)
    return " ".join(text.split())


def squad_f1(prediction: str, truth: str) -> float:
    prediction_tokens = squad_normalise(prediction).split()
    truth_tokens = squad_normalise(truth).split()
    same = sum((Counter(prediction_tokens) & Counter(truth_tokens)).values())
    if same == 0:
        return 0.0
    precision, recall = same / len(prediction_tokens), same / len(truth_tokens)
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Nile.", "nile"),
        ("São Tomé", "sao tome"),
        ("Nukuʻalofa", "nukualofa"),
        ("Nuku'alofa", "nukualofa"),
        ("Nuku’alofa", "nukualofa"),
        ("Łódź", "lodz"),
        ("Tórshavn", "torshavn"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("Malmø–Århus", "malmoarhus"),
        ("−5 °C", "5 c"),
        ("5\u00a0000", "5 000"),
        ("soft\u00adhyphen", "softhyphen"),
        ("ＮＡＩＲＯＢＩ", "nairobi"),
        ("the theatre of an animal", "theatre of animal"),
        ("", ""),
        ("?!", ""),
    ],
)
def test_normalise_by_hand(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_vowel_signs_of_other_scripts_stay() -> None:
    assert normalise("दिल्ली") == "दिल्ली"
    assert normalise("दिल्ली") != normalise("दल")
    assert normalise("서울") == "서울"
    assert normalise("Орёл") == normalise("Орел")


@given(st.text())
def test_normalise_twice_is_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(alphabet=string.printable))
def test_normalise_is_squads_on_ascii(text: str) -> None:
    assert normalise(text) == squad_normalise(text)


WORDS = st.lists(st.sampled_from(["the", "nile", "a", "river", "of", "Egypt", "!", "..."])).map(" ".join)


@given(WORDS, WORDS)
def test_f1_is_squads_on_ascii(prediction: str, truth: str) -> None:
    if tokens(prediction) or tokens(truth):
        assert f1(prediction, [truth]) == pytest.approx(squad_f1(prediction, truth))
    else:
        assert f1(prediction, [truth]) == 1.0  # SQuAD 2.0: nothing said, nothing asked for


@given(st.text(), st.lists(st.text(), min_size=1, max_size=4))
def test_metrics_are_bounded_and_take_the_best(prediction: str, answers: list[str]) -> None:
    for metric in (exact_match, f1, contains):
        value = metric(prediction, answers)
        assert 0.0 <= value <= 1.0
        assert value == max(metric(prediction, [answer]) for answer in answers)
    assert exact_match(prediction, answers) <= f1(prediction, answers)


@given(st.text())
def test_a_text_is_its_own_answer(text: str) -> None:
    assert exact_match(text, [text]) == 1.0
    assert f1(text, [text]) == 1.0


def test_f1_by_hand() -> None:
    # One of two words right, the one gold word found: P = 1/2, R = 1, F1 = 2/3.
    assert f1("River Nile", ["the Nile"]) == pytest.approx(2 / 3)
    # Two common of three said and four gold: 2·2/(3+4).
    assert f1("blue white nile", ["white nile of sudan"]) == pytest.approx(4 / 7)
    # A repeated word counts as often as it is in both.
    assert f1("nile nile nile", ["nile nile"]) == pytest.approx(4 / 5)
    assert f1("", ["Nile"]) == 0.0
    assert f1("wrong", ["Nile", "wrong one"]) == pytest.approx(2 / 3)


def test_contains_whole_words_only() -> None:
    assert contains("It borders Romania.", ["Oman"]) == 0.0
    assert contains("It is the Sultanate of Oman.", ["Oman"]) == 1.0
    assert contains("I think: Addis  Ababa!", ["Addis Ababa"]) == 1.0
    assert contains("Ababa Addis", ["Addis Ababa"]) == 0.0
    assert contains("anything", ["?"]) == 0.0


def test_without_gold_it_is_unmeasured() -> None:
    for name in METRICS:
        assert math.isnan(METRICS.get(name)("x", []))


def test_an_unknown_metric_names_the_nearest() -> None:
    with pytest.raises(RegistryError, match="did you mean 'exact_match'"):
        METRICS.get("exact_macth")

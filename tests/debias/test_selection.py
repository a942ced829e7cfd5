"""Quotas, caps and draws: by hand, what must hold for any corpus, and bad input."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError, CorpusError
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.debias.cap import cap, share_limit
from hinterland.curate.debias.pareto import pareto
from hinterland.curate.debias.quota import quota
from hinterland.curate.debias.rake import rake
from hinterland.curate.debias.selection import Selection
from hinterland.curate.sampling import keep_probability

GROUP = ["web"] * 5 + ["news"] * 3 + ["law"] * 2
QUALITY = [0.1, 0.5, 0.3, 0.9, 0.7, 0.2, 0.4, math.nan, 0.6, 0.8]
TOKENS = [10, 20, 30, 40, 50, 10, 10, 10, 100, 5]


def test_quota_takes_the_best_and_says_what_is_short() -> None:
    result = quota(GROUP, {"web": 2, "news": 2, "law": 4}, quality=QUALITY, tokens=TOKENS)
    assert np.flatnonzero(result.keep).tolist() == [3, 4, 5, 6, 8, 9]
    assert result.unmet == {"law": "2 documents of 4 wanted: no more are there"}
    assert result.cost.quality_before == pytest.approx(np.nanmean(QUALITY))
    assert result.cost.quality_after == pytest.approx(np.mean([0.9, 0.7, 0.2, 0.4, 0.6, 0.8]))
    assert result.groups["web"].wanted == 2
    assert result.notes == ("1 kept document has no quality and comes last.",)
    text = str(result)
    assert text.startswith("Quota in documents: 2 groups change.")
    assert "  web: 5 → 2 (2)" in text
    assert "Not met: law: 2 documents of 4 wanted" in text
    assert result.to_dict()["method"] == "quota"


def test_quota_of_tokens_stops_before_it_is_over() -> None:
    result = quota(GROUP, {"web": 95}, of="tokens", quality=QUALITY, tokens=TOKENS, others="drop")
    # 40 + 50 fit, the next best (20) does not.
    assert np.flatnonzero(result.keep).tolist() == [3, 4]
    assert result.groups["web"].after == 90
    assert result.unmet == {}
    assert "5 kept documents are in groups without a quota; they go." in result.notes
    short = quota(GROUP, {"web": 500}, of="tokens", tokens=TOKENS)
    assert short.unmet == {"web": "150 tokens of 500 wanted: no more are there (5 documents)"}
    assert short.keep.all()


def test_quota_by_shares() -> None:
    result = quota(GROUP, shares={"web": 0.5, "news": 0.5}, quality=QUALITY)
    # Of the 8 kept of the two, 4 each; news has 3.
    assert (result.groups["web"].kept_after, result.groups["news"].kept_after) == (4, 3)
    assert list(result.unmet) == ["news"]
    assert result.groups["law"].kept_after == 2
    third = quota(GROUP, shares={"web": 0.34, "news": 0.33}, total=9)
    assert [third.groups[g].kept_after for g in ("web", "news")] == [3, 2]
    assert third.unmet == {}


def test_quota_fills_up_with_the_least_severe() -> None:
    kept = [True] * 2 + [False] * 3 + [True] * 5
    severity = [0, 0, 0.3, 0.1, math.nan, 0, 0, 0, 0, 0]
    result = quota(GROUP, {"web": 3}, kept=kept, severity=severity, quality=QUALITY)
    assert np.flatnonzero(result.keep).tolist() == [0, 1, 3, 5, 6, 7, 8, 9]
    assert result.cost.documents_readmitted == 1
    barred = quota(
        GROUP, {"web": 5}, kept=kept, severity=severity, locked_out=[False] * 3 + [True] + [False] * 6
    )
    assert barred.unmet == {"web": "3 documents of 5 wanted: no more are there"}
    assert not quota(GROUP, {"news": 3}, kept=kept, severity=severity).keep[2:5].any()


def test_quota_refuses_what_makes_no_sense() -> None:
    for message, arguments in {
        "either wanted or shares": {},
        "no group 'wbe'": {"wanted": {"wbe": 1}},
        "the quota of 'web' is -1": {"wanted": {"web": -1}},
        "the quota of 'web' is nan": {"wanted": {"web": math.nan}},
        "above 1": {"shares": {"web": 0.9, "news": 0.9}},
        "total is 5": {"wanted": {"web": 1}, "total": 5},
        "others is 'go'": {"wanted": {"web": 1}, "others": "go"},
        "of is 'words'": {"wanted": {"web": 1}, "of": "words"},
    }.items():
        with pytest.raises(ConfigError, match=message):
            quota(GROUP, **arguments)  # type: ignore[arg-type]


def test_cap_keeps_the_best_of_each() -> None:
    result = cap(GROUP, 2, quality=QUALITY)
    assert np.flatnonzero(result.keep).tolist() == [3, 4, 5, 6, 8, 9]
    tokens = cap(GROUP, 60, of="tokens", tokens=TOKENS, quality=QUALITY)
    # web: 40, then 50 does not fit, which ends it; law: 5, as the 100 alone is too large.
    assert np.flatnonzero(tokens.keep).tolist() == [3, 5, 6, 7, 9]
    single = cap(GROUP, most_of={"web": 1}, quality=QUALITY)
    assert single.groups["web"].kept_after == 1
    assert single.groups["news"].kept_after == 3
    assert cap(GROUP, 10).notes == ("No group is above its cap: nothing changes.",)
    unknown = cap([*["a"] * 3, None, None], 1)  # type: ignore[list-item]
    assert unknown.keep.tolist() == [True, False, False, True, True]
    assert "2 kept documents have no known group and are not capped." in unknown.notes


def test_one_is_no_plural() -> None:
    one = cap(["web", "web", None], 1, quality=[1, math.nan, 1])  # type: ignore[list-item]
    assert str(one).splitlines()[:4] == [
        "Cap in documents: 1 group changes.",
        "Before → after (at most):",
        "  web: 2 → 1 (1)",
        "0 documents come back (0 tokens), 1 goes (1 token, 33% of those kept before); 3 tokens become 2.",
    ]
    assert one.notes == (
        "1 kept document has no quality and comes last.",
        "1 kept document has no known group and is not capped.",
    )
    quotas = quota(GROUP, {"web": 5, "news": 3}, kept=[True] * 9 + [False])
    assert quotas.notes == ("1 kept document is in a group without a quota; it stays.",)
    raked = rake({"g": ["a", "b", "c"]}, {"g": {"a": 9, "b": 1}}, max_weight=1.5)
    assert "its 1 document would need weight 1.8" in str(raked)
    assert "Note: 1 kept document is in no group of the reference of g: it keeps its share." in str(raked)
    assert "met together after 1 sweep." in str(raked)


def test_cap_to_a_share_by_hand() -> None:
    # c = 0.4 (c + 3 + 2), so c = 3 1/3: 3 of web, and 3 of 8 is below 40%.
    result = cap(GROUP, share=0.4)
    assert [result.groups[g].kept_after for g in ("web", "news", "law")] == [3, 3, 2]
    # Two are capped: c = 0.34 × 4 / (1 − 0.68) = 4.25.
    assert share_limit(np.array([5.0, 5.0, 4.0]), 0.34) == pytest.approx(4.25)
    assert share_limit(np.array([1.0, 1.0]), 0.5) >= 1
    assert share_limit(np.array([9.0]), 0.1, others=9.0) == pytest.approx(1.0)
    with pytest.raises(ConfigError, match=r"3 groups cannot each have at most 0\.2 of what is kept"):
        cap(GROUP, share=0.2)


def test_cap_refuses_what_makes_no_sense() -> None:
    for message, arguments in {
        "no limit": {},
        "two limits": {"most": 1, "share": 0.5},
        "limit most is -1": {"most": -1},
        "no group 'wbe'": {"most_of": {"wbe": 1}},
        "share is 0": {"share": 0},
    }.items():
        with pytest.raises(ConfigError, match=message):
            cap(GROUP, **arguments)  # type: ignore[arg-type]
    with pytest.raises(CorpusError, match="different lengths"):
        cap(GROUP, 1, quality=[1])
    assert cap([], 5).keep.tolist() == []


@pytest.mark.parametrize(
    "select", [lambda *a, **k: cap(*a, 100, **k), lambda *a, **k: quota(*a, {"web": 100}, **k)]
)
def test_between_equals_ids_say_nothing(select: Callable[..., Selection]) -> None:
    # Ids begin with a place, and the places' order is that of the ids.
    ids = [f"{place}-{number:03d}" for place in ("aa", "bb", "cc", "dd") for number in range(100)]
    group, place = ["web"] * 400, np.repeat(np.arange(4), 100)
    keep = select(group, ids=ids, seed=1).keep
    counts = np.bincount(place[keep], minlength=4)
    assert counts.sum() == 100
    # Hypergeometric: 25 of each expected, standard deviation 3.76.
    assert (np.abs(counts - 25) < 4 * 3.76).all()
    order = np.random.default_rng(0).permutation(400)
    turned = select(group, ids=pa.array([ids[i] for i in order]), seed=1).keep
    assert turned.tolist() == keep[order].tolist()
    assert select(group, ids=np.array(ids), seed=2).keep.tolist() != keep.tolist()
    # The best by quality still go first.
    best = select(group, ids=ids, seed=1, quality=(place == 3).astype(float)).keep
    assert best.tolist() == (place == 3).tolist()


def test_ids_are_as_many_as_documents() -> None:
    with pytest.raises(CorpusError, match="documents 10, ids 2"):
        cap(GROUP, 1, ids=["a", "b"])
    assert cap(GROUP, 1, ids=np.arange(10)).keep.sum() == 3  # type: ignore[arg-type]
    assert cap([], 1, ids=[]).keep.tolist() == []


def test_pareto_by_hand_and_by_group() -> None:
    ids = [f"d{i}" for i in range(4000)]
    score = [1.0] * 1000 + [0.5] * 3000
    group = ["a"] * 2000 + ["b"] * 2000
    result = pareto(score, group, ids, alpha=2, seed=3)
    assert result.keep[:1000].all()
    # (2 − 0.5)^−2 = 4/9
    assert result.groups["a"].wanted == pytest.approx(1000 + 1000 * 4 / 9)
    assert result.groups["b"].wanted == pytest.approx(2000 * 4 / 9)
    assert result.groups["b"].kept_after == pytest.approx(2000 * 4 / 9, abs=4 * math.sqrt(2000 * 20 / 81))
    assert set(result.weight.tolist()) == {0.0, 1.0}
    assert "expected" in str(result)
    order = np.random.default_rng(0).permutation(4000)
    again = pareto(np.array(score)[order], np.array(group)[order], [ids[i] for i in order], alpha=2, seed=3)
    assert again.keep.tolist() == result.keep[order].tolist()
    assert pareto(score, group, ids, alpha=2, seed=4).keep.tolist() != result.keep.tolist()


def test_inverse_weights_restore_the_sums() -> None:
    rng = np.random.default_rng(5)
    score, ids = rng.random(20_000), [str(i) for i in range(20_000)]
    group = np.where(score + rng.normal(0, 0.2, 20_000) > 0.5, "a", "b")
    result = pareto(score, group, ids, alpha=3, inverse=True)
    assert result.weight[result.keep] == pytest.approx(1 / keep_probability(score[result.keep], 3))
    for label in "ab":
        mine = group == label
        sums = [
            pareto(score, group, ids, alpha=3, inverse=True, seed=seed).weight[mine].sum()
            for seed in range(8)
        ]
        error = math.sqrt((1 / keep_probability(score[mine], 3) - 1).sum() / 8)
        assert np.mean(sums) == pytest.approx(mine.sum(), abs=4 * error)
    assert result.cost.design_effect > 1
    bound = pareto(score, group, ids, alpha=3, inverse=True, max_weight=2)
    assert bound.cost.largest_repeat == 2
    assert any("largest weight, 2" in note for note in bound.notes)


def test_pareto_says_what_it_did_with_odd_scores() -> None:
    result = pareto([math.nan, 2.0, -1.0], ["a"] * 3, list("abc"))
    assert result.keep[:2].all()
    assert result.notes[:2] == (
        "1 document has no score and is kept.",
        "2 scores lie outside 0 to 1 and count as the nearer end.",
    )
    low = pareto([0.0] * 3, ["a"] * 3, list("abc"), alpha=200)
    assert low.notes == ("No document was drawn: the scores are too low for this alpha.",)
    assert math.isnan(low.cost.design_effect)
    assert pareto([], [], []).keep.tolist() == []
    with pytest.raises(ConfigError, match="alpha is 0"):
        pareto([1], ["a"], ["x"], alpha=0)
    with pytest.raises(ConfigError, match=r"max_weight is 0\.5"):
        pareto([1], ["a"], ["x"], max_weight=0.5)
    with pytest.raises(CorpusError, match="ids 1"):
        pareto([1, 1], ["a", "b"], ["x"])


rows = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 40), st.floats(0, 1), st.booleans()), max_size=80
)


@settings(max_examples=120, deadline=None)
@given(rows, st.floats(0, 200), st.sampled_from(["documents", "tokens"]))
def test_no_group_is_above_its_cap(
    documents: list[tuple[str, int, float, bool]], most: float, of: str
) -> None:
    kept = np.array([row[3] for row in documents], dtype=bool)
    quality = np.array([row[2] for row in documents])
    result = cap(
        [row[0] for row in documents], most, of=of, kept=kept,  # type: ignore[arg-type]
        tokens=[row[1] for row in documents], quality=quality,
    )  # fmt: skip
    assert not (result.keep & ~kept).any()
    for label, change in result.groups.items():
        assert change.after <= most + 1e-6
        if change.before <= most:
            assert change.after == change.before
        if of == "documents":
            assert change.kept_after == min(change.kept_before, math.floor(most + 1e-9))
            mine = np.array([row[0] == label for row in documents])
            stays, goes = quality[mine & result.keep], quality[mine & kept & ~result.keep]
            assert stays.min(initial=2) >= goes.max(initial=-1)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.floats(0.1, 1000), min_size=1, max_size=12), st.floats(0.01, 1), st.integers(0, 500))
def test_a_share_limit_is_the_largest_that_holds(amounts: list[float], share: float, others: int) -> None:
    values = np.array(amounts)
    try:
        limit = share_limit(values, share, others)
    except ConfigError:
        assert share * len(amounts) < 1 + 1e-9
        assert others == 0
        return
    total = np.minimum(values, limit).sum() + others
    assert np.minimum(values, limit).max() <= share * total * (1 + 1e-9)
    more = limit * 1.01
    if values.max() > more:
        assert more > share * (np.minimum(values, more).sum() + others) * (1 - 1e-9)


@pytest.mark.slow
def test_a_million_sources() -> None:
    import time

    size = 1_000_000
    codes = np.arange(size) // 2
    group = Grouping("source", codes, tuple(f"site{i:07d}.example.org" for i in range(size // 2)))
    start = time.perf_counter()
    result = cap(group, 1)
    assert time.perf_counter() - start < 20
    assert result.keep.sum() == size // 2
    assert len(result.groups) == 1000
    assert result.notes[-1] == "Of 500,000 groups 500,000 change; 1,000 of these are listed."
    assert len(str(result)) < 2000

"""Coverage beside a reference: by hand, in simulation, and what has no answer."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from hinterland.core.errors import CorpusError
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.coverage import coverage_of, divergences
from hinterland.curate.audit.groups import Grouping, column_grouping, encode, place_groupings, thirds
from hinterland.curate.audit.parts import Coverage, CoverageRow
from hinterland.curate.audit.references import Reference, place_reference
from hinterland.curate.audit.shares import scaled, share_interval


def grouping(labels: list[str | None], name: str = "region") -> Grouping:
    return Grouping(name, *encode(labels))


def row(found: Coverage, group: str) -> CoverageRow:
    return next(each for each in found.rows if each.group == group)


def spread(n: int, clusters: int) -> tuple[np.ndarray, int]:
    return np.arange(n) % clusters, clusters


def test_by_hand() -> None:
    made = grouping(["A"] * 6 + ["B"] * 2 + [None] * 2)
    tokens = [10] * 6 + [20] * 2 + [5, 5]
    reference = Reference.of("people", {"A": 1, "B": 2, "C": 1}, "Counted by hand.")
    found = coverage_of(made, tokens, *spread(10, 5), reference=reference, resamples=200, min_documents=2)
    a, b, c = found.rows
    assert [each.group for each in found.rows] == ["A", "B", "C"]
    assert (a.documents, a.tokens, a.clusters) == (6, 60, 5)
    assert (found.unknown_documents, found.unknown_tokens) == (2, 10)
    assert (a.share.estimate, b.share.estimate, c.share.estimate) == (0.75, 0.25, 0)
    assert (a.token_share, b.token_share) == (0.6, 0.4)
    assert (a.reference, b.reference) == (0.25, 0.5)
    assert (a.representation.estimate, b.representation.estimate, c.representation.estimate) == (3, 0.5, 0)
    assert (a.token_representation, b.token_representation) == (pytest.approx(2.4), pytest.approx(0.8))
    # 0.75 · log2(3) + 0.25 · log2(1/2): C has no document and adds nothing.
    assert found.kl == pytest.approx(0.75 * math.log2(3) - 0.25)
    assert found.js == pytest.approx(jensenshannon([0.75, 0.25, 0], [0.25, 0.5, 0.25], base=2) ** 2)
    assert (found.grouping, found.reference, found.note) == ("region", "people", "Counted by hand.")
    assert a.representation.low == pytest.approx(a.share.low / 0.25)


def test_without_a_reference() -> None:
    found = coverage_of(grouping(["A", "B", "A"]), [1, 1, 1], *spread(3, 3), resamples=200)
    assert (found.reference, found.note) == ("", "")
    assert math.isnan(found.kl)
    assert math.isnan(found.rows[0].reference)
    assert math.isnan(found.rows[0].representation.estimate)
    assert found.rows[0].why_not == "fewer than 5 clusters in all"


def test_a_group_without_a_reference_is_left_out_and_named() -> None:
    made = grouping(["A"] * 5 + ["B"] * 5 + ["Z"] * 10)
    reference = Reference.of("people", {"A": 1, "B": 1, "unknown": 8})
    found = coverage_of(made, np.ones(20), *spread(20, 20), reference=reference, resamples=200)
    assert row(found, "Z").share.estimate == 0.5
    assert math.isnan(row(found, "Z").reference)
    # The unknown row of the reference counts as none; A is half of what is compared.
    reference = Reference.of("people", {"A": 1, "B": 1, "Y": 0})
    found = coverage_of(made, np.ones(20), *spread(20, 20), reference=reference, resamples=200)
    assert row(found, "A").representation.estimate == 1
    assert row(found, "A").token_representation == 1
    assert "for want of a reference: Z (10 documents)" in found.note
    assert math.isnan(row(found, "Y").representation.estimate)
    assert (found.kl, found.js) == (0, 0)


def test_nobody_there_is_a_finding_where_many_were_due() -> None:
    made = grouping(["A"] * 1000)
    reference = Reference.of("people", {"A": 0.6, "B": 0.39, "Tuvalu": 0.01})
    found = coverage_of(made, np.ones(1000), *spread(1000, 200), reference=reference, resamples=200)
    missing, small = row(found, "B"), row(found, "Tuvalu")
    assert missing.ranked
    assert missing.representation.high < 1
    assert not small.ranked
    assert small.why_not == "fewer than 30 documents, also at its share"
    assert small.representation.high > 1  # 200 sources say little of a hundredth
    assert row(found, "A").share.low < 1


def test_a_cluster_that_is_the_group_says_so() -> None:
    countries = ["KEN"] * 40 + ["PER"] * 60 + [None] * 3
    made = place_groupings(countries, ["country"])["country"]
    codes, names = encode(countries)
    found = coverage_of(made, np.ones(103), codes, len(names), resamples=500)
    assert [each.group for each in found.rows] == ["Kenya", "Peru"]
    assert "too narrow" in found.note
    assert not any(each.ranked for each in found.rows)
    assert found.rows[0].why_not == "one cluster"
    # A binomial of 100 at 0.4 has standard deviation 0.049.
    assert found.rows[0].share.low == pytest.approx(0.4 - 1.96 * 0.049, abs=0.015)
    by_source = coverage_of(made, np.ones(103), *spread(103, 10), resamples=200)
    assert by_source.note == ""
    assert by_source.rows[0].ranked


def test_thirds_stay_in_order_and_alphabets_too() -> None:
    made = Grouping("income", np.array([0, 1]), ("low", "high"))
    found = coverage_of(
        made, [1, 1], *spread(2, 2), reference=Reference.of("r", {"middle": 1, "low": 1}), resamples=100
    )
    assert [each.group for each in found.rows] == ["low", "high", "middle"]
    figures = Covariates({"gdp": {"KEN": 1.0, "NGA": 2.0, "FRA": 3.0}, "population": {"KEN": 1, "NGA": 1}})
    third = thirds(figures, "gdp", ["KEN", "FRA", None])
    reference = place_reference(third, figures)
    found = coverage_of(third, [1, 1, 1], *spread(3, 3), reference=reference, resamples=100)
    assert [each.group.split()[0] for each in found.rows] == ["lowest", "middle", "highest"]
    assert [each.documents for each in found.rows] == [1, 0, 1]


def test_small_groups_shown_together_are_compared_together() -> None:
    made = column_grouping([*"aaaabbbcd", None], "lang", most=2)
    assert made.labels == ("a", "b", "other (2 groups)", "unknown")
    reference = Reference.of("speakers", {"a": 4, "b": 4, "c": 1, "d": 1})
    found = coverage_of(made, np.ones(10), *spread(10, 5), reference=reference, resamples=100)
    assert [each.group for each in found.rows] == ["a", "b", "other (2 groups)"]
    assert found.rows[2].reference == pytest.approx(0.2)


def test_nothing_known_and_no_documents() -> None:
    reference = Reference.of("r", {"A": 1.0})
    found = coverage_of(grouping([None, None]), [1, 2], *spread(2, 2), reference=reference, resamples=100)
    assert (found.unknown_documents, found.unknown_tokens) == (2, 3)
    assert [each.documents for each in found.rows] == [0]
    assert math.isnan(found.rows[0].share.estimate)
    assert math.isnan(found.kl)
    empty = coverage_of(Grouping("x", np.empty(0, np.int64), ()), [], np.empty(0, np.int64), 0, resamples=100)
    assert empty.rows == ()
    with pytest.raises(CorpusError, match="2 group labels"):
        coverage_of(grouping(["A", "B"]), [1, 1], np.zeros(1, np.int64), 1)


def test_same_seed_same_numbers() -> None:
    made = grouping(list("AABBBCAB") * 5)
    first, second, other = (
        coverage_of(made, np.ones(40), *spread(40, 13), seed=seed, resamples=200) for seed in (1, 1, 2)
    )
    assert first == second or str(first) == str(second)
    assert str(first) != str(other)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), min_size=1, max_size=8))
def test_divergences_agree_with_scipy(pairs: list[tuple[int, int]]) -> None:
    p, q = np.array(pairs, dtype=float).T
    kl, js = divergences(p, q)
    if p.sum() == 0:
        assert math.isnan(kl)
        return
    assert kl == pytest.approx(entropy(p, q, base=2), abs=1e-12)
    assert js == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=1e-7)
    assert 0 <= js <= 1
    assert divergences(q, q) == (0, 0)


def test_disjoint_is_one_bit() -> None:
    assert divergences([1.0, 0.0], [1e-300, 1.0])[1] == pytest.approx(1)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["A", "B", "C", None]), st.integers(0, 5), st.integers(0, 4)),
        min_size=1,
        max_size=40,
    )
)
def test_shares_sum_to_one_and_bounds_enclose(rows: list[tuple[str | None, int, int]]) -> None:
    labels, tokens, clusters = (list(each) for each in zip(*rows, strict=True))
    reference = Reference.of("r", {"A": 2, "B": 1, "D": 1})
    found = coverage_of(
        grouping(labels), tokens, np.array(clusters), 5, reference=reference, resamples=100, min_documents=1
    )
    known = sum(label is not None for label in labels)
    assert sum(each.documents for each in found.rows) == known == len(rows) - found.unknown_documents
    if known:
        assert sum(each.share.estimate for each in found.rows) == pytest.approx(1)
    for each in found.rows:
        for interval in (each.share, each.representation):
            if math.isfinite(interval.low):
                assert 0 <= interval.low <= interval.estimate + 1e-12 <= interval.high + 2e-12
    assert math.isnan(found.kl) or found.kl >= 0


@pytest.mark.parametrize("sources", [20, 60])
def test_intervals_cover_in_simulation(sources: int) -> None:
    """Sources of unequal size hold 30% of group A on average; 95% intervals cover that nearly so often."""
    rng = np.random.default_rng(3)
    covered = trials = 0
    for seed in range(120):
        sizes = rng.integers(5, 40, sources)
        chance = rng.beta(0.6, 1.4, sources)
        clusters = np.repeat(np.arange(sources), sizes)
        codes = (rng.random(len(clusters)) >= chance[clusters]).astype(np.int64)
        made = Grouping("g", codes, ("A", "B"))
        found = coverage_of(made, np.ones(len(codes)), clusters, sources, seed=seed, resamples=400)
        share = found.rows[0].share
        covered += share.low <= 0.3 <= share.high
        trials += 1
    assert 0.9 <= covered / trials <= 1


def test_share_interval_at_the_edges() -> None:
    drawn = np.zeros(100)
    none = share_interval(0.0, drawn, 0, 50)
    # Jeffreys: the 97.5% point of Beta(1/2, 50.5).
    assert (none.low, none.high) == (0, pytest.approx(0.0489, abs=1e-3))
    full = share_interval(1.0, drawn + 1, 50, 50)
    assert full.low == pytest.approx(1 - none.high)
    assert math.isnan(share_interval(0.5, drawn, 1, 1).low)
    assert math.isnan(share_interval(math.nan, drawn, 3, 3).low)
    assert math.isnan(scaled(none, 0.0).estimate)
    assert math.isnan(scaled(none, math.nan).estimate)


@pytest.mark.slow
def test_a_million_sources() -> None:
    n = 1_000_000
    sources = pa.array(np.char.add("source-", np.arange(n).astype(str)))
    codes, names = encode(sources)
    made = column_grouping(sources, "source")
    assert (len(names), len(made.labels)) == (n, 51)
    region = Grouping("region", np.arange(n) % 5, ("A", "B", "C", "D", "E"))
    for each in (made, region):
        found = coverage_of(each, np.ones(n), codes, n)
        assert sum(each.documents for each in found.rows) == n
    # As if documents were independent: the standard deviation of a fifth is 0.0004.
    share = found.rows[0].share
    assert share.estimate == 0.2
    assert share.high - share.low == pytest.approx(2 * 1.96 * 0.0004, rel=0.15)

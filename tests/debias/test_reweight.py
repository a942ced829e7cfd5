"""Post-stratification weights: by hand, trimmed, and what must hold for any reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError, CorpusError
from hinterland.curate.debias.kish import effective_sample_size
from hinterland.curate.debias.rake import post_stratify


def test_by_hand() -> None:
    found = post_stratify(["a"] * 8 + ["b"] * 2, {"a": 1, "b": 1})
    assert found.by_group == {"a": pytest.approx(0.625), "b": pytest.approx(2.5)}
    assert found.shares_after == {"a": pytest.approx(0.5), "b": pytest.approx(0.5)}
    assert found.weight.sum() == pytest.approx(10)
    # Kish: 10² / (8 × 0.625² + 2 × 2.5²) = 100 / 15.625
    assert found.effective_sample_size == pytest.approx(6.4)
    assert found.largest_repeat == pytest.approx(2.5)
    assert found.unmet == {}


def test_trimming_spreads_what_it_takes() -> None:
    found = post_stratify(["a"] * 8 + ["b"] * 2, {"a": 1, "b": 1}, max_weight=2)
    assert found.by_group == {"a": pytest.approx(0.75), "b": pytest.approx(2.0)}
    assert found.trimmed == ("b",)
    assert found.unmet == {"b": "its 2 documents would need weight 2.5, above 2; it reaches 40.0%, not 50.0%"}
    assert found.to_dict()["trimmed"] == ["b"]


def test_dropped_documents_and_unlisted_groups() -> None:
    group = ["a"] * 4 + ["b"] * 4 + ["unknown"] * 2
    kept = [True] * 4 + [True, True, False, False] + [True] * 2
    found = post_stratify(group, {"a": 0.5, "b": 0.5, "c": 0.2}, kept=kept)
    assert found.by_group == {"a": pytest.approx(0.75), "b": pytest.approx(1.5), "unknown": 1.0}
    assert found.weight[6:8].tolist() == [0, 0]
    assert found.weight.sum() == pytest.approx(8)
    assert found.unmet == {"c": "it has no documents to weigh to 16.7%"}


def test_bad_references() -> None:
    with pytest.raises(ConfigError, match=r"max_weight is 0\.5"):
        post_stratify(["a"], {"a": 1}, max_weight=0.5)
    with pytest.raises(CorpusError, match="negative or missing"):
        post_stratify(["a"], {"a": float("nan")})
    with pytest.raises(CorpusError, match="no group with documents"):
        post_stratify(["a"], {"b": 1})
    with pytest.raises(CorpusError, match="documents 2, decisions 1"):
        post_stratify(["a", "b"], {"a": 1}, kept=[True])
    with pytest.raises(ConfigError, match="cannot make up"):
        post_stratify(["a"] + ["b"] * 9, {"a": 1, "b": 0}, max_weight=5)
    assert post_stratify(["a"] + ["b"] * 9, {"a": 1, "b": 0}, max_weight=10).by_group == {"a": 10, "b": 0}


def test_effective_sample_size() -> None:
    assert effective_sample_size([]) == 0
    assert effective_sample_size([1, 1, 0, 2]) == pytest.approx(16 / 6)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=60),
    st.dictionaries(st.sampled_from("abcd"), st.floats(0.01, 1), min_size=1),
    st.floats(1, 6),
)
def test_the_sum_is_preserved(group: list[str], reference: dict[str, float], most: float) -> None:
    assume(set(group) & set(reference))
    found = post_stratify(group, reference, max_weight=most)
    assert found.weight.sum() == pytest.approx(len(group))
    assert found.weight.max() <= most * (1 + 1e-9)
    assert 0 < found.effective_sample_size <= len(group) + 1e-6
    listed = [label for label in set(group) & set(reference) if label not in found.trimmed]
    ratios = [found.shares_after[label] / reference[label] for label in listed]
    assert np.ptp(ratios) <= 1e-9 * max(ratios) if ratios else True

"""Two audits side by side: what may be said of them, and what a corpus may write into the report."""

from __future__ import annotations

import math

import numpy as np

from hinterland.curate.audit.audit import Audit, audit
from hinterland.curate.audit.compare import compare

N = 400


def _audited(groups: list[str], kept: np.ndarray, title: str = "T") -> Audit:
    clusters = [f"{name} {row % 20}" for row, name in enumerate(groups)]
    return audit(
        decisions={"f": kept},
        groups={"g": groups},
        clusters=clusters,
        tokens=np.ones(len(groups)),
        resamples=100,
        title=title,
    )


def test_one_group_has_no_disparity() -> None:
    kept = np.arange(N) % 2 == 0
    both = compare(_audited(["a"] * N, kept), _audited(["a"] * N, ~kept))
    assert all(math.isnan(value) for value in both.worst("g"))
    assert both.summary() == "No grouping has two groups that are large enough to compare."
    assert both.to_dict()["worst"] == {"g": [None, None]}


def test_two_groups_have() -> None:
    groups = ["a", "b"] * (N // 2)
    before = (np.arange(N) % 2 == 0) | (np.arange(N) % 4 == 1)  # all of a, half of b
    both = compare(_audited(groups, before), _audited(groups, np.ones(N, dtype=bool)))
    assert both.worst("g") == (0.5, 1.0)
    assert "by g from 0.50 to 1" in both.summary()


def test_names_of_a_corpus_are_no_markup() -> None:
    names = ["<img src=x>", "[here](http://evil)\x1b[2J"]
    groups = names * (N // 2)
    kept = (np.arange(N) % 2 == 0) | (np.arange(N) % 16 == 1)  # all of one, an eighth of the other
    found = _audited(groups, kept, "<script>1</script>")
    both = compare(found, found)
    assert "<img" in str(both)
    assert "\x1b" not in str(both)
    for words in (both.markdown(), both.html()):
        assert "<img" not in words
        assert "<script>1" not in words
    assert "[here](" not in both.markdown().replace("\\[", "")

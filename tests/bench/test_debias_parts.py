"""The proof's other parts: passages, folds, equal tokens, paired differences."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from debias_parts.coding import VOCABULARY, code, make_tokenizer
from debias_parts.comparing import OVERALL, changes, over_runs
from debias_parts.selecting import best_half, debiased, random_half, to_budget
from debias_parts.speeches import cut, deal_folds, detokenised, read_speeches

from hinterland.adapt.bits import BitsPerByte, DocumentBits
from hinterland.core.errors import CorpusError
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.debias.equalize import worst_disparity


def test_cut_joins_a_short_rest() -> None:
    words = [str(i) for i in range(10)]
    assert [len(piece.split()) for piece in cut(words, 4)] == [4, 4, 2]
    assert [len(piece.split()) for piece in cut(words[:9], 8)] == [9]  # 1 is less than a quarter of 8
    assert cut([], 4) == []
    assert " ".join(cut(words, 3)) == " ".join(words)


def test_detokenised() -> None:
    text = " = = Head = = \n The bird 's <unk> nest , 5 @.@ 5 m ( 18 ft ) , is well @-@ known . \n"
    assert detokenised(text) == "The bird's nest, 5.5 m (18 ft), is well-known."


def test_read_speeches(tmp_path: Path) -> None:
    rows = {
        "id": ["b", "a", "c"],
        "country": ["NAM", "EU", "YUG"],
        "text": ["one\n two " * 30, "three " * 10, "four " * 10],
    }
    path = tmp_path / "speeches.parquet"
    pq.write_table(pa.table(rows), path)
    found = read_speeches(path, words=20)
    assert found.ids == ("a", "b", "c")  # in the order of ids, whatever the file's
    assert found.countries == (None, "NAM", None)
    assert found.unplaced() == {"EU": 1, "YUG": 1}
    assert found.speech.tolist() == [0, 1, 1, 1, 2]
    assert all(text.startswith(" ") and "\n" not in text for text in found.passages)


def test_read_speeches_takes_a_share_of_every_country(tmp_path: Path) -> None:
    path = tmp_path / "speeches.parquet"
    codes = ["FRA"] * 20 + ["NRU"]
    ids = [str(i) for i in range(21)]
    pq.write_table(pa.table({"id": ids, "country": codes, "text": ["word"] * 21}), path)
    found = read_speeches(path, words=20, share=0.1)
    assert sorted(found.codes) == ["FRA", "FRA", "NRU"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"id": ["a"], "text": ["b"]}, "no column 'country'"),
        ({"id": ["a", "a"], "country": ["FRA"] * 2, "text": ["b", "c"]}, "occurs twice"),
        ({"id": ["a"], "country": ["FRA"], "text": pa.array([None], pa.string())}, "is empty"),
    ],
)
def test_read_speeches_says_what_is_wrong(tmp_path: Path, rows: dict[str, list[str]], message: str) -> None:
    pq.write_table(pa.table(rows), tmp_path / "speeches.parquet")
    with pytest.raises(CorpusError, match=message):
        read_speeches(tmp_path / "speeches.parquet", words=20)


def test_folds_are_even_in_every_subregion() -> None:
    countries = ["FRA"] * 13 + ["NGA"] * 7 + [None] * 3
    fold = deal_folds(countries, 5, seed=0)
    assert set(np.bincount(fold[:13], minlength=5)) <= {2, 3}
    assert set(np.bincount(fold[13:20], minlength=5)) <= {1, 2}
    assert np.ptp(np.bincount(fold, minlength=5)) <= 1
    assert (fold == deal_folds(countries, 5, seed=0)).all()
    assert (fold != deal_folds(countries, 5, seed=1)).any()


def test_halves() -> None:
    scores = np.array([0.1, 0.9, 0.5, 0.5, 0.2])
    assert best_half(scores).tolist() == [False, True, True, False, False]  # ties go by position
    assert random_half(5, seed=3).sum() == 2


def test_debiased_meets_the_bound_and_keeps_the_tokens() -> None:
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], 500)
    scores = rng.random(1000) + 0.3 * codes
    kept = best_half(scores)
    group = Grouping("region", codes, ("A", "B"))
    assert worst_disparity(kept, group) < 0.6
    found = debiased(scores, kept, group, np.ones(1000), mode="budget", goal=0.95)
    assert worst_disparity(found.keep, group) >= 0.95
    assert found.keep.sum() == 500
    # Within a group the best scores are kept: a threshold for each group.
    for g in (0, 1):
        assert scores[(codes == g) & found.keep].min() > scores[(codes == g) & ~found.keep].max()
    more = debiased(scores, kept, group, np.ones(1000), mode="readmit", goal=0.95)
    assert (more.keep | ~kept).all()
    assert more.cost.share_lost == 0


def test_budget_gives_all_arms_the_same_tokens() -> None:
    offsets = np.array([0, 10, 13, 20, 21, 40])
    arms = {"a": np.array([0, 1, 2]), "b": np.array([2, 3, 4]), "c": np.array([0, 4])}
    cuts = to_budget(arms, offsets, seed=0)
    assert {each.tokens for each in cuts.values()} == {20}
    assert {each.tokens for each in to_budget(arms, offsets, seed=0, tokens=7).values()} == {7}
    for name, each in cuts.items():
        allowed = {i for row in arms[name] for i in range(offsets[row], offsets[row + 1])}
        taken = [i for a, b in zip(each.starts, each.ends, strict=True) for i in range(a, b)]
        assert len(set(taken)) == len(taken)
        assert set(taken) <= allowed


def test_a_passage_has_the_same_tokens_alone_and_inside() -> None:
    text = "the general assembly and the security council of the united nations " * 20
    tokenizer = make_tokenizer(text)
    pieces = [" the assembly’s 5th", " session, São Tomé", " (the end)"]
    apart, together = code(tokenizer, pieces), code(tokenizer, ["".join(pieces)])
    assert apart.tokens.tolist() == together.tokens.tolist()
    assert apart.bytes.sum() == together.bytes[0] == len("".join(pieces).encode())
    assert apart.tokens.max() < VOCABULARY
    assert tokenizer.decode(together.tokens.tolist()) == "".join(pieces)


def part(values: dict[str, tuple[str, float, int]]) -> BitsPerByte:
    return BitsPerByte(
        tuple(DocumentBits(i, bits, size, 1, code) for i, (code, bits, size) in values.items())
    )


def test_changes_worked_by_hand() -> None:
    first = [
        part({"a": ("FRA", 10.0, 10), "b": ("NGA", 20.0, 10)}),
        part({"c": ("FRA", 10.0, 10), "d": ("NGA", 30.0, 20)}),
    ]
    second = [
        part({"a": ("FRA", 8.0, 10), "b": ("NGA", 21.0, 10)}),
        part({"c": ("FRA", 9.0, 10), "d": ("NGA", 30.0, 20)}),
    ]
    group = {"a": "Europe", "b": "Africa", "c": "Europe", "d": "Africa"}
    rows = changes(first, second, group, ["Africa", "Europe", "Asia"], resamples=500, seed=0)
    overall, africa, europe, asia = rows
    assert overall.group == OVERALL
    assert (overall.first, overall.second) == pytest.approx((70 / 50, 68 / 50))
    assert overall.difference.estimate == pytest.approx(-2 / 50)
    assert overall.runs == pytest.approx((-1 / 20, -1 / 30))
    assert (africa.speeches, africa.countries, africa.difference.estimate) == (2, 1, pytest.approx(1 / 30))
    assert europe.difference.estimate == pytest.approx(-3 / 20)
    # One country says nothing of others: no interval, no test, no claim. Nor are two tested.
    assert math.isnan(overall.p_value)
    assert math.isnan(europe.difference.low)
    assert math.isnan(europe.p_adjusted)
    assert not europe.supported
    assert (asia.speeches, asia.countries) == (0, 0)
    assert math.isnan(asia.difference.estimate)


def test_a_difference_in_every_country_is_found_and_noise_is_not() -> None:
    rng = np.random.default_rng(1)
    codes = [f"C{i}" for i in range(40)]
    first = [part({f"{run}{code}": (code, 100.0, 50) for code in codes}) for run in range(5)]

    def moved(by: float) -> list[BitsPerByte]:
        return [
            part({d.id: (str(d.country), d.bits + by + rng.normal(0, 1), d.bytes) for d in each.documents})
            for each in first
        ]

    better = changes(first, moved(-3.0), {}, [], resamples=500, seed=0)[0]
    assert better.supported
    assert better.difference.estimate == pytest.approx(-3 / 50, abs=0.01)
    same = changes(first, moved(0.0), {}, [], resamples=500, seed=0)[0]
    assert not same.supported


def test_arms_on_different_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="different texts"):
        changes([part({"a": ("FRA", 1.0, 1)})], [part({"b": ("FRA", 1.0, 1)})], {}, [], resamples=9, seed=0)


def test_over_runs_is_students_interval() -> None:
    # Mean 2, standard deviation 1, t(2 degrees, 0.975) = 4.302653: 2 ± 4.302653 / √3.
    found = over_runs([1.0, 2.0, 3.0])
    assert (found.estimate, found.high) == pytest.approx((2.0, 2 + 4.302653 / math.sqrt(3)))
    assert math.isnan(over_runs([1.0]).low)
    assert math.isnan(over_runs([]).estimate)

"""The audit: what it claims, what it does not, and how it is written."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import CorpusError
from hinterland.core.places import by_iso3
from hinterland.curate.audit.audit import Audit, audit, count_words
from hinterland.curate.audit.claims import ALL, benjamini_hochberg, headline
from hinterland.curate.audit.compare import compare
from hinterland.curate.audit.html import group_chart, map_of, page_of
from hinterland.curate.audit.render import coverage, csv_text, markdown


def documents(rates: dict[str, float], *, each: int = 12, default: float = 0.7, seed: int = 0) -> pa.Table:
    """Return documents of every country with a column ``kept``; ``rates`` are by UN region."""
    rng = np.random.default_rng(seed)
    codes = [code for code in sorted(by_iso3()) for _ in range(each)]
    kept = [rng.random() < rates.get(by_iso3()[code].region, default) for code in codes]
    return pa.table({"country": codes, "text": ["one two three"] * len(codes), "kept": kept})


def made(rates: dict[str, float] | None = None, **more: object) -> Audit:
    table = documents(rates or {})
    return audit(table, decisions={"gopher": table["kept"].to_numpy()}, **more)  # type: ignore[arg-type]


def test_headline_names_the_largest_supported_gap() -> None:
    found = made({"Oceania": 0.3, "Europe": 0.9})
    words = headline(found)
    assert words.startswith("The filters together keep ")
    assert (
        "% of documents about " in words.replace("]", "").replace("[", "") or "] of documents about " in words
    )
    assert " of those about " in words
    assert "a disparity ratio of 0." in words
    oceania = found.results["region"][ALL]["Oceania"]
    assert oceania.retention.estimate == pytest.approx(0.3, abs=0.06)
    assert found.supported(ALL, "region", "Oceania")
    assert found.supported("gopher", "region", "Europe")


def test_no_gap_is_no_evidence() -> None:
    for seed in range(5):
        table = documents({}, seed=seed)
        found = audit(table, decisions={"f": table["kept"].to_numpy()}, seed=seed)
        assert "no evidence of a gap" in headline(found)
        assert not any(claim.supported for claim in found.claims)


def test_single_filter_is_named_where_together_there_is_no_gap() -> None:
    table = documents({"Oceania": 0.35}, default=0.95)
    hidden = table["kept"].to_numpy()
    found = audit(table, decisions={"harsh": hidden, ALL: np.ones(len(hidden), bool)})
    words = headline(found)
    assert words.startswith("The filters together keep every document; there is no evidence of a gap")
    assert "On its own, the filter harsh keeps " in words


def test_one_group_against_all_others() -> None:
    group = np.repeat(["a", "b"], 600)
    kept = np.concatenate([np.arange(600) % 10 < 2, np.arange(600) % 10 < 8])
    clusters = np.array([f"{g}{i % 20}" for i, g in enumerate(group)])
    found = audit(
        decisions={"f": kept},
        groups={"kind": group},
        clusters=clusters,
        tokens=np.ones(1200),
        countries=[None] * 1200,
    )
    assert "20% [" in headline(found)
    assert "in the group a" in headline(found)
    assert found.countries == {}
    assert "Map" not in page_of(found)


def test_nothing_to_say() -> None:
    table = documents({})
    size = table.num_rows
    none = audit(table, decisions={"f": np.zeros(size, bool)})
    assert "keep no document at all" in headline(none)
    every = audit(table, decisions={"f": np.ones(size, bool)})
    assert "keep every document" in headline(every)
    lost = audit(table, decisions={"f": np.ones(size, bool)}, countries=[None] * size)
    assert headline(lost) == "No document has a known place, so the audit cannot say who is left out."
    assert "100% of documents" in coverage(lost)
    one = audit(table.slice(0, 12), decisions={"f": np.arange(12) < 6})
    assert "Fewer than two groups are large enough" in headline(one)
    empty = audit(table.slice(0, 0), decisions={"f": np.zeros(0, bool)})
    assert headline(empty) == "The corpus is empty."
    str(empty), markdown(empty), page_of(empty)
    bare = audit(table, decisions={"f": np.ones(size, bool)}, groups={})
    assert headline(bare) == "There is nothing to compare: no grouping was given."
    assert coverage(bare) == f"{size:,} documents, {3 * size:,} words."


def test_coverage_comes_first() -> None:
    table = documents({})
    countries = [None if i % 4 == 0 else code for i, code in enumerate(table["country"].to_pylist())]
    found = audit(table, decisions={"f": table["kept"].to_numpy()}, countries=countries)
    first = str(found).splitlines()[0]
    assert first == (
        f"{table.num_rows:,} documents, {3 * table.num_rows:,} words;"
        " 25% of documents (25% of words) have no known region."
    )


def test_source_is_the_cluster_where_the_country_is_unknown() -> None:
    table = pa.table({"text": ["a b"] * 60, "source": [f"s{i % 6}" for i in range(60)]})
    found = audit(table, decisions={"f": np.arange(60) % 3 > 0})
    assert found.results["region"][ALL]["unknown"].clusters == 6
    bare = audit(pa.table({"text": ["a"] * 9}), decisions={"f": np.ones(9, bool)})
    assert bare.results["region"][ALL]["unknown"].clusters == 1


def test_bad_input() -> None:
    with pytest.raises(CorpusError, match="no decision"):
        audit(decisions={})
    with pytest.raises(CorpusError, match="decisions of b do not fit"):
        audit(decisions={"a": [True], "b": [True, False]})
    with pytest.raises(CorpusError, match="no token counts and no text"):
        audit(decisions={"a": [True]})


def test_words_are_counted() -> None:
    assert count_words(pa.chunked_array([["one two", None], ["  a\tb\nc ", ""]])).tolist() == [2, 0, 3, 0]


def test_saved_and_loaded_alike(tmp_path: Path) -> None:
    found = made({"Oceania": 0.3}, title="An audit | of <everything>")
    found.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"audit.json", "audit.csv", "audit.md", "audit.html"}
    assert str(Audit.load(tmp_path)) == str(found)
    assert page_of(Audit.load(tmp_path)) == (tmp_path / "audit.html").read_text()
    plain = json.loads((tmp_path / "audit.json").read_text())
    assert plain["headline"] == headline(found)
    assert "An audit | of &lt;everything&gt;" in (tmp_path / "audit.html").read_text()
    with pytest.raises(CorpusError, match="not an audit"):
        Audit.from_dict({"kind": "corpus"})


def test_csv_has_one_row_for_each_filter_and_group() -> None:
    found = made({"Oceania": 0.3})
    rows = list(csv.DictReader(io.StringIO(csv_text(found))))
    groups = sum(len(by_filter[ALL].groups) for by_filter in found.results.values())
    assert len(rows) == 2 * groups
    row = next(r for r in rows if r["group"] == "Oceania" and r["filter"] == "gopher")
    assert row["supported"] == "True"
    assert float(row["retention"]) == found.results["region"]["gopher"]["Oceania"].retention.estimate
    assert next(r for r in rows if r["group"] == "Antarctica")["vs_best_low"] == ""


def test_text_marks_only_what_is_supported() -> None:
    found = made({"Oceania": 0.3})
    lines = str(found).splitlines()
    assert any("Oceania" in line and line.endswith("kept less") for line in lines)
    assert any("Antarctica" in line and "fewer than 30 documents" in line for line in lines)
    assert "| Oceania |" in markdown(found)
    page = page_of(found)
    assert "kept less" in page
    assert "no evidence of a gap, which" in page
    assert "<svg" in group_chart(found, "region", "gopher", standalone=True)
    assert "Share of documents kept, by country" in map_of(found, standalone=True)


def test_weights_count_under_all_filters_only() -> None:
    table = documents({"Oceania": 0.3})
    kept = table["kept"].to_numpy()
    weight = np.where(np.array(table["country"]) == "FJI", 2.0, 1.0)
    found = audit(table, decisions={"f": kept}, weight=weight)
    plain, weighed = (found.results["region"][name]["Oceania"] for name in ("f", ALL))
    fiji = kept[np.array(table["country"]) == "FJI"].sum()
    assert weighed.kept_documents == plain.kept_documents + fiji
    assert found.countries["FJI"] == (12, 2.0 * fiji)


def test_compare(tmp_path: Path) -> None:
    table = documents({"Oceania": 0.3})
    kept = table["kept"].to_numpy()
    before = audit(table, decisions={"f": kept}, title="before")
    after = audit(table, decisions={"f": np.ones(len(kept), bool)}, title="Before and after")
    both = compare(before, after)
    worst = both.worst("region")
    assert worst[1] == 1
    assert worst[0] == pytest.approx(before.results["region"][ALL]["Oceania"].vs_best.estimate, rel=1e-9)
    both.save(tmp_path)
    assert json.loads((tmp_path / "compare.json").read_text())["worst"]["region"] == list(worst)
    assert "→ 100%" in (tmp_path / "compare.html").read_text()
    assert "| Oceania |" in (tmp_path / "compare.md").read_text()
    assert "from 0." in str(both)
    other = audit(table.slice(0, 100), decisions={"f": kept[:100]})
    with pytest.raises(CorpusError, match="different groups"):
        compare(before, other)
    with pytest.raises(CorpusError, match="share no grouping"):
        compare(before, audit(table, decisions={"f": kept}, groups={"x": ["a"] * len(kept)}))


def test_benjamini_hochberg_by_hand() -> None:
    q = benjamini_hochberg([0.01, 0.04, 0.03, math.nan])
    assert q[:3].tolist() == pytest.approx([0.03, 0.04, 0.04])
    assert math.isnan(q[3])
    assert benjamini_hochberg([]).tolist() == []


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_benjamini_hochberg_agrees_with_scipy(p: list[float]) -> None:
    from scipy.stats import false_discovery_control

    assert benjamini_hochberg(p).tolist() == pytest.approx(false_discovery_control(p).tolist())

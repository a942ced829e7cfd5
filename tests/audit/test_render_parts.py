"""Every part of an audit as sentences, text, Markdown and CSV."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinterland.core.stats import Interval
from hinterland.curate.audit.agreement_by_group import agreements
from hinterland.curate.audit.attribution import attribute
from hinterland.curate.audit.audit import audit
from hinterland.curate.audit.claims import ALL
from hinterland.curate.audit.curves import curve_of
from hinterland.curate.audit.examples import examples_of
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.audit.parts import (
    Attribution,
    Concentration,
    Coverage,
    CoverageRow,
    Curve,
    Example,
    Exposure,
    ExposureRow,
    FilterShare,
    Measure,
    MeasureRow,
    Placement,
    RegressionModel,
)
from hinterland.curate.audit.render import markdown, text
from hinterland.curate.audit.render_csv import csv_files
from hinterland.curate.audit.render_tables import WIDTH, Section, Table, escape_markdown, text_table
from hinterland.curate.audit.report import Audit
from hinterland.curate.audit.wording import (
    coefficient,
    concentration_sentence,
    curve_sentence,
    finding,
    gap_sentence,
    points,
    stars,
    threshold,
)

NONE = Interval(math.nan, math.nan, math.nan)
LABELS = ("a", "b", "a group with a name that is far too long for any table that people read", "unknown")


@cache
def full() -> Audit:
    """Return an audit with every part: what can be computed is, the rest is written by hand."""
    rng = np.random.default_rng(0)
    size = 2000
    codes = rng.integers(0, 4, size)
    clusters = rng.integers(0, 40, size)
    words = rng.integers(0, 200, size).astype(float)
    keep = {
        "c4": words > 20 + 60 * (codes == 0),
        "c4@dolma": words > 30,
        **{f"another_filter_{i}": rng.random(size) < 0.95 for i in range(6)},
    }
    grouping = Grouping("kind_of_text", codes, LABELS, note="Kinds are made up.")
    found = audit(
        decisions=keep,
        groups={"kind_of_text": grouping},
        clusters=clusters.astype(str),
        tokens=words,
        countries=[None] * size,
        title="A | title",
        notes=["A note about <b>."],
        resamples=200,
    )
    together = np.logical_and.reduce(list(keep.values()))
    table = pa.table({
        "id": [f"d{i}" for i in range(size)],
        "source": [f"s{i % 9}" for i in range(size)],
        "text": ["=1+1 | <script>alert(1)</script> [x](http://x.example) *bold* " + "word " * 90] * size,
    })  # fmt: skip
    reasons = pa.array([[] if each else ["c4.words"] for each in together], pa.list_(pa.string()))
    rows = tuple(
        CoverageRow(f"g{i:02}", 500 - i, 900 - i, 9, Interval(0.03, 0.02, 0.04), 0.03, 0.05,
                    Interval(0.6, 0.4, 0.8) if i == 20 else Interval(0.9, 0.5, 1.3), 0.6)
        for i in range(24)
    )  # fmt: skip
    small = CoverageRow(
        "tiny", 3, 5, 1, Interval(0.001, 0, 0.01), 0.001, ranked=False, why_not="fewer than 30"
    )
    return replace(
        found,
        placements=(Placement("url", 1500, 90_000, 0.81), Placement("unknown", 500, 10_000, math.nan)),
        coverage=(
            Coverage("region", "population", "World Factbook, 2024.", (*rows, small), 500, 10_000, 0.2, 0.05),
            Coverage("lang", "", "", rows[:2], 0, 0),
        ),
        concentration=(
            Concentration("source", 200, 12, (200, 51.2, 20.1), 0.66, 2, 0.31, 0.4, (("s1", 400),)),
        ),
        attribution=attribute(
            keep, grouping, clusters, 40, resamples=200,
            supported=[r.group for r in found.results["kind_of_text"][ALL].groups
                       if found.supported(ALL, "kind_of_text", r.group)],
        ),
        curves=(
            curve_of(words, ">=", 81, keep["c4@dolma"] & (rng.random(size) < 0.5 + 0.2 * (codes == 0)), words,
                     grouping, LABELS[:2], filter="c4", column="c4.words"),
        ),
        agreement=agreements(keep, {"kind_of_text": grouping}, clusters, 40, resamples=200),
        examples=examples_of(together, reasons, grouping, table),
        regression=(
            RegressionModel(
                "first", "ols", "score", 968, {"missing values": 32, "zero": 0}, 0.14, "HC3",
                {"const": 0.5, "rural": -0.069, "degree": 0.059},
                {"const": 0.1, "rural": 0.007, "degree": 0.02},
                {"const": 0.0, "rural": 0.0004, "degree": 0.02}, {"rural": -0.08}, {"rural": -0.05},
                {"rural": -0.2}, {"rural": 1.4}, ("A note.",),
            ),
            RegressionModel(
                "second", "logit", "kept", 900, {}, 0.1, "nonrobust", {"rural": 0.00123}, {"rural": 0.5},
                {"rural": 0.6}, {}, {}, {}, {},
            ),
        ),
        exposure=(
            Exposure("region", 50, 10, (
                ExposureRow("a", 0.5, Interval(0.3, 0.2, 0.4), NONE, 0.5, Interval(0.6, 0.4, 0.8),
                            Interval(0.6, 0.4, 1.1)),
            ), "2 results are not in the corpus."),
            Exposure("lang", 50, 10, (
                ExposureRow("en", 0.5, Interval(0.9, 0.8, 0.95), Interval(0.7, 0.6, 0.8), math.nan,
                            Interval(1.8, 1.6, 1.9), NONE),
            )),
        ),
        measures=(
            Measure("lm.bits_per_byte", "region", (
                MeasureRow("all", 100, 9, Interval(1.2, 1.1, 1.3), NONE, True),
                MeasureRow("a", 60, 5, Interval(1.4, 1.3, 1.5), Interval(0.5, 0.4, 0.6), True),
                MeasureRow("b", 35, 5, Interval(1.1, 1.0, 1.2), Interval(-0.1, -0.3, 0.1), True),
                MeasureRow("c", 5, 1, Interval(1.1, math.nan, math.nan), NONE, False),
            ), 7),
        ),
    )  # fmt: skip


def test_text_fits_a_terminal() -> None:
    lines = str(full()).splitlines()
    assert lines[0].endswith("have no known kind of text.")
    assert max(map(len, lines[2:])) <= WIDTH
    titles = [lines[i + 1] for i, line in enumerate(lines[:-1]) if not line]
    assert titles[:4] == [
        "Where documents are from", "Coverage", "Concentration", "By kind of text, all filters together",
    ]  # fmt: skip
    assert titles[5:-1] == [
        "Which filters make the gaps", "Other thresholds", "Where filters agree", "Regression",
        "Who is retrieved and cited", "Measures", "Examples",
    ]  # fmt: skip
    assert titles[-1] == "A note about <b>."
    placed = lines.index("Where documents are from")
    assert "not placed" in lines[placed + 2]  # the unknown share before all else
    assert any(line.strip().startswith("… and 14 more (coverage.csv)") for line in lines)
    shown = "\n".join(lines)
    assert "g20" in shown  # a finding is never cut
    assert "g15" not in shown
    assert "tiny" not in shown


def test_markdown_has_all_and_no_markup_of_the_corpus() -> None:
    words = markdown(full())
    for heading in ("Where documents are from", "Coverage", "Which filters make the gaps", "Other thresholds",
                    "Where filters agree", "Regression", "Who is retrieved and cited", "Measures", "Examples",
                    "Method and limits"):  # fmt: skip
        assert f"\n## {heading}\n" in words
    assert "g15" in words
    assert "tiny" in words
    assert "<script>" not in words
    assert "&lt;script>" in words
    assert "\\[x](http" in words
    assert "A note about &lt;b>." in words
    assert "| second |" in words.replace("  ", " ")
    for table in words.split("\n\n"):
        rows = [line for line in table.splitlines() if line.startswith("|")]
        assert len({row.replace("\\|", "").count("|") for row in rows}) <= 1


def test_findings_claim_no_more_than_intervals() -> None:
    lines = str(full()).splitlines()
    assert any(line.strip().startswith("g20") and line.endswith("under its share") for line in lines)
    assert any(line.strip().startswith("g00") and line.endswith("no evidence of a gap") for line in lines)
    exposed = next(line for line in lines if "no evidence of a gap" in line and line.startswith("  a "))
    assert "0.60 [0.40, 1.10]" in exposed  # judged against what is relevant
    assert any(line.startswith("  en ") and line.endswith("over its share") for line in lines)
    assert any(line.startswith("  a ") and line.endswith("higher") for line in lines)
    assert any(line.startswith("  b ") and line.endswith("no evidence of a gap") for line in lines)
    assert any(line.startswith("  c ") and line.endswith("too small to compare") for line in lines)


def test_regression_side_by_side() -> None:
    lines = text(full()).splitlines()
    at = lines.index("Regression")
    rest = lines[at:]
    assert any("p < 0.05, ** p < 0.01, *** p < 0.001" in line for line in rest)
    rural = next(line for line in rest if line.startswith("  rural"))
    assert rural.split() == ["rural", "-0.069***", "(0.007)", "0.0012", "(0.500)"]
    assert next(line for line in rest if line.startswith("  degree")).split() == [
        "degree",
        "0.059*",
        "(0.020)",
    ]
    assert next(line for line in rest if line.startswith("  n ")).split() == ["n", "968", "900"]
    assert "Left out: 32 missing values. A note." in " ".join(" ".join(rest).split())


def test_csv_of_every_part() -> None:
    files = csv_files(full())
    assert set(files) == {
        "audit.csv", "placements.csv", "coverage.csv", "concentration.csv", "attribution.csv", "curves.csv",
        "agreement.csv", "regression.csv", "exposure.csv", "measures.csv", "examples.csv",
    }  # fmt: skip
    read = {name: list(csv.DictReader(io.StringIO(words))) for name, words in files.items()}
    for name, rows in read.items():
        assert all(None not in row and None not in row.values() for row in rows), name
    assert read["placements.csv"][1] == {
        "rule": "unknown", "documents": "500", "tokens": "10000", "confidence": "",
    }  # fmt: skip
    coverage = [row for row in read["coverage.csv"] if row["grouping"] == "region"]
    assert len(coverage) == 26
    assert coverage[-1]["group"] == "unknown"
    assert coverage[-1]["documents"] == "500"
    assert coverage[20]["representation_high"] == "0.8"
    (curve,) = full().curves
    assert len(read["curves.csv"]) == len(curve.thresholds) * len(LABELS)
    point = read["curves.csv"][1]
    assert (point["group"], point["ranked"]) == ("b", "True")
    assert float(point["retention"]) == curve.groups["b"][0]
    parts = [row for row in read["attribution.csv"] if row["group"] == "a"]
    assert sum(float(row["shapley"]) for row in parts) == pytest.approx(float(parts[0]["gap"]))
    assert read["regression.csv"][1]["p"] == "0.0004"
    assert read["regression.csv"][0]["vif"] == ""
    assert len(read["agreement.csv"]) == 1 + len(LABELS)
    assert read["exposure.csv"][0]["cited"] == ""
    assert read["measures.csv"][3]["mean_low"] == ""
    assert read["examples.csv"][0]["text"].startswith("'=1+1 | <script>")
    parts_of = {name.removesuffix(".csv") for name in files} - {"audit"}
    bare = replace(full(), **dict.fromkeys(parts_of, ()))
    assert set(csv_files(bare)) == {"audit.csv"}
    assert "Coverage" not in str(bare)


def test_no_cell_of_a_csv_file_is_a_formula() -> None:
    words = ["=1+1", "+cmd|'/C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "＝1+1", "plain", "-5", "+3e2", "a=b"]
    rows = tuple(
        replace(row, source=word, id=word) for row, word in zip(_example() * len(words), words, strict=False)
    )
    read = list(csv.DictReader(io.StringIO(csv_files(replace(full(), examples=rows))["examples.csv"])))
    expected = [*(f"'{word}" for word in words[:6]), *words[6:]]
    assert [row["source"] for row in read] == expected
    assert [row["id"] for row in read] == expected


def _example() -> tuple[Example, ...]:
    return (Example("region", "a", False, "c4", "1", "web", "KEN", "words"),)


def test_audit_without_filters() -> None:
    found = replace(full(), results={}, claims=(), attribution=(), curves=(), agreement=(), examples=())
    assert "Measures" in str(found)
    assert "## Coverage" in markdown(found)


def curve(
    disparity: tuple[float, ...], kept: tuple[float, ...], best: float, current: float = 50, **more: Any
) -> Curve:
    given = {"ranked": ("a", "b"), "keep": ">=", "thresholds": (31.0, 50.0, 80.0), **more}
    return Curve(
        "gopher_quality", "gopher_quality.words", given["keep"], "region", current, given["thresholds"], kept,
        kept, {}, given["ranked"], disparity, 0.95, best,
    )  # fmt: skip


def test_counterfactual_in_a_sentence() -> None:
    assert curve_sentence(curve((0.97, 0.9, 0.96), (0.832, 0.8, 0.2), 31)) == (
        "`gopher_quality.words` >= 50: at 31 the worst disparity by region would be 0.97 (it is 0.90) and 4%"
        " more documents kept, as without this bound."
    )
    assert curve_sentence(curve((0.9, 0.9, 0.96), (0.9, 0.8, 0.2), 80)).endswith(
        "(it is 0.90) and 75% fewer documents kept."
    )
    assert curve_sentence(curve((0.9, 0.97, 0.98), (0.9, 0.8, 0.2), 50)) == (
        "`gopher_quality.words` >= 50: the worst disparity by region is 0.97, and no threshold keeps more at"
        " 0.95 or above."
    )
    assert curve_sentence(curve((0.9, 0.8, 0.7), (0.9, 0.8, 0.2), math.nan)) == (
        "`gopher_quality.words` >= 50: the worst disparity by region is 0.80, and no threshold reaches 0.95"
        " (the nearest is 0.90 at 31)."
    )
    assert curve_sentence(curve((0.7, 0.8, 0.7), (0.9, 0.8, 0.2), math.nan)).endswith(
        "is 0.80, and no threshold reaches 0.95; no other comes nearer."
    )
    assert curve_sentence(curve((0.97, 0.8, 0.7), (0.9, 0.8, 0.2), 31, math.nan)) == (
        "`gopher_quality.words` >= (no threshold in force): at 31 the worst disparity by region would be 0.97"
        " and 90% of documents kept, as without this bound."
    )
    assert curve_sentence(curve((0.9, 0.8, 0.7), (0.9, 0.8, 0.2), math.nan, math.nan)).endswith(
        ": no threshold reaches 0.95 by region (the nearest is 0.90 at 31)."
    )
    assert "fewer than two groups by region" in curve_sentence(
        curve((math.nan,) * 3, (0.9, 0.8, 0), 31, ranked=("a",))
    )
    assert "nothing is kept" in curve_sentence(curve((math.nan,) * 3, (0.0, 0.0, 0.0), math.nan))
    unkept = curve((0.97, math.nan, 0.96), (0.9, 0, 0), 31)
    assert curve_sentence(unkept).endswith("(it is –) and 90% of documents kept, as without this bound.")
    same = curve((0.9, 0.9, 0.96), (0.8, 0.8, 0.8), 80)
    assert curve_sentence(same).endswith("and as many documents kept.")


def test_thresholds_that_help_come_first() -> None:
    there = curve((0.9, 0.97, 0.98), (0.9, 0.8, 0.2), 50)
    never = curve((0.9, 0.8, 0.7), (0.9, 0.8, 0.2), math.nan)
    hardly = curve((0.801, 0.8, 0.7), (0.9, 0.8, 0.2), math.nan)
    helps = curve((0.97, 0.9, 0.96), (0.832, 0.8, 0.2), 31)
    words = markdown(replace(full(), curves=(there, hardly, never, helps)))
    lines = [line for line in words.splitlines() if line.startswith("- `gopher_quality.words`")]
    assert [line[line.index("50:") + 4 :][:24] for line in lines] == [
        "at 31 the worst disparit", *["the worst disparity by r"] * 3,
    ]  # fmt: skip
    assert lines[1].endswith("(the nearest is 0.90 at 31).")
    assert lines[2].endswith("no other comes nearer.")
    assert lines[3].endswith("no threshold keeps more at 0.95 or above.")


def test_small_words() -> None:
    assert finding(Interval(0.5, 0.4, 0.6), 1, "less", "more") == "less"
    assert finding(Interval(1.5, 1.4, 1.6), 1, "less", "more") == "more"
    assert finding(Interval(0.9, 0.4, 1.0), 1, "less", "more") == "no evidence of a gap"
    assert finding(Interval(0.9, math.nan, math.nan), 1, "less", "more") == "no interval, so no finding"
    assert finding(NONE, 1, "less", "more") == "not measured"
    assert points(Interval(0.12, 0.041, 0.198)) == "12.0 [4.1, 19.8]"
    assert points(Interval(-0.0001, math.nan, 0.1)) == "0.0"
    assert points(NONE) == "–"
    assert [stars(p) for p in (0.05, 0.049, 0.01, 0.0099, 0.0009, math.nan)] == [
        "",
        "*",
        "*",
        "**",
        "***",
        "",
    ]
    assert [coefficient(v) for v in (0.0, -0.069, 0.00123, 12345.6, math.nan)] == [
        "0.000", "-0.069", "0.0012", "12,346", "–",
    ]  # fmt: skip
    assert [threshold(v) for v in (50, 0.12345, math.nextafter(0.3, 1), 123456.7, math.nan)] == [
        "50", "0.1235", "0.3", "123,457", "–",
    ]  # fmt: skip
    more = Attribution("region", "Oceania", Interval(-0.1, -0.2, -0.05), (), True, "exact")
    assert (
        gap_sentence(more) == "Oceania is kept more than all others, by 10.0 [5.0, 20.0] percentage points."
    )
    assert "no evidence of a gap" in gap_sentence(replace(more, supported=False))
    nobody = Concentration("source", 0, 9, (0, 0, 0), math.nan, 0, math.nan, math.nan)
    assert concentration_sentence(nobody, "words") == "No document has a known source."
    one = Concentration("source", 1, 0, (1, 1, 1), 0, 1, 1, 1)
    assert concentration_sentence(one, "words") == (
        "1 source, as diverse as 1 of equal size (Hill order 1; 1 by order 2); Gini 0. The largest source"
        " holds 100% of documents and 100% of words."
    )


def test_parts_of_a_group_kept_more() -> None:
    share = FilterShare("f", -0.1, -0.1, Interval(-0.1, -0.2, -0.05), True)
    more = Attribution("region", "Oceania", Interval(-0.1, -0.2, -0.05), (share,), True, "exact")
    shown = str(replace(full(), attribution=(more,)))
    assert any(
        line.startswith("  f ") and line.endswith("the order matters  widens the gap")
        for line in shown.splitlines()
    )


def test_tables_are_cut_and_split() -> None:
    table = Table(
        ("group", "x" * 50, "y" * 50), (("a", "1", "2"), ("b", "3", "4"), ("c", "5", "6")), first=(2,)
    )
    lines = table.text(file="f.csv", size=2)
    assert [line.split() for line in lines] == [
        ["group", "x" * 50], ["a", "1"], ["c", "5"], ["group", "y" * 50], ["a", "2"], ["c", "6"],
        ["…", "and", "1", "more", "(f.csv)"],
    ]  # fmt: skip
    later = Table(("group", "x" * 40, "y" * 60, "z"), (("a", "1", "2", "3"),), later=(2,))
    assert [line.split()[1:] for line in later.text(file="f", size=9)] == [
        ["x" * 40, "z"], ["1", "3"], ["y" * 60], ["2"],
    ]  # fmt: skip
    assert Table(("group",), ()).text(file="f", size=2) == ["  group"]
    many = Section("T", "f.csv", tuple("abc"), (table,) * 3, most_lines=1, most_tables=0)
    assert many.text() == ["T", "  a", "  … and 2 more (f.csv)", "… and 3 more tables (f.csv)"]
    assert text_table(["a", "b", "c"], [["1", "22", "x"]]) == ["a   b  c", "1  22  x"]


@given(st.text(alphabet="ab_*[]()`<>&\\| \n", max_size=30))
def test_markdown_is_never_html(words: str) -> None:
    shown = escape_markdown(words)
    assert not re.search(r"<[a-z/!?]|^\s*>", shown)
    bare = re.sub(r"\\.", "x", shown)  # what is escaped is a letter like any other
    code = re.sub(r"`[ab_]+`", "", bare)
    assert not set(code) & set("*`")
    assert not re.search(r"\[[^\]]*\]\(", code)


def test_terminal_stays_as_it_is() -> None:
    (first, *rest) = full().concentration
    shown = str(replace(full(), concentration=(replace(first, largest=(("\x1b[31mred\x9b", 4),)), *rest)))
    assert "[31mred" in shown
    assert "\x1b" not in shown
    assert "\x9b" not in shown


def test_names_stay_readable_in_markdown() -> None:
    assert escape_markdown("gopher_quality 41% [36, 47]") == "gopher_quality 41% [36, 47]"
    assert escape_markdown("_a_ [x](y) *b*") == "\\_a\\_ \\[x](y) \\*b\\*"
    assert escape_markdown("`a_b` <i> `x") == "`a_b` &lt;i> \\`x"

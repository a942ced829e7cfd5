"""The audit's page: what it shows, leaves out, says, and what it never claims."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from audits import attribution_of, curve_of, groups_of, hostile, realistic, retention_of

from hinterland.core.places import UNKNOWN
from hinterland.core.stats import Interval
from hinterland.curate.audit.audit import Audit
from hinterland.curate.audit.claims import ALL, headline, make_claims
from hinterland.curate.audit.html import page_of, sections, states_of
from hinterland.curate.audit.html_parts.attribution import attribution
from hinterland.curate.audit.html_parts.curves import curves, per_mille
from hinterland.curate.audit.html_parts.retention import group_chart
from hinterland.curate.audit.parts import Coverage, CoverageRow

NAN = math.nan


class Words(HTMLParser):
    """Collects the text of a page, without its script and style, and counts tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.within: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("script", "style"):
            self.within.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        if self.within and self.within[-1] == tag:
            self.within.pop()

    def handle_data(self, data: str) -> None:
        if not self.within:
            self.words.append(data)

    def __contains__(self, words: str) -> bool:
        return words in " ".join(" ".join(self.words).split())


def bare(audit: Audit, **kept: object) -> Audit:
    """Return the audit with nothing but retention, and what is given."""
    parts = "placements coverage concentration attribution curves agreement examples regression"
    empty: dict[str, object] = dict.fromkeys([*parts.split(), "exposure", "measures"], ())
    return replace(audit, **{**empty, "states": {}, "countries": {}, **kept})  # type: ignore[arg-type]


def data(html: str, name: str) -> dict[str, object]:
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', html)
    assert found is not None
    loaded: dict[str, object] = json.loads(found[1])
    return loaded


def test_parts_are_there_in_order() -> None:
    audit = realistic()
    anchors = [anchor for anchor, _, _ in sections(audit)]
    assert anchors == [
        "placed", "map", "coverage", "sources", "kept", "shares", "thresholds", "agreement", "examples",
        "regression", "exposure", "measures", "method",
    ]  # fmt: skip
    html = page_of(audit)
    words = Words(html)
    assert headline(audit) in words
    assert html.index('class="lead"') < html.index("have no known region") < html.index('id="placed"')
    assert all(f'href="#{anchor}"' in html for anchor in anchors)


def test_empty_parts_are_left_out_of_the_navigation_too() -> None:
    audit = bare(realistic())
    assert [anchor for anchor, _, _ in sections(audit)] == ["kept", "method"]
    html = page_of(audit)
    assert 'href="#thresholds"' not in html
    assert 'id="curves"' not in html
    assert [a for a, _, _ in sections(bare(realistic(), states=realistic().states))] == [
        "map",
        "kept",
        "method",
    ]


def test_no_finding_is_said_as_such() -> None:
    groups, documents = groups_of("region", 6), [400] * 6
    results = {"region": {ALL: retention_of(groups, documents, [0.5, 0.51, 0.5, 0.49, 0.5, 0.5])}}
    audit = bare(realistic(groupings=1), results=results, claims=make_claims(results))
    (_, _, html), _ = sections(audit)
    words = Words(str(html))
    assert words.words.count("no evidence of a gap") == 5
    assert not {"kept less", "kept more"} & set(words.words)


def test_an_interval_that_crosses_one_is_no_gap_of_representation() -> None:
    def row(group: str, low: float, high: float) -> CoverageRow:
        ratio = Interval((low + high) / 2, low, high)
        return CoverageRow(group, 50, 500, 9, Interval(0.3, 0.2, 0.4), 0.3, 0.3, ratio, 1.0)

    rows = (row("a", 0.5, 0.9), row("b", 0.8, 1.4), row("c", 1.2, 1.9), row("d", NAN, NAN))
    audit = bare(realistic(), coverage=(Coverage("region", "population", "", rows, 0, 0, 0.1, 0.1),))
    words = Words(str(sections(audit)[0][2])).words
    assert [w for w in words if w.endswith("its share")] == ["under its share", "over its share"]
    assert "no evidence of a gap" in words


def test_a_gap_that_is_not_supported_is_not_divided_as_one() -> None:
    filters = ["a", "b", "c"]
    shown = [
        attribution_of("region", "Asia", filters, 0.01, supported=False),
        attribution_of("region", "Europe", filters, -0.2, supported=True),
        attribution_of("region", "Africa", filters, 0.2, supported=True),
    ]
    html = str(attribution(bare(realistic(), attribution=tuple(shown))))
    words = Words(html)
    assert "Asia: no evidence of a gap" in words
    assert "Africa is kept less than all others, by 20.0" in words
    assert "Europe is kept more than all others, by 20.0" in words
    assert html.index("Africa is kept") < html.index("Europe is kept") < html.index("Asia: no")
    assert "no evidence of a part" in words  # c's interval holds 0


def test_the_sliders_figures_are_the_curves() -> None:
    curve = replace(curve_of(1, "region", groups_of("region", 6)), unmeasured=3)
    html = page_of(bare(realistic(), curves=(curve,)))
    (held,) = data(html, "curves")["curves"]  # type: ignore[misc]
    assert held["kept"] == [per_mille(v) for v in curve.kept]
    assert held["disparity"] == [per_mille(v) for v in curve.disparity]
    assert held["steps"][held["now"]] == f"{curve.current:.6g}"
    assert held["steps"][held["best"]] == f"{curve.best:.6g}"
    assert held["groups"][-1][:2] == ["unknown", False]
    assert "3 documents have no such score" in html


def test_many_thresholds_are_thinned_and_the_marked_ones_stay() -> None:
    curve = curve_of(2, "region", groups_of("region", 6), points=1001)
    curve = replace(curve, current=curve.thresholds[333], best=curve.thresholds[778])
    html = page_of(bare(realistic(), curves=(curve,)))
    (held,) = data(html, "curves")["curves"]  # type: ignore[misc]
    assert 200 <= len(held["steps"]) <= 203
    assert held["steps"][held["now"]] == f"{curve.current:.6g}"
    assert held["steps"][held["best"]] == f"{curve.best:.6g}"
    assert held["kept"][held["now"]] == per_mille(curve.kept[333])


def test_curves_without_a_threshold_in_force_without_a_best_and_without_values() -> None:
    curve = curve_of(0, "region", groups_of("region", 6))
    nothing = (NAN,) * len(curve.thresholds)
    one = replace(curve, current=NAN, best=NAN)
    two = replace(curve, ranked=(), disparity=nothing, best=NAN)
    none = replace(curve, thresholds=(), kept=(), tokens=(), groups={}, disparity=(), current=NAN, best=NAN)
    html = str(curves(bare(realistic(), curves=(one, two, none))))
    words = Words(html)
    assert "No threshold looked at brings that ratio to 0.8." in words
    assert "Fewer than two groups are large enough to compare." in words
    assert html.count("data-curve=") == 2
    assert "nan" not in html.lower().replace("tenan", "")


def test_names_cannot_break_out() -> None:
    html = page_of(hostile())
    words = Words(html)
    assert "img" not in words.tags
    assert words.tags.count("script") == 4
    assert html.count("<script>") == 1
    assert "\0" not in html
    assert "\\u003c/script\\u003e" in html


def test_many_groups_are_cut_and_it_is_said() -> None:
    audit = realistic(groupings=2, filters=3, groups=90)
    html = page_of(audit)
    assert "60 of 90 are shown: those kept least and those kept most" in html
    held = data(html, "kept-1")
    assert held["drawn"][-1] == "unknown"  # type: ignore[index]
    assert len(held["drawn"]) == 30  # type: ignore[arg-type]
    chart = group_chart(audit, "income", standalone=True)
    shares = [int(s) for s in re.findall(r">(\d+)% \[", chart)]
    assert len(shares) == 30
    assert shares[:-1] == sorted(shares[:-1])
    assert UNKNOWN in chart


def test_one_filter_needs_no_choice() -> None:
    audit = realistic(filters=1)
    only = {name: {ALL: by[ALL]} for name, by in audit.results.items()}
    html = page_of(replace(audit, results=only))
    assert 'id="kept-0"' not in html
    assert "hl-live" not in html.split("<script>")[0]
    assert "Every filter on its own" not in html


def test_size_stays_reasonable() -> None:
    assert len(page_of(realistic(groupings=6, filters=40, curves=40)).encode()) < 3_000_000


def test_no_states_outside_the_map() -> None:
    audit = bare(realistic(), states={"TX": (10, 4.0), "PR": (3, 3.0)})
    drawn = states_of(audit, standalone=True)
    assert "Texas: 40% (4 of 10 documents)" in drawn
    assert "Puerto Rico: 100%" in drawn


@pytest.mark.parametrize("name", ["exposure", "measures", "regression", "agreement", "examples"])
def test_each_part_stands_alone(name: str) -> None:
    audit = realistic()
    page = page_of(bare(audit, **{name: getattr(audit, name)}))
    assert f'id="{name}"' in page


def test_the_page_counts_in_the_audits_unit_and_says_what_is_not_corrected() -> None:
    audit = realistic()
    assert audit.measures
    assert audit.exposure
    words = " ".join(" ".join(Words(page_of(replace(audit, token_unit="words"))).words).split())
    assert re.search(r"and \d+% of words", words)
    assert "% of tokens" not in words
    assert words.count("for each group by itself, not corrected for their number") == 2
    bare = " ".join(" ".join(Words(page_of(replace(audit, measures=(), exposure=()))).words).split())
    assert "not corrected for their number" not in bare

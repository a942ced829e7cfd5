"""Audits to show on a page: what an analysis would find, of any size, without the analysis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hinterland.core.places import UNKNOWN, by_iso3
from hinterland.core.stats import Interval
from hinterland.core.usmap import _baked
from hinterland.curate.audit.audit import Audit, GroupingInfo
from hinterland.curate.audit.claims import ALL, make_claims
from hinterland.curate.audit.parts import (
    Agreement,
    AgreementRow,
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
from hinterland.curate.audit.retention import GroupRetention, Retention

NAN = math.nan
REGIONS = ("Africa", "Americas", "Asia", "Europe", "Oceania", UNKNOWN)
FILTERS = ("c4", "fineweb", "gopher_quality", "gopher_repetition", "language", "perplexity", "quality")
SHARES = dict(zip(REGIONS, (0.11, 0.31, 0.22, 0.24, 0.03, 0.09), strict=True))
REFERENCE = dict(zip(REGIONS[:5], (0.18, 0.13, 0.59, 0.093, 0.006), strict=True))


def around(value: float, spread: float, *, low: float = 0.0, high: float = 1.0) -> Interval:
    """Return an interval about a value."""
    return Interval(value, max(low, value - spread), min(high, value + spread))


def groups_of(name: str, number: int) -> tuple[str, ...]:
    """Return the labels of a grouping of some groups; the last is unknown."""
    if name == "region":
        return REGIONS
    return (*(f"{name} {i + 1}" for i in range(number - 1)), UNKNOWN)


def retention_of(
    groups: Sequence[str], documents: Sequence[int], rates: Sequence[float], *, spread: float = 0.06
) -> Retention:
    """Return what a filter keeps of each group, with plausible intervals."""
    total = sum(documents)
    kept = [n * rate for n, rate in zip(documents, rates, strict=True)]
    overall = sum(kept) / total
    ranked = [g != UNKNOWN and n >= 30 for g, n in zip(groups, documents, strict=True)]
    top = max(rate for rate, one in zip(rates, ranked, strict=True) if one)
    rows = []
    for group, n, rate, held, one in zip(groups, documents, rates, kept, ranked, strict=True):
        rest = (sum(kept) - held) / max(total - n, 1)
        wide = spread / math.sqrt(max(n, 1) / 400)
        ratio, to_best = rate / rest, rate / top
        rows.append(
            GroupRetention(
                group,
                n,
                n * 410,
                held,
                held * 402,
                max(2, n // 60),
                around(rate, wide),
                around(min(rate * 1.03, 1.0), wide),
                1.0 + n / 300,
                around(ratio, wide / max(rest, 0.01), high=9),
                Interval(1.0, 1.0, 1.0) if rate == top else around(to_best, wide / top, high=9),
                2 * math.exp(-abs(ratio - 1) / (wide / max(rest, 0.01) / 1.96) * 1.6),
                one,
                "" if one else "unknown, not compared" if group == UNKNOWN else "fewer than 30 documents",
            )
        )
    order = sorted((row for row in rows if row.ranked), key=lambda row: row.retention.estimate)
    everything = replace(
        rows[0],
        group="all",
        documents=total,
        tokens=total * 410,
        kept_documents=sum(kept),
        retention=around(overall, 0.02),
        token_retention=around(overall * 1.02, 0.02),
        vs_rest=Interval(1.0, NAN, NAN),
        vs_best=Interval(1.0, NAN, NAN),
    )
    return Retention(tuple(rows), everything, order[-1].group, order[0].group, 0.001)


def curve_of(number: int, grouping: str, groups: Sequence[str], *, points: int = 101) -> Curve:
    """Return a smooth curve with its marks."""
    rng = np.random.default_rng(number)
    low, high = sorted(float(x) for x in (rng.uniform(0, 30), rng.uniform(5, 35)))
    thresholds = np.linspace(low, high, points)
    z = np.linspace(-2.6, 2.6, points)
    shift = rng.normal(0, 0.45, len(groups))
    lines = {g: 1 / (1 + np.exp(1.9 * (z + s))) for g, s in zip(groups, shift, strict=True)}
    ranked = tuple(g for g in groups if g != UNKNOWN)
    table = np.array([lines[g] for g in ranked])
    kept = np.array(list(lines.values())).mean(0)
    disparity = table.min(0) / table.max(0)
    good = np.flatnonzero(disparity >= 0.8)
    return Curve(
        filter=FILTERS[number % len(FILTERS)],
        column=f"{FILTERS[number % len(FILTERS)]}.score_{number}",
        keep=">=",
        grouping=grouping,
        current=float(thresholds[points * 2 // 5]),
        thresholds=tuple(map(float, thresholds)),
        kept=tuple(map(float, kept)),
        tokens=tuple(map(float, kept**0.9)),
        groups={g: tuple(map(float, line)) for g, line in lines.items()},
        ranked=ranked,
        disparity=tuple(map(float, disparity)),
        bound=0.8,
        best=float(thresholds[good[0]]) if good.size else NAN,
        unmeasured=12 * (number % 2),
    )


def coverage_of(grouping: str, groups: Sequence[str], documents: Sequence[int], reference: str) -> Coverage:
    """Return a coverage beside a reference, or beside none."""
    known = [(g, n) for g, n in zip(groups, documents, strict=True) if g != UNKNOWN]
    total = sum(n for _, n in known)
    rows = []
    for i, (group, n) in enumerate(known):
        share = n / total
        due = REFERENCE.get(group, 1 / len(known)) if reference else NAN
        wide = 0.25 * share / math.sqrt(max(n, 1) / 300)
        ratio = Interval(NAN, NAN, NAN)
        if reference:
            ratio = Interval(share / due, max(share - wide, 0) / due, (share + wide) / due)
        rows.append(
            CoverageRow(
                group, n, n * 400, 4 + i, around(share, wide), share * 0.97, due, ratio,
                share * 0.97 / due, ranked=n >= 30, why_not="" if n >= 30 else "fewer than 30 documents",
            )
        )  # fmt: skip
    lost = sum(documents) - total
    note = "World Factbook, 2023; 4 countries without a figure are left out." if reference else ""
    return Coverage(grouping, reference, note, tuple(rows), lost, lost * 300, 0.412, 0.106)


def attribution_of(
    grouping: str, group: str, filters: Sequence[str], gap: float, *, supported: bool
) -> Attribution:
    """Return a gap divided among filters."""
    weights = np.array([(i + 1.0) ** -1.5 * (-1 if i % 5 == 4 else 1) for i in range(len(filters))])
    parts = gap * weights / weights.sum()
    shares = tuple(
        FilterShare(name, part * 1.2, part * 0.7, around(part, 0.012, low=-1), i == 1)
        for i, (name, part) in enumerate(zip(filters, parts, strict=True))
    )
    wide = 0.04 if supported else abs(gap) + 0.02
    return Attribution(grouping, group, around(gap, wide, low=-1), shares, supported, "exact")


def regression_of(name: str, more: Sequence[str] = ()) -> RegressionModel:
    """Return a model with the figures of a published table's kind."""
    coef = {
        "rural": -0.069,
        "degree": 0.059,
        "log2 home value": 0.01,
        "log2 students": 0.006,
        "public": 0.015,
    }
    coef |= {term: 0.02 * (-1) ** i for i, term in enumerate(more)}
    coef["const"] = -0.12
    se = {term: abs(value) / 2.6 + 0.004 for term, value in coef.items()}
    z = {term: abs(coef[term]) / se[term] for term in coef}
    return RegressionModel(
        name=name,
        kind="ols",
        outcome="quality.score",
        n=968,
        dropped={"without a value": 31, "of size 0": 4},
        r2=0.140 + 0.012 * len(more),
        errors="cluster state (49 clusters)",
        coef=coef,
        se=se,
        p={term: 2 * math.exp(-(z[term] ** 1.7)) for term in coef},
        low={term: coef[term] - 1.96 * se[term] for term in coef},
        high={term: coef[term] + 1.96 * se[term] for term in coef},
        standardised={term: 3 * value for term, value in coef.items() if term != "const"},
        vif={term: 1.1 + 0.3 * i for i, term in enumerate(coef) if term != "const"},
        notes=("Sizes are log2(x + 0.00001).",),
    )


TEXTS = (
    "The harbour at Suva was quiet on Monday, the port authority said, after a week in which three"
    " inter-island"
    " ferries were held back by the swell. Fishing crews mended nets and waited.",
    "Click here!!! Best price best price best price. Cheap watches cheap watches. Contact us today for a"
    " quote.",
    "在会议上,代表们讨论了水资源管理的问题,并同意明年再次开会。",
    "قال الوزير إن المشروع سيبدأ في الربيع المقبل بعد اكتمال الدراسات.",
    "The general assembly took note of the report and asked the secretariat to circulate the annexes.",
)


def examples_of(grouping: str, groups: Sequence[str]) -> tuple[Example, ...]:
    """Return a few examples of each group."""
    made = []
    for number, group in enumerate(groups):
        for i in range(4):
            kept = i % 2 == 0
            reason = "" if kept else f"{FILTERS[(number + i) % len(FILTERS)]}: too_short"
            made.append(
                Example(
                    grouping, group, kept, reason, f"doc-{number}{i}", "example.org", "FJI",
                    TEXTS[(number + i) % len(TEXTS)],
                )
            )  # fmt: skip
    return tuple(made)


def realistic(
    *,
    groupings: int = 2,
    filters: int = 7,
    curves: int = 4,
    groups: int = 9,
    points: int = 101,
    seed: int = 0,
) -> Audit:
    """Return an audit with every part, of the size asked for."""
    rng = np.random.default_rng(seed)
    names = ["region", "income", "language", "year", "urbanity", "source_kind", "variety", "century"]
    chosen = names[:groupings]
    used = [FILTERS[i] if i < len(FILTERS) else f"rule_{i + 1}" for i in range(filters)]
    results: dict[str, dict[str, Retention]] = {}
    infos, sizes = {}, {}
    total = 18_400
    for name in chosen:
        labels = groups_of(name, groups)
        parts = [SHARES[g] for g in labels] if name == "region" else rng.dirichlet(np.full(len(labels), 1.5))
        documents = [max(12, round(total * float(part))) for part in parts]
        sizes[name] = (labels, documents)
        tilt = np.array([-0.17, 0.02, -0.04, 0.09, -0.24, -0.1]) if name == "region" else None
        lean = rng.normal(0, 0.05, len(labels)) if tilt is None else tilt
        for filter_name in used:
            size = rng.uniform(0.1, 0.8)
            rates = np.clip(0.86 + size * lean + rng.normal(0, 0.01, len(labels)), 0.02, 0.99)
            results.setdefault(name, {})[filter_name] = retention_of(labels, documents, list(rates))
        rates = np.clip(0.58 + lean, 0.02, 0.99)
        results[name][ALL] = retention_of(labels, documents, list(rates))
        infos[name] = GroupingInfo(
            "Regions of UN M49." if name == "region" else "", "about {}", 1656, 410_000
        )
    countries = {
        code: (n := int(rng.integers(4, 300)), float(round(n * rng.uniform(0.2, 0.9))))
        for code in sorted(by_iso3())
        if code != "ATA" and rng.random() < 0.82
    }
    first = chosen[0]
    labels, documents = sizes[first]
    compared = [g for g in labels if g != UNKNOWN]
    return Audit(
        title="Audit of a made-up corpus",
        documents=total,
        tokens=7_544_000,
        token_unit="words",
        groupings=infos,
        results=results,
        claims=make_claims(results),
        countries=countries,
        settings={"seed": 0, "resamples": 2000, "min_documents": 30, "level": 0.95},
        notes=("14 documents without a single word were left out.",),
        states=states_of(rng),
        placements=(
            Placement("url", 9_108, 3_900_000, 0.81),
            Placement("text", 5_411, 2_300_000, 0.66),
            Placement("column country", 2_225, 934_000, 1.0),
            Placement(UNKNOWN, 1_656, 410_000, NAN),
        ),
        coverage=(
            coverage_of(first, labels, documents, "population"),
            coverage_of(first, labels, documents, "internet users"),
            *(coverage_of(name, *sizes[name], "") for name in chosen[1:]),
        ),
        concentration=(
            Concentration(
                "source", 2311, 120, (2311.0, 402.3, 96.1), 0.81, 24, 0.38, 0.44,
                (("example.org", 1203), ("news.example.com", 840), ("gov.example", 611)),
            ),
        ),
        attribution=tuple(
            attribution_of(name, g, used, 0.17 - 0.09 * i, supported=i != 2)
            for name in chosen
            for i, g in enumerate(g for g in sizes[name][0] if g != UNKNOWN)
        ),
        curves=tuple(
            curve_of(i, name := chosen[i % len(chosen)], sizes[name][0], points=points) for i in range(curves)
        ),
        agreement=(
            Agreement(
                "gopher_quality", "gopher_quality_strict", first,
                tuple(
                    AgreementRow(g, 900, 500, 60, 40, 300, around(0.89 - 0.04 * i, 0.05), g != UNKNOWN)
                    for i, g in enumerate(["all", *labels])
                ),
            ),
        ),
        examples=examples_of(first, labels),
        regression=(
            regression_of("schools"),
            regression_of("with race shares", ["share black", "share hispanic"]),
        ),
        exposure=(
            Exposure(
                first, 240, 10,
                tuple(
                    ExposureRow(
                        g, 0.2, around(0.14 + 0.03 * i, 0.03), around(0.1 + 0.04 * i, 0.05), 0.2,
                        around(0.7 + 0.15 * i, 0.15, high=9), around(0.6 + 0.2 * i, 0.2, high=9),
                    )
                    for i, g in enumerate(compared)
                ),
                "3 results were not in the corpus.",
            ),
        ),
        measures=(
            Measure(
                "lm_quality.bits_per_byte", first,
                tuple(
                    MeasureRow(
                        g, 800, 30, around(1.02 + 0.05 * i, 0.04, high=9),
                        around(0.05 * i - 0.1, 0.07, low=-9),
                        g != UNKNOWN,
                    )
                    for i, g in enumerate(["all", *labels])
                ),
                unmeasured=31,
            ),
        ),
    )  # fmt: skip


def states_of(rng: np.random.Generator) -> dict[str, tuple[int, float]]:
    """Return documents and documents kept of most states."""
    codes = [code for code in _baked()["states"] if rng.random() < 0.9]
    documents = rng.integers(5, 200, len(codes))
    return {c: (int(n), float(n // 2 + i % 3)) for i, (c, n) in enumerate(zip(codes, documents, strict=True))}


def hostile() -> Audit:
    """Return an audit whose every untrusted word tries to run."""
    bad = "</script><script>window.ran = 1</script><img src=x onerror='window.ran = 1'>\u202e\x00"
    audit = realistic()
    first = next(iter(audit.results))

    def spoil(row: GroupRetention) -> GroupRetention:
        return replace(row, group=f"{row.group}{bad}") if row.group == "Africa" else row

    results = {
        bad if name == first else name: {
            (f"{bad}{f}" if f == "c4" else f): replace(
                measured, groups=tuple(map(spoil, measured.groups)), worst=None, best=None
            )
            for f, measured in by_filter.items()
        }
        for name, by_filter in audit.results.items()
    }
    curve = audit.curves[0]
    return replace(
        audit,
        title=bad,
        results=results,
        groupings={bad if name == first else name: info for name, info in audit.groupings.items()},
        claims=make_claims(results),
        notes=(bad,),
        placements=(Placement(bad, 3, 3, 0.5),),
        curves=(
            replace(
                curve, filter=bad, column=bad, grouping=bad,
                groups={f"{g}{bad}": line for g, line in curve.groups.items()},
                ranked=tuple(f"{g}{bad}" for g in curve.ranked),
            ),
            audit.curves[1],
        ),
        examples=(
            Example(bad, bad, True, "", bad, bad, bad, bad),
            Example(bad, bad, False, bad, bad, bad, bad, bad),
        ),
        attribution=(attribution_of(bad, bad, [bad, "x"], 0.1, supported=True),) * 2,
        regression=(replace(audit.regression[0], name=bad, outcome=bad, notes=(bad,)),),
        settings={**audit.settings, bad: bad},
    )  # fmt: skip

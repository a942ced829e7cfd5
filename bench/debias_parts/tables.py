"""The result as tables for people, and as a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gpu_parts.common import Row, Table

from hinterland.core.charts import IntervalRow, interval_chart
from hinterland.core.stats import Interval

__all__ = ["chart", "markdown"]

Found = Mapping[str, Any]
_NAMES = {"gdp_per_head": "GDP per head"}


def markdown(result: Found) -> str:
    """Return the results as Markdown."""
    machine = result["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    tables = [
        *(_retention(result, name) for name in result["retention"]),
        _debiasing(result),
        _ratios(result),
        *_models(result),
    ]
    lines = [
        f"# The proof, {result['date']}",
        "",
        f"{machine['cpu']}; {result['seconds'] / 60:.1f} minutes; seed {result['seed']}; {versions}.",
        "",
        *(f"- {line}" for line in _facts(result)),
        "",
        *(table.markdown() for table in tables),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _facts(result: Found) -> list[str]:
    design, tests = result["design"], result["classifier"]
    unplaced = ", ".join(f"{code} ({n})" for code, n in design["unplaced"].items()) or "none"
    used = tests[0]["used"]
    aucs = sorted(test["auc"]["estimate"] for test in tests)
    accuracy = sorted(test["accuracy"]["estimate"] for test in tests)
    lines = [
        f"{design['speeches']:,} speeches of {design['countries']} countries, {design['passages']:,}"
        f" passages; codes that are no country, without a region: {unplaced}.",
        f"{design['runs']} runs; each holds out {_span(design['held_out'])} speeches and filters"
        f" {_span(design['pool_passages'])} passages ({_span(design['pool_tokens'])} tokens).",
        f"Classifier: {used['positive']:,} positive and {used['negative']:,} negative pieces; on pieces not"
        f" trained on AUC {aucs[0]:.4f} to {aucs[-1]:.4f}, accuracy {accuracy[0]:.3f} to {accuracy[-1]:.3f};"
        f" passages with the score of the last one kept: {_span([test['ties'] for test in tests])}.",
        f"Every arm has the same number of tokens in a run: {_span(design['arm_tokens'])}.",
    ]
    if any(design["gpt_arm_tokens"]):
        lines.append(f"For the transformer: {_span(design['gpt_arm_tokens'])}.")
    return lines


def _span(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _digits(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}%"


def _interval(value: Found, *, digits: int = 2, percent: bool = False) -> str:
    """Write an interval; the estimate alone where it has no bounds."""
    scale = 100 if percent else 1
    estimate, low, high = (value[key] for key in ("estimate", "low", "high"))
    if estimate is None:
        return "-"
    shown = f"{scale * estimate:.{digits}f}" + ("%" if percent else "")
    return (
        shown
        if low is None or high is None
        else f"{shown} [{scale * low:.{digits}f}, {scale * high:.{digits}f}]"
    )


def _retention(result: Found, name: str) -> Table:
    """Return what the filter keeps of each group in the first run, before and after."""
    found = result["retention"][name]
    table = Table(
        f"What the filter keeps by {_NAMES.get(name, name)} (run 1)",
        [
            found["note"],
            f"Share of passages kept, 95% intervals over countries. {_ways(result)}"
            " A gap is called supported where the group's ratio to all others differs from 1 after"
            " false-discovery control.",
        ],
    )
    for row in found["groups"]:
        table.rows.append(
            {
                "group": row["group"],
                "passages": row["passages"],
                "countries": row["countries"],
                "kept": _interval(row["before"], digits=1, percent=True),
                "ratio to the others": _interval(row["before_vs_rest"]),
                "ratio to the best": _interval(row["before_vs_best"]),
                "gap": row["why_not"] or ("supported" if row["gap_supported"] else "no evidence"),
                "kept, debiased": _interval(row["preregistered"], digits=1, percent=True),
                "kept, at most 5% dropped": _interval(row["after"], digits=1, percent=True),
            }
        )
    if found["worst"]:
        table.notes.append(
            f"Worst against best kept ({found['worst']}, {found['best']}):"
            f" p = {_p(found['worst_against_best_p'])}, corrected for the choice among all pairs."
        )
    return table


def _ways(result: Found) -> str:
    first, added = (result["design"][key] for key in ("preregistered", "added_after_the_first_full_run"))
    return (
        f"Debiased: mode {first['mode']} by {first['grouping']}, chosen beforehand; at most 5% dropped: the"
        f" same with max_loss {added['max_loss']:.2f}, added after the first full run."
    )


def _debiasing(result: Found) -> Table:
    table = Table(
        "Debiasing, and what it costs",
        [
            f"Means over {result['design']['runs']} runs. Ratio: the worst-kept group's retention over the"
            " best-kept one's, among groups of 30 passages or more.",
            "Dropped: tokens of passages kept before and dropped now, over tokens kept before. Added: tokens"
            " that come back. Net loss: how many fewer tokens are kept in all.",
            "The bounds are a ratio of 0.95 and a loss of 5%, in every run. The rows with a bound on what is"
            " dropped were added after the first full run.",
        ],
    )
    for row in result["debiasing"]:
        table.rows.append(
            {
                "grouping": row["grouping"],
                "mode": row["mode"]
                + ("" if row["max_loss"] >= 1 else f", at most {100 * row['max_loss']:.0f}% dropped"),
                "ratio before": _digits(row["before"], 3),
                "ratio after (lowest)": f"{_digits(row['after'], 4)} ({_digits(row['after_lowest'], 4)})",
                "dropped": _percent(row["tokens_dropped"]),
                "added": _percent(row["tokens_added"]),
                "net loss": _percent(row["net_loss"]),
                "mean score": f"{_digits(row['quality_before'], 3)} → {_digits(row['quality_after'], 3)}",
                "ratio met": row["disparity_met"],
                "dropped ≤ 5%": row["dropped_at_most_5_percent"],
                "net loss ≤ 5%": row["net_at_most_5_percent"],
            }
        )
    return table


def _ratios(result: Found) -> Table:
    table = Table(
        "Worst disparity ratio by grouping",
        [f"Mean over the runs (lowest to highest). {_ways(result)} A random half beside them."],
    )
    for name in result["before"]["by_grouping"]:
        row: Row = {"grouping": _NAMES.get(name, name)}
        debiased, bounded = result["preregistered"]["after"], result["after"]
        for label, found, part in (
            ("random half", result["random"], "by_grouping"),
            ("filtered", result["before"], "by_grouping"),
            ("debiased", debiased, "by_grouping"),
            ("at most 5% dropped", bounded, "by_grouping"),
            ("filtered, 5 countries or more", result["before"], "ranked"),
            ("debiased, 5 countries or more", debiased, "ranked"),
            ("at most 5% dropped, 5 countries or more", bounded, "ranked"),
        ):
            row[label] = _ratio(found[part][name])
        table.rows.append(row)
    return table


def _ratio(value: Found) -> str:
    if value["worst_disparity"] is None:
        return "-"
    return f"{value['worst_disparity']:.3f} ({value['lowest']:.3f} to {value['highest']:.3f})"


def _models(result: Found) -> list[Table]:
    """Return bits per byte and differences, for each model."""
    kinds = {"bits_per_byte": "5-gram model", "bits_per_byte_gpt": "transformer"}
    tables = []
    for key, name in kinds.items():
        if key not in result:
            continue
        found = result[key]
        primary = found["difference"]
        marks = {
            primary["worst_region"]["group"]: "hardest",
            primary["least_kept_region"]["group"]: "least kept",
        }
        if len(marks) == 1:
            marks = dict.fromkeys(marks, "hardest and least kept")
        added = found.get("difference_at_most_5_percent_dropped")
        arms = [arm for arm in found if "difference" not in arm]
        values = Table(
            f"Bits per byte of held-out speeches, {name}",
            ["Lower is better. Same number of training tokens in every arm; all runs together."],
        )
        values.rows.append({"group": "all speeches", **{arm: _bpb(found[arm]["overall"]) for arm in arms}})
        values.rows += [
            {"group": row["group"], **{arm: _bpb(found[arm]["by_region"][row["group"]]) for arm in arms}}
            for row in primary["by_region"]
        ]
        values.rows.append(
            {
                "group": "worst region",
                **{arm: _bpb(found[arm]["worst_region"]["bits_per_byte"]) for arm in arms},
            }
        )
        tables.append(values)
        tables.append(
            _differences(
                f"Debiased less filtered, {name}: the question asked",
                [primary["overall"], *primary["by_region"]],
                marks,
            )
        )
        if added:
            title = f"{_then(added['arms'][1])} less filtered, {name}: added after the first full run"
            tables.append(_differences(title, [added["overall"], *added["by_region"]], marks))
        if key == "bits_per_byte":
            tables.append(
                _differences(f"Debiased less filtered by subregion, {name}", primary["by_subregion"], {})
            )
        if added:
            title = f"{_then(added['arms'][1])} less filtered by subregion, {name}"
            tables.append(_differences(title, added["by_subregion"], {}))
        tables += [
            _differences(f"{_then(other['arms'][1])} less {other['arms'][0]}, {name}", other["groups"], {})
            for other in found["other_differences"]
        ]
    return tables


def _then(arm: str) -> str:
    """Close a name's own comma, for a title to go on."""
    return f"{arm}," if "," in arm else arm


def _bpb(value: float) -> str:
    return f"{value:.4f}"


def _differences(title: str, rows: Sequence[Found], marks: Mapping[str, str]) -> Table:
    table = Table(
        title[:1].upper() + title[1:],
        [
            "Thousandths of a bit per byte; below 0 the second arm is better."
            " 95% intervals over countries, and over runs; Holm's p over the rows."
        ],
    )
    for row in rows:
        mark = f" ({marks[row['group']]})" if row["group"] in marks else ""
        table.rows.append(
            {
                "group": row["group"] + mark,
                "texts": row["speeches"],
                "countries": row["countries"],
                "difference, over countries": _interval(_thousandths(row["difference"])),
                "over runs": _interval(_thousandths(row["over_runs"])),
                "p (Holm)": _p(row["p_adjusted"]),
                "finding": _finding(row),
            }
        )
    return table


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if value >= 0.0001 else "< 0.0001"


def _thousandths(value: Found) -> dict[str, float | None]:
    return {key: None if value[key] is None else 1000 * value[key] for key in ("estimate", "low", "high")}


def _finding(row: Found) -> str:
    if row["p_value"] is None:
        return "too few countries"
    if not row["supported"]:
        return "no evidence of a difference"
    return "better" if row["difference"]["estimate"] < 0 else "worse"


def chart(result: Found) -> str:
    """Return the primary differences by region and subregion as an SVG."""
    primary = result["bits_per_byte"]["difference"]
    rows = [
        IntervalRow(row["group"], _scaled(row["difference"]), muted=not row["supported"])
        for row in [primary["overall"], *primary["by_region"], *primary["by_subregion"]]
        if row["p_value"] is not None
    ]
    return interval_chart(
        rows,
        title="Bits per byte of held-out speeches: debiased less filtered, in thousandths (5-gram model)",
        reference=0.0,
        reference_label="no difference",
        unit="",
        standalone=True,
    )


def _scaled(value: Found) -> Interval:
    found = {key: float("nan") if each is None else each for key, each in _thousandths(value).items()}
    return Interval(found["estimate"], found["low"], found["high"])

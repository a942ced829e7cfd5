"""A result as text for people, and as rows for a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hinterland.eval.compare import short_name

__all__ = ["group_rows", "plain_table", "report_text", "system_rows", "worst_group_text"]


def _interval(found: Mapping[str, Any]) -> str:
    if found["mean"] is None:
        return "unmeasured"
    return f"{found['mean']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def system_rows(result: Mapping[str, Any], *, retrieval: bool = False) -> list[dict[str, str]]:
    """Return a row per system: its name, each metric with its interval, n, unmeasured.

    Args:
        result: What `hinterland.eval.measure.measure` returns.
        retrieval: The retrieval metrics, for the systems that have them; else the answers'.
    """
    rows = []
    for name, part in result["systems"].items():
        scores = {metric: found for metric, found in part["scores"].items() if ("@" in metric) == retrieval}
        if not scores:
            continue
        first = next(iter(scores.values()))
        rows.append(
            {
                "system": name,
                **{short_name(metric): _interval(found) for metric, found in scores.items()},
                "n": str(first["n"]),
                "unmeasured": str(first["unmeasured"]),
            }
        )
    return rows


def group_rows(result: Mapping[str, Any], key: str, metric: str) -> list[dict[str, str]]:
    """Return a row per group: its name, n, and each system's mean with its interval.

    ``n`` is the number of questions measured for the system with most of them.
    """
    rows: dict[str, dict[str, str]] = {}
    counts: dict[str, int] = {}
    for system, groups in result["groups"][key][metric].items():
        for part in groups:
            row = rows.setdefault(part["group"], {key: part["group"], "n": ""})
            counts[part["group"]] = max(counts.get(part["group"], 0), part["n"])
            row["n"] = str(counts[part["group"]])
            row[system] = _interval(part) + (f" (n = {part['n']})" if part["unmeasured"] else "")
    return list(rows.values())


def worst_group_text(result: Mapping[str, Any], key: str, metric: str) -> list[str]:
    """Say for each system which group it serves worst, and whether chance explains it."""
    lines = []
    for system, groups in result["groups"][key][metric].items():
        for part in groups:
            if part["worst"]:
                sure = part["p_rest"] is not None and part["p_rest"] <= 1 - result["level"]
                lines.append(
                    f"{system}: lowest {short_name(metric)} for {part['group']} "
                    f"({_interval(part)}, n = {part['n']}), "
                    + ("below the other groups" if sure else "no evidence that it is below the others")
                )
    return lines


def plain_table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return rows with the same keys as aligned columns under a header."""
    if not rows:
        return ""
    heads = list(dict.fromkeys(key for row in rows for key in row))
    lines = [heads, *([row.get(head, "–") for head in heads] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    lines.insert(1, ["─" * width for width in widths])
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def report_text(result: Mapping[str, Any]) -> str:
    """Return the whole result as plain text."""
    task = result["task"]
    bad = f" ({_counted(task['bad_lines'], 'bad line')} left out)" if task.get("bad_lines") else ""
    parts = [
        f"{task['name']}: {_counted(task['questions'], 'question')}{bad}",
        plain_table(system_rows(result)),
    ]
    if system_rows(result, retrieval=True):
        parts.append("Retrieval\n" + plain_table(system_rows(result, retrieval=True)))
    if result["pairs"]:
        parts.append("\n".join(f"• {pair['verdict']}" for pair in result["pairs"]))
    for key, metrics in result["groups"].items():
        for metric in list(metrics)[:1]:  # the first metric for people; all are in the result
            table = plain_table(group_rows(result, key, metric))
            lines = [f"By {key} ({short_name(metric)})", table, *worst_group_text(result, key, metric)]
            parts.append("\n".join(lines))
    for name, count in result.get("failures", {}).items():
        parts.append(
            f"{name}: {_counted(count['questions'], 'question')} without an answer; the last: {count['last']}"
        )
    if result.get("contamination"):
        parts.append(f"Contamination: {result['contamination']['verdict']}")
    return "\n\n".join(parts)

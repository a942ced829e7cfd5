"""What ``hinterland curate`` tells people: counts, reasons, weights, duplicates, the fit."""

from __future__ import annotations

from typing import Any

__all__ = ["render"]

#: Groups shown of each cap and mixture, the largest first.
_GROUPS = 8


def render(result: dict[str, Any]) -> str:
    """Return the result as text: counts, what each filter keeps alone, reasons, the fit."""
    counts = result["counts"]
    scored = counts["kept"] + counts["decided_out"]
    lines = [
        f"{counts['in']:,} documents in = {counts['kept']:,} kept + {counts['decided_out']:,} decided out"
        f" + {counts['rejected']:,} rejected",
        "",
        "kept by each filter on its own",
        *(
            f"  {name:<20}{number:>10,}{number / scored:>8.1%}" if scored else f"  {name:<20}{number:>10,}"
            for name, number in result["kept_by_filter"].items()
        ),
    ]
    if result["reasons"]:
        lines += ["", "reasons (a document can have several)"]
        lines += [f"  {name:<48}{number:>10,}" for name, number in _largest_first(result["reasons"])]
    lines += _weights(result)
    lines += _duplicates(result["cards"]["duplicates"])
    lines += _places(result["cards"].get("places"))
    card = result["cards"]["lm_quality"]
    if card.get("distilled"):
        lines += [
            "",
            f"quality: {card['measured']} documents measured with {card['model']}; the prediction's rank"
            f" correlation on documents not seen is {card['spearman']}, R² {card['r2']}",
        ]
    elif "note" in card:
        lines += ["", f"quality: no score, {card['note']}"]
    rejects = {key: value for key, value in result["rejects"].items() if key != "file"}
    if rejects:
        listed = ", ".join(f"{name} {number:,}" for name, number in rejects.items())
        lines += ["", f"not read as they are: {listed} (listed in {result['rejects']['file']})"]
    return "\n".join([*lines, "", f"corpus: {result['corpus']}"])


def _largest_first(reasons: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(reasons.items(), key=lambda item: (-item[1], item[0]))


def _weights(result: dict[str, Any]) -> list[str]:
    """Return what sampling and weights come to, as lines; nothing where there are none."""
    lines = []
    for name, report in result.get("decisions", {}).items():
        groups = report.get("groups", report)
        figures = ", ".join(f"{key} {_figure(value)}" for key, value in report.items() if _is_plain(value))
        lines.append(f"  {name:<20}{figures}".rstrip())
        lines += _groups({key: value for key, value in groups.items() if isinstance(value, dict)})
    expected = result.get("expected_documents", result["counts"]["kept"])
    if expected != result["counts"]["kept"]:
        lines.append(f"  with the weights, {expected:,} documents are expected")
    return ["", "sampling and weights", *lines] if lines else []


def _groups(groups: dict[str, dict[str, Any]]) -> list[str]:
    """Return a line for each of the largest groups: its documents before and after, and its share."""
    largest = sorted(groups.items(), key=lambda item: (-item[1].get("documents_before", 0), item[0]))
    lines = []
    for name, group in largest[:_GROUPS]:
        line = f"    {name:<18}{group['documents_before']:>10,} → {group['documents']:,} documents"
        if "share" in group:
            line += f", share {group['share_before']:.1%} → {group['share']:.1%}"
        lines.append(line)
    return lines + ([f"    and {len(largest) - _GROUPS:,} more"] if len(largest) > _GROUPS else [])


def _figure(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.6g}"


def _is_plain(value: Any) -> bool:
    return isinstance(value, int | float | str) and not isinstance(value, bool)


def _duplicates(card: dict[str, Any] | None) -> list[str]:
    """Return what the duplicate search found, as lines."""
    if card is None:
        return []
    exact, near = card["exact"], card["near"]
    return [
        "",
        f"duplicates: {exact['copies']:,} copies of equal documents;"
        f" {near['copies']:,} in {near['clusters']:,} clusters of near-duplicates"
        f" ({near['verified']:,} pairs verified, {near['refused']:,} refused, kept: {card['policy']})",
    ]


def _places(card: dict[str, Any] | None) -> list[str]:
    if card is None:
        return []
    lines = ["", "where documents are from, by the rule that says so"]
    lines += [f"  {name:<48}{number:>10,}" for name, number in card["rules"].items()]
    if card["unrecognised"]:
        named = ", ".join(f"{value!r} ({number:,})" for value, number in card["unrecognised"][:_GROUPS])
        lines.append(f"  values of country columns that are no country: {named}")
    return lines

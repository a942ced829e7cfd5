"""What the demo found, as values for programs and as sentences for people.

Every figure comes from a step's result. A step that found nothing says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hinterland.core.run import StageRecord
from hinterland.demo.config import DemoConfig

__all__ = ["findings", "megabytes", "summary"]

Results = Mapping[str, Mapping[str, Any]]


def megabytes(records: Sequence[StageRecord]) -> float:
    """Return the largest peak of any step, in MB; what an earlier run did counts."""
    return max((float(record.result.get("peak_memory_mb", 0.0)) for record in records), default=0.0)


def summary(config: DemoConfig, records: Sequence[StageRecord]) -> dict[str, Any]:
    """Return the results for ``summary.json``.

    Everything but ``wall_seconds`` and ``peak_memory_mb`` is the same however often the
    run was interrupted.
    """
    results: Results = {record.name: record.result for record in records}
    evaluated, bits = results["evaluate"], results["adapt"]["bits_per_byte"]
    retrieval = evaluated["retrieval"]
    return {
        "quick": config.quick,
        "seed": config.seed,
        "corpus": {key: value for key, value in results["corpus"].items() if key != "peak_memory_mb"},
        "curate": {key: results["curate"][key] for key in ("counts", "kept_by_filter", "cards")},
        "audit": {"headline": results["audit"]["headline"]},
        "debias": {
            key: results["debias"][key] for key in ("by", "worst_disparity", "cost", "counts", "unmet")
        },
        "index": {key: results["index"][key] for key in ("chunks", "documents") if key in results["index"]},
        "retrieval": {
            name: {
                "recall@10": retrieval["recall@10"]["systems"][name]["mean"]["estimate"],
                "ndcg@10": retrieval["ndcg@10"]["systems"][name]["mean"]["estimate"],
            }
            for name in retrieval["recall@10"]["systems"]
        },
        "retrieval_questions": evaluated["questions"],
        "systems": {
            name: {
                "exact_match": part["scores"]["exact_match"]["mean"],
                "f1": part["scores"]["f1"]["mean"],
                "contains": part["scores"]["contains"]["mean"],
                "n": part["scores"]["exact_match"]["n"],
            }
            for name, part in evaluated["answers"]["systems"].items()
        },
        "comparisons": [pair["verdict"] for pair in evaluated["answers"]["pairs"]],
        "bits_per_byte": bits,
        "contamination": evaluated["contamination"]["verdict"],
        "wall_seconds": round(sum(record.seconds for record in records), 1),
        "peak_memory_mb": round(megabytes(records)),
    }


def findings(records: Sequence[StageRecord]) -> list[tuple[str, str]]:
    """Return a step's name and what it found, in order."""
    results: Results = {record.name: record.result for record in records}
    return [
        ("Corpus", _corpus(results["corpus"])),
        ("Curate", _curate(results["curate"])),
        ("Audit", str(results["audit"]["headline"])),
        ("Debias", _debias(results["debias"])),
        ("Index", f"{results['index']['chunks']:,} chunks of {results['index']['documents']:,} documents."),
        ("Retrieval", _retrieval(results["evaluate"])),
        ("Ask", _ask(results["ask"])),
        ("Adapt", _adapt(results["adapt"])),
        ("Evaluate", _answers(results["evaluate"]["answers"])),
    ]


def _corpus(found: Mapping[str, Any]) -> str:
    return (
        f"{found['documents']:,} documents ({found['words']:,} words) of {found['places']} places; "
        f"{found['skipped_without_prose']} sections without prose skipped; "
        f"{found['without_country']} documents of no country."
    )


def _curate(found: Mapping[str, Any]) -> str:
    counts, card = found["counts"], found["cards"]["lm_quality"]
    alone = ", ".join(f"{name} {kept / counts['in']:.0%}" for name, kept in found["kept_by_filter"].items())
    fit = card.get("spearman")
    trust = f" Rank correlation of the distilled quality with the model's own: {fit:.2f}." if fit else ""
    return f"{counts['kept']:,} of {counts['in']:,} documents kept. Each filter alone keeps: {alone}.{trust}"


def _debias(found: Mapping[str, Any]) -> str:
    before, after = found["worst_disparity"][found["by"]]
    cost = found["cost"]
    grouping = found["by"].replace("_", " ")
    if before is None or after is None:
        return f"Fewer than two groups by {grouping} are large enough to compare; nothing is evened out."
    unmet = f" Not met for {', '.join(found['unmet'])}." if found["unmet"] else ""
    return (
        f"Worst disparity ratio by {grouping}: {before:.2f} → {after:.2f}, at {cost['share_lost']:.1%} "
        f"of tokens lost ({cost['documents_readmitted']} documents come back, "
        f"{cost['documents_removed']} go).{unmet}"
    )


def _interval(part: Mapping[str, Any]) -> str:
    mean = part["mean"]
    if isinstance(mean, Mapping):
        return f"{mean['estimate']:.2f} [{mean['low']:.2f}, {mean['high']:.2f}]"
    return "unmeasured" if mean is None else f"{mean:.2f} [{part['low']:.2f}, {part['high']:.2f}]"


def _retrieval(found: Mapping[str, Any]) -> str:
    recall = found["retrieval"]["recall@10"]
    parts = "; ".join(f"{name} {_interval(part)}" for name, part in recall["systems"].items())
    gain = recall["debiased_minus_filtered"]
    change = f"{gain['estimate']:+.3f} [{gain['low']:.3f}, {gain['high']:.3f}]"
    excludes = gain["low"] > 0 or gain["high"] < 0
    verdict = "debiasing changes it by" if excludes else "no evidence that debiasing changes it:"
    return f"Recall@10 on {found['questions']} questions: {parts}; {verdict} {change}."


def _ask(found: Mapping[str, Any]) -> str:
    cited = found["with_citation"]
    total = f"{found['asked']} questions asked without and with retrieval"
    return f"{total}; answers with a citation: {cited}."


def _adapt(found: Mapping[str, Any]) -> str:
    def change(name: str) -> str:
        part = found["bits_per_byte"][name]
        interval = f"{part['difference']:+.3f}"
        if part["low"] is not None:
            interval += f" [{part['low']:.3f}, {part['high']:.3f}]"
        return f"{part['before']:.3f} → {part['after']:.3f} ({interval})"

    training = found["training"]
    early = " (stopped early by the time box)" if training["stopped_early"] else ""
    return (
        f"{training['steps']} steps{early}. Bits per byte on held-out places {change('domain')}; "
        f"on general text, which shows what is forgotten, {change('general')}."
    )


def _answers(found: Mapping[str, Any]) -> str:
    parts = "; ".join(
        f"{name} EM {_interval(part['scores']['exact_match'])}, F1 {_interval(part['scores']['f1'])}, "
        f"contains the answer {_interval(part['scores']['contains'])}"
        for name, part in found["systems"].items()
    )
    verdicts = "; ".join(pair["verdict"] for pair in found["pairs"] if pair["metric"] == "f1")
    return f"{found['task']['questions']} questions: {parts}. {verdicts[:1].upper()}{verdicts[1:]}."

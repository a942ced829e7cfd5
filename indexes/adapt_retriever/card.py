"""The card of an adapted encoder: what it was trained on, and what that was worth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hinterland.core.run import package_versions

__all__ = ["retriever_card"]


def _table(rows: Mapping[str, Any]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows.items())])


def _verdict(name: str, found: Mapping[str, Any]) -> str:
    return (
        f"| {name}: {found['source']} | {found['queries']} | {found['base']:.4f} | {found['adapted']:.4f} |"
        f" {found['difference']:+.4f} ({found['low']:+.4f} to {found['high']:+.4f}) | {found['p']:.4f} |"
    )


def retriever_card(
    *,
    base: str,
    base_hash: str,
    data_hash: str,
    counts: Mapping[str, Any],
    training: Mapping[str, Any],
    verdicts: Mapping[str, Mapping[str, Any]],
    licenses: Sequence[tuple[str, int]],
    config: Mapping[str, Any],
) -> str:
    """Return the text of README.md.

    Args:
        base: The base encoder, as the user named it.
        base_hash: A hash of its files.
        data_hash: A hash of the passages.
        counts: Pairs by kind, what was left out.
        training: Steps, losses, precision.
        verdicts: The gate's comparison, and others, by name.
        licenses: The sources' licences with their numbers of documents.
        config: The resolved config, seeds included.
    """
    k = next(iter(verdicts.values()))["k"]
    front = ["---", f"base_model: {json.dumps(base)}", "library_name: sentence-transformers"]
    front += ["pipeline_tag: sentence-similarity", "tags: [hinterland, retrieval]", "---"]
    table = [
        f"| queries | number | nDCG@{k} base | adapted | difference (95 %) | p |",
        "|---|---|---|---|---|---|",
    ]
    table += [_verdict(name, found) for name, found in verdicts.items()]
    named = "\n".join(f"- {name}: {count:,} documents" for name, count in licenses)
    return (
        "\n\n".join(
            [
                "\n".join(front),
                f"# {base}, adapted to retrieve from a domain",
                "This encoder was fine-tuned without labels on passages of a corpus. Its licence is that of"
                " the base model, together with what the licences of the sources ask for.",
                "## Measured",
                "\n".join(table),
                "p is of a paired randomisation test, two-sided.",
                "## Sources' licences",
                named or "Not known.",
                "## Lineage",
                _table({"base model": f"`{base}` ({base_hash})", "passages, hash": data_hash, **counts}),
                "## Training",
                _table(training),
                "## Config",
                f"```json\n{json.dumps(config, indent=2, ensure_ascii=False, default=str)}\n```",
                "## Packages",
                _table(package_versions()),
            ]
        )
        + "\n"
    )

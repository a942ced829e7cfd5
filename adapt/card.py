"""The model card: what a checkpoint was made from, so that it can be traced and made again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hinterland.adapt.bits import BitsPerByte

__all__ = ["Lineage", "model_card"]


@dataclass(frozen=True, slots=True)
class Lineage:
    """What an adapted model comes from.

    Attributes:
        base: The base model, as the user named it.
        base_hash: A hash of its files.
        data_hash: A hash of the training documents.
        corpus: The corpus's own fingerprint, or empty.
        counts: Documents, windows and tokens; what was left out.
        training: What the training did (see `train.TrainResult`).
        config: The resolved config.
        packages: Versions.
    """

    base: str
    base_hash: str
    data_hash: str
    corpus: str
    counts: Mapping[str, Any]
    training: Mapping[str, Any]
    config: Mapping[str, Any]
    packages: Mapping[str, str]


def _table(rows: Mapping[str, Any]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows.items())])


def model_card(
    lineage: Lineage, *, kind: str, before: Mapping[str, BitsPerByte], after: Mapping[str, BitsPerByte]
) -> str:
    """Return the text of README.md.

    Args:
        lineage: What the model comes from.
        kind: ``adapter`` or ``model``.
        before: Bits per byte of the base model, by set of texts.
        after: The same of this model; empty while it is not measured yet.
    """
    library = "peft" if kind == "adapter" else "transformers"
    front = ["---", f"base_model: {json.dumps(lineage.base)}", f"library_name: {library}"]
    front += ["tags: [domain-adaptive-pretraining, hinterland]", "---"]
    lines = ["| texts | before | after | documents |", "|---|---|---|---|"]
    for name, base in before.items():
        now = f"{after[name].value:.4f}" if name in after else "not measured yet"
        lines.append(f"| {name} | {base.value:.4f} | {now} | {len(base.documents)} |")
    origin = {
        "base model": f"`{lineage.base}` ({lineage.base_hash})",
        "corpus": lineage.corpus or "given as documents",
        "training documents, hash": lineage.data_hash,
        **{key.replace("_", " "): value for key, value in lineage.counts.items()},
    }
    return (
        "\n\n".join(
            [
                "\n".join(front),
                f"# {lineage.base}, adapted to a domain",
                f"This {kind} was made by continued pretraining on a corpus. Its licence is that of the base "
                "model, together with what the licences of the corpus ask for.",
                "## Bits per byte (lower is better)",
                "\n".join(lines),
                "The domain's texts were held out of training. General text shows what was forgotten.",
                "## Lineage",
                _table(origin),
                "## Training",
                _table({key.replace("_", " "): value for key, value in lineage.training.items()}),
                "## Config",
                f"```json\n{json.dumps(lineage.config, indent=2, ensure_ascii=False, default=str)}\n```",
                "## Packages",
                _table(lineage.packages),
            ]
        )
        + "\n"
    )

"""How well the filter `toxicity` tells toxic from other text, and whom it flags wrongly.

    python bench/toxicity.py --data DIR            # the bundled classifier
    python bench/toxicity.py --data DIR --model ID [--label NAME]

DIR holds any of these, as their authors publish them; what is missing is said and skipped:

- ``davidson_hate/labeled_data.csv`` (Davidson et al. 2017): tweets, hateful, offensive or neither;
  the bundled classifier was trained on them, so its figures there show how it fits, not how it judges;
- ``hatecheck/test_suite_cases.csv`` (Röttger et al. 2021): short cases by target, many of them
  made so that words mislead (counter speech, reclaimed slurs, neutral mentions);
- ``rtp_quark_val/val.jsonl.gz`` (Gehman et al. 2020): web sentences with Perspective's scores.

The table goes to stdout (``--json``: one object) and, for the bundled classifier, to
``bench/results/toxicity.json`` and ``.md``.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.files import write_json, write_text
from hinterland.curate.filters.toxicity import Toxicity

RESULTS = Path(__file__).parent / "results"
Row = dict[str, Any]


def measures(name: str, scores: NDArray[np.float64], toxic: NDArray[np.bool_]) -> Row:
    """Return accuracy, AUC, and the shares flagged (score of 0.5 or more) of each kind."""
    from sklearn.metrics import f1_score, roc_auc_score

    known = np.isfinite(scores)
    scores, toxic = scores[known], toxic[known]
    flagged = scores >= 0.5
    return {
        "set": name,
        "texts": len(scores),
        "toxic": int(toxic.sum()),
        "auc": round(float(roc_auc_score(toxic, scores)), 4),
        "accuracy": round(float((flagged == toxic).mean()), 4),
        "f1": round(float(f1_score(toxic, flagged)), 4),
        "flagged_toxic": round(float(flagged[toxic].mean()), 4),
        "flagged_other": round(float(flagged[~toxic].mean()), 4),
    }


def davidson(path: Path, scorer: Toxicity) -> Iterator[Row]:
    """Yield hateful or offensive against neither, and hateful against the rest."""
    with path.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    scores = scorer.score([row["tweet"] for row in rows])["toxicity.score"]
    kinds = np.array([int(row["class"]) for row in rows])
    yield measures("Davidson: hateful or offensive", scores, kinds != 2)
    yield measures("Davidson: hateful", scores, kinds == 0)


def hatecheck(path: Path, scorer: Toxicity) -> Iterator[Row]:
    """Yield all cases, then those about each target."""
    with path.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    scores = scorer.score([row["test_case"] for row in rows])["toxicity.score"]
    hateful = np.array([row["label_gold"] == "hateful" for row in rows])
    yield measures("HateCheck", scores, hateful)
    targets = np.array([row["target_ident"] for row in rows])
    for target in sorted({*targets} - {""}):
        yield measures(f"HateCheck: {target}", scores[targets == target], hateful[targets == target])


def real_toxicity(path: Path, scorer: Toxicity) -> Iterator[Row]:
    """Yield agreement with Perspective at its 0.5, and the rank correlation with its scores."""
    from scipy.stats import spearmanr

    with gzip.open(path, "rt", encoding="utf-8") as handle:
        rows = [json.loads(line) for line in handle]
    parts = [part for row in rows for part in (row["prompt"], row["continuation"])]
    parts = [part for part in parts if part.get("toxicity") is not None]
    scores = scorer.score([part["text"] for part in parts])["toxicity.score"]
    judged = np.array([part["toxicity"] for part in parts])
    known = np.isfinite(scores)
    row = measures("RealToxicityPrompts: Perspective ≥ 0.5", scores, judged >= 0.5)
    row["spearman"] = round(float(spearmanr(scores[known], judged[known])[0]), 4)
    yield row


SETS = {
    "davidson_hate/labeled_data.csv": davidson,
    "hatecheck/test_suite_cases.csv": hatecheck,
    "rtp_quark_val/val.jsonl.gz": real_toxicity,
}

NOTE = (
    "Flagged is a score of 0.5 or more. The bundled classifier was trained on Davidson et al.'s tweets; on"
    " HateCheck, made so that words mislead, it is no better than chance, and flags neutral or friendly"
    " sentences that name gay people as often as hateful ones."
)


def speed(scorer: Toxicity, path: Path) -> float | None:
    """Return MB per CPU second over documents of 30 web sentences each, compiled code warm."""
    if not path.is_file():
        return None
    with gzip.open(path, "rt", encoding="utf-8") as handle:
        rows = [json.loads(line) for line in handle]
    sentences = [row["prompt"]["text"] + row["continuation"]["text"] for row in rows]
    texts = [" ".join(sentences[start : start + 30]) for start in range(0, len(sentences), 30)]
    texts = texts if scorer.model is None else texts[:20]
    scorer.score(texts[:2])
    start = time.process_time()
    scorer.score(texts)
    return round(sum(map(len, texts)) / 1e6 / (time.process_time() - start), 2)


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table."""
    columns = ["set", "texts", "toxic", "auc", "accuracy", "f1", "flagged_toxic", "flagged_other"]
    lines = ["| " + " | ".join(columns).replace("_", " ") + " |", "|---|" + "---:|" * (len(columns) - 1)]
    return "\n".join(lines + ["| " + " | ".join(str(row[name]) for name in columns) + " |" for row in rows])


def main() -> int:
    """Measure what is there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with the labelled data")
    parser.add_argument("--model", help="a text-classification model; the bundled one if not given")
    parser.add_argument("--label", help="the model's label that counts")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    scorer = Toxicity(model=given.model, label=given.label)
    rows: list[Row] = []
    missing: list[str] = []
    for name, read in SETS.items():
        if (given.data / name).is_file():
            rows += read(given.data / name, scorer)
        else:
            missing.append(name)
            print(f"missing, skipped: {given.data / name}", file=sys.stderr)
    if not rows:
        print("nothing measured: none of the labelled data is there", file=sys.stderr)
        return 1
    result = {
        "model": given.model or "bundled",
        "mb_s": speed(scorer, given.data / "rtp_quark_val/val.jsonl.gz"),
        "missing": missing,
        "sets": rows,
    }
    note = NOTE if given.model is None else ""
    text = f"{table(rows)}\n\n{result['model']} classifier, {result['mb_s']} MB/s on one core. {note}\n"
    print(json.dumps(result, ensure_ascii=False) if given.json else text)
    if given.model is None and not missing:
        write_json(RESULTS / "toxicity.json", result)
        write_text(RESULTS / "toxicity.md", f"# Toxicity: the bundled classifier on labelled text\n\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

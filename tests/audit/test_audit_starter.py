"""The commented starter that ``hinterland init`` writes: it says the defaults, and it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from hinterland.core.config import load_config
from hinterland.core.corpus import write_corpus
from hinterland.core.places import by_iso3
from hinterland.curate.audit.command import CommandConfig, plan, run
from hinterland.curate.decide import decide
from hinterland.curate.rule import Rule

STARTER = Path(__file__).parents[2] / "configs" / "audit.yaml"


def test_the_starter_says_the_defaults() -> None:
    assert load_config(CommandConfig, STARTER, ()) == CommandConfig()


def test_the_starter_runs(tmp_path: Path) -> None:
    codes = [code for code in sorted(by_iso3()) for _ in range(3)]
    lengths = [3 + number % 9 for number in range(len(codes))]
    table = pa.table(
        {
            "id": [f"d{number:04d}" for number in range(len(codes))],
            "text": [" ".join(["word"] * length) for length in lengths],
            "country": codes,
            "source": ["web"] * len(codes),
            "length.words": lengths,
        }
    )
    rules = (Rule("length.words", "length.short", low=6),)
    write_corpus(
        tmp_path / "corpus", decide(table, rules), manifest={"rules": [each.to_dict() for each in rules]}
    )
    given = [f"input={json.dumps([str(tmp_path / 'corpus')])}", f"out={json.dumps(str(tmp_path / 'out'))}"]
    config = load_config(CommandConfig, STARTER, [*given, "resamples=200"])

    assert plan(config)["documents"] == len(codes)
    result = run(config)
    assert result["documents"] == len(codes)
    assert Path(result["page"]).is_file()
    assert result["coverage"].startswith(f"{len(codes)} documents")

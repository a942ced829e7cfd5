"""The commented starter that ``hinterland init`` writes: it says the defaults, and it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from hinterland.core.config import load_config
from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.places import by_iso3
from hinterland.curate.debias.command import CommandConfig, plan, run
from hinterland.curate.decide import decide
from hinterland.curate.rule import Rule

STARTER = Path(__file__).parents[2] / "configs" / "debias.yaml"


def test_the_starter_says_the_defaults(tmp_path: Path) -> None:
    given = [f"corpus={json.dumps(str(tmp_path))}"]
    assert load_config(CommandConfig, STARTER, given) == CommandConfig(corpus=tmp_path)


def test_the_starter_runs(tmp_path: Path) -> None:
    codes = [code for code in sorted(by_iso3()) for _ in range(3)]
    lengths = [
        3 + (number % 9 if by_iso3()[code].region == "Oceania" else number % 17)
        for number, code in enumerate(codes)
    ]
    table = pa.table(
        {
            "id": [f"d{number:04d}" for number in range(len(codes))],
            "text": [" ".join(["word"] * length) for length in lengths],
            "country": codes,
            "source": ["web"] * len(codes),
            "length.words": lengths,
        }
    )
    rules = (Rule("length.words", "length.short", low=8),)
    write_corpus(
        tmp_path / "corpus", decide(table, rules), manifest={"rules": [each.to_dict() for each in rules]}
    )
    given = {"corpus": tmp_path / "corpus", "out": tmp_path / "out"}
    config = load_config(
        CommandConfig,
        STARTER,
        [*(f"{key}={json.dumps(str(path))}" for key, path in given.items()), "resamples=200"],
    )

    assert plan(config)["method"] == "equalize"
    result = run(config)
    cost = result["cost"]
    assert cost["worst_disparity_before"] < 0.95 <= cost["worst_disparity_after"]
    assert len(Corpus.open(tmp_path / "out" / "corpus").read(["keep"])) == len(codes)
    assert Path(result["page"]).is_file()

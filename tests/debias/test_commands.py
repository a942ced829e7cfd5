"""``hinterland audit`` and ``hinterland debias`` on a corpus on disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hinterland.core.config import parse_config
from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.errors import ConfigError, CorpusError, HinterlandError
from hinterland.core.places import by_iso3
from hinterland.curate.audit import command as audit_command
from hinterland.curate.audit.corpus import read_decided, reason_decisions
from hinterland.curate.debias import command as debias_command
from hinterland.curate.decide import decide
from hinterland.curate.rule import Rule

#: What the audits of a debiasing need not look at here.
FAST: dict[str, object] = {
    "locate": None,
    "curves": [],
    "examples": 0,
    "reference": "none",
    "groups": ["region"],
}
RULES = (Rule("length.words", "length.short", low=10), Rule("exact_dup.first", "exact_dup.copy", low=1))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    rng = np.random.default_rng(4)
    codes = [code for code in sorted(by_iso3()) for _ in range(8)] + [None] * 20
    words = np.array([
        rng.integers(2, 16 if code and by_iso3()[code].region == "Oceania" else 40) for code in codes
    ])  # fmt: skip
    table = pa.table(
        {
            "id": [f"d{i:05d}" for i in range(len(codes))],
            "text": [" ".join(["w"] * n) for n in words],
            "country": pa.array(codes, type=pa.string()),
            "source": ["web"] * len(codes),
            "length.words": words,
            "exact_dup.first": [i % 11 > 0 for i in range(len(codes))],
            "good": rng.random(len(codes)),
        }
    )
    rules = [rule.to_dict() for rule in RULES]
    write_corpus(tmp_path / "c", decide(table, RULES), manifest={"rules": rules})
    return tmp_path / "c"


def configured(room: object, **values: object) -> object:
    return parse_config(
        room.CommandConfig, {k: str(v) if isinstance(v, Path) else v for k, v in values.items()}
    )  # type: ignore[attr-defined]


def test_audit(corpus: Path, tmp_path: Path) -> None:
    config = configured(audit_command, input=[str(corpus)], out=tmp_path / "out", resamples=300)
    plan = audit_command.plan(config)  # type: ignore[arg-type]
    assert plan["documents"] == len(Corpus.open(corpus))
    assert not (tmp_path / "out").exists()
    result = audit_command.run(config)  # type: ignore[arg-type]
    assert "about Oceania" in result["headline"] or "nesia" in result["headline"]
    assert result["supported"]
    text = audit_command.render(result)
    assert text.startswith(result["coverage"])
    assert "exact_dup" in result["text"]
    assert Path(result["page"]).is_file()
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["command"] == "audit"
    json.dumps(result)
    assert audit_command.run(config) == result  # type: ignore[arg-type]


def test_audit_by_covariates_and_columns(corpus: Path, tmp_path: Path) -> None:
    rows = "".join(f"{code},{i},{code}\n" for i, code in enumerate(sorted(by_iso3())))
    (tmp_path / "c.csv").write_text("iso3,gdp_per_head,name\n" + rows + "WLD,5,World\n")
    config = configured(
        audit_command,
        input=[str(corpus)],
        out=tmp_path / "out",
        covariates=tmp_path / "c.csv",
        clusters="id",
        tokens="length.words",
        resamples=100,
    )
    result = audit_command.run(config)  # type: ignore[arg-type]
    assert "By GDP per head" in result["text"]
    assert "What is no country of ISO 3166-1 was left out of c.csv (1): WLD." in result["text"]
    assert "tokens" in result["coverage"]
    assert audit_command.plan(config)["kind"] == "decided"  # type: ignore[arg-type]


def test_debias(corpus: Path, tmp_path: Path) -> None:
    config = configured(debias_command, corpus=corpus, out=tmp_path / "out", resamples=300, **FAST)
    assert debias_command.plan(config)["rules"] == 1  # type: ignore[arg-type]
    result = debias_command.run(config)  # type: ignore[arg-type]
    before, after = Corpus.open(corpus).read(), Corpus.open(tmp_path / "out" / "corpus").read()
    was, now = np.array(before["keep"]), np.array(after["keep"])
    assert (now | ~was).all()
    assert now.sum() - was.sum() == result["cost"]["documents_readmitted"] > 0
    copies = ~np.array(before["exact_dup.first"])
    assert not now[copies].any()
    assert np.array(after["weight"]).tolist() == now.astype(float).tolist()
    back = np.flatnonzero(now & ~was)
    assert {after["debias"][int(i)].as_py() for i in back} == {"readmitted"}
    assert after["reasons"][int(back[0])].as_py() == ["length.short"]
    assert result["cost"]["worst_disparity_after"] >= 0.95
    assert result["worst"]["region"][1] > result["worst"]["region"][0]
    assert {p.name for p in (tmp_path / "out" / "audit").iterdir()} >= {"before", "after", "compare.html"}
    assert "The corpus: " in debias_command.render(result)
    json.dumps(result)
    assert debias_command.run(config) == result  # type: ignore[arg-type]
    again = configured(audit_command, input=[str(tmp_path / "out")], out=tmp_path / "again", resamples=100)
    assert "debias" not in audit_command.run(again)["text"]  # type: ignore[arg-type]


def test_debias_within_budget(corpus: Path, tmp_path: Path) -> None:
    config = configured(
        debias_command,
        corpus=corpus,
        out=tmp_path / "out",
        mode="budget",
        quality="good",
        group="subregion",
        resamples=100,
        **FAST,
    )
    result = debias_command.run(config)  # type: ignore[arg-type]
    cost = result["cost"]
    assert 0 <= cost["tokens_before"] - cost["tokens_after"] < 40
    assert cost["documents_removed"] > 0
    after = Corpus.open(tmp_path / "out" / "corpus").read()
    removed = [
        r
        for r, d in zip(after["reasons"].to_pylist(), after["debias"].to_pylist(), strict=True)
        if d == "removed"
    ]
    assert removed == [["debias.equalize"]] * cost["documents_removed"]
    assert cost["quality_after"] is not None


def test_debias_by_a_severity_column(corpus: Path, tmp_path: Path) -> None:
    table = Corpus.open(corpus).read()
    harm = np.where(np.array(table["keep"]), 0.0, 1.0 / np.array(table["length.words"]))
    write_corpus(tmp_path / "bare", table.append_column("harm", pa.array(harm)))
    bare = {"corpus": tmp_path / "bare", "out": tmp_path / "out", "resamples": 100, **FAST}
    with pytest.raises(CorpusError, match="nothing says how far a document fails"):
        debias_command.run(configured(debias_command, **bare))  # type: ignore[arg-type]
    config = configured(debias_command, **bare, severity="harm", quality="good", lower_is_better=True)
    result = debias_command.run(config)  # type: ignore[arg-type]
    assert result["cost"]["documents_readmitted"] > 0
    assert not np.array(Corpus.open(tmp_path / "out" / "corpus").read()["keep"])[
        ~np.array(table["exact_dup.first"])
    ].any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"severity": "harm"}, "no column 'harm'"),
        ({"severity": "source"}, "holds no numbers"),
        ({"group": "continent"}, "no grouping 'continent'"),
        ({"tokens": "n"}, "no column 'n'"),
        ({"mode": "budget", "target": 0.5}, "target is 0.5 with mode budget"),
    ],
)
def test_bad_settings(corpus: Path, tmp_path: Path, settings: dict[str, object], message: str) -> None:
    config = configured(debias_command, corpus=corpus, out=tmp_path / "out", **{**FAST, **settings})
    with pytest.raises(HinterlandError, match=message):
        debias_command.run(config)  # type: ignore[arg-type]
    assert not (tmp_path / "out" / "corpus" / "manifest.json").exists()


def test_bad_corpora(corpus: Path, tmp_path: Path) -> None:
    table = Corpus.open(corpus).read()
    write_corpus(tmp_path / "undecided", table.drop_columns(["keep"]))
    with pytest.raises(CorpusError, match="not decided"):
        read_decided(tmp_path / "undecided")
    keep = pa.array([None] + [True] * (table.num_rows - 1))
    write_corpus(tmp_path / "half", table.drop_columns(["keep"]).append_column("keep", keep))
    with pytest.raises(CorpusError, match="1 documents are undecided"):
        read_decided(tmp_path / "half")
    with pytest.raises(CorpusError, match="no corpus here"):
        read_decided(tmp_path / "nowhere")
    (tmp_path / "my file.jsonl").write_text('{"id": "a", "text": "b"}\n')
    with pytest.raises(CorpusError, match=r"curate it first: hinterland curate '.*my file\.jsonl'"):
        debias_command.plan(configured(debias_command, corpus=tmp_path / "my file.jsonl"))  # type: ignore[arg-type]
    write_corpus(tmp_path / "odd", table, manifest={"rules": [{"field": 1}]})
    with pytest.raises(CorpusError, match="rules cannot be read"):
        debias_command.run(configured(debias_command, corpus=tmp_path / "odd", out=tmp_path / "o"))  # type: ignore[arg-type]
    holes = pa.array([None, *range(1, table.num_rows)])
    write_corpus(tmp_path / "holes", table.append_column("n", holes))
    with pytest.raises(CorpusError, match="1 nulls in column 'n'"):
        read_decided(tmp_path / "holes", tokens="n")
    with pytest.raises(ConfigError, match="did you mean 'disparity'"):
        configured(debias_command, corpus=corpus, dispairty=0.9)


def test_reason_decisions() -> None:
    found = reason_decisions(pa.array([["a.x", "b"], [], ["a.y"], None]), ["c"])
    assert {name: kept.tolist() for name, kept in found.items()} == {
        "a": [False, True, False, True],
        "b": [False, True, True, True],
        "c": [True, True, True, True],
    }
    assert reason_decisions(pa.array([[], []], type=pa.list_(pa.string()))) == {}

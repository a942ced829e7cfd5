"""The command: from files to a curated corpus, the same bytes however it was run."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from hinterland.core.cli import cli
from hinterland.core.config import load_config
from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.engine import LocalEngine
from hinterland.core.errors import ConfigError, CorpusError, RegistryError
from hinterland.curate import command, scoring
from hinterland.curate.command import CommandConfig, plan, render, run
from hinterland.curate.config import CurateConfig, QualityConfig
from hinterland.curate.dedup import NearDuplicates
from hinterland.curate.pipeline import decide_corpus, score_corpus, score_documents

STARTER = Path(__file__).parents[2] / "configs" / "curate.yaml"
NO_MODEL = QualityConfig(model=None)
WORDS = (
    "the of and with boat river coast market school bridge winter harvest fisher island stone".split()  # noqa: SIM905
)


def _text(number: int) -> str:
    """Prose of a few lines whose words depend on the number; every fifth one is short."""
    draws = hashlib.sha512(str(number).encode()).digest()
    sentences = [
        " ".join(WORDS[draws[(7 * i + j) % 64] % len(WORDS)] + ("s" if (i + j) % 3 else "") for j in range(9))
        for i in range(2 if number % 5 == 0 else 8)
    ]
    return "\n".join(f"{sentence.capitalize()} {number}." for sentence in sentences)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    rows = [{"id": f"{n:04d}", "text": _text(n), "country": ("KEN", "TUV")[n % 2]} for n in range(60)]
    rows += [{"id": "copy", "text": _text(7).upper(), "country": None}, {"id": "none", "text": " \n"}]
    return write_corpus(tmp_path / "corpus", pa.Table.from_pylist(rows), rows_per_shard=20)


def _files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}


def test_the_starter_config_runs(tmp_path: Path, tiny_lm: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    lines = [json.dumps({"text": _text(n), "country": "TUV"}) for n in range(60)]
    lines += ["{half", json.dumps({"text": "Here.", "country": "Atlantis"})]
    (texts / "a.jsonl").write_text("\n".join(lines))
    given = [f"input=[{texts}]", f"out={tmp_path / 'out'}", f"quality.model={tiny_lm}", "quality.sample=40"]
    config = load_config(CommandConfig, STARTER, given)

    planned = plan(config)
    assert planned["quality_tokens"] == 40 * 64
    assert planned["documents"] == 62
    assert not (tmp_path / "out").exists()

    result = run(config)
    counts = result["counts"]
    assert counts["in"] == 62 == counts["kept"] + counts["decided_out"] + counts["rejected"]
    assert counts["rejected"] == 1
    curated = Corpus.open(Path(result["corpus"]))
    table = curated.read()
    assert sum(table["keep"].to_pylist()) == counts["kept"] > 0
    assert "gopher_quality.words" in result["reasons"]
    assert "lm_quality.bits_per_byte" in table.column_names
    rule = next(rule for rule in curated.manifest["rules"] if rule["column"] == "lm_quality.bits_per_byte")
    assert rule["high"] is not None
    ledger = [json.loads(line) for line in Path(result["rejects"]["file"]).read_text().splitlines()]
    assert [(each["position"], each["reason"]) for each in ledger] == [
        (61, "not_json"),
        (62, "unknown_country"),
    ]
    text = render(result)
    assert "62 documents in = " in text
    assert "rank correlation" in text
    assert "unknown_country 1" in text
    json.dumps(result)

    again = run(config)
    assert again["reused"] == ["read", "filters", "duplicates", "quality", "corpus"]
    assert {**again, "reused": []} == result


def test_a_changed_threshold_repeats_only_the_decision(corpus: Corpus, tmp_path: Path) -> None:
    config = CommandConfig(input=(corpus.path,), out=tmp_path / "out", quality=NO_MODEL, workers=1)
    first = run(config)
    assert first["reasons"]["empty"] == 1
    assert first["reasons"]["exact_dup.copy"] == 1
    assert first["reasons"]["gopher_quality.words"] == 13  # twelve short ones and the empty one
    changed = load_config(
        CommandConfig,
        None,
        [
            f"input=[{corpus.path}]",
            f"out={tmp_path / 'out'}",
            "quality.model=null",
            "workers=1",
            "thresholds={gopher_quality.words: {low: 5}}",
        ],
    )
    second = run(changed)
    assert second["reused"] == ["read", "filters", "duplicates"]
    assert second["reasons"]["gopher_quality.words"] == 1


def test_the_bytes_do_not_depend_on_workers_or_kills(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_lm: Path
) -> None:
    config = CurateConfig(quality=QualityConfig(model=str(tiny_lm), sample=40, max_tokens=32))
    one = score_corpus(corpus, tmp_path / "one", config)
    two = score_corpus(corpus, tmp_path / "two", config, engine=LocalEngine(2))
    assert _files(one.path) == _files(two.path)

    work, real, calls = tmp_path / "work", scoring.score_shard, []

    def killed(table: pa.Table, **settings: Any) -> pa.Table:
        calls.append(table.num_rows)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(table, **settings)

    monkeypatch.setattr(scoring, "score_shard", killed)
    with pytest.raises(KeyboardInterrupt):
        score_corpus(corpus, tmp_path / "three", config, work=work)
    assert not (tmp_path / "three").exists()
    score_corpus(corpus, tmp_path / "three", config, work=work)
    assert calls == [20, 20, 20, 20, 2]  # the first shard was not done again
    assert _files(tmp_path / "three") == _files(one.path)
    assert not work.exists()


def test_the_manifest_says_what_was_done(corpus: Corpus, tmp_path: Path) -> None:
    config = CurateConfig(filters=("c4",), duplicates=None)
    manifest = score_corpus(corpus, tmp_path / "out", config, rejected=3).manifest
    assert manifest["counts"] == {"in": 65, "kept": 49, "decided_out": 13, "rejected": 3}
    assert manifest["kept_by_filter"] == {"c4": 49}
    assert manifest["filters"] == {"c4": "paper"}
    assert [rule["column"] for rule in manifest["rules"]][-1] == "c4.curly_bracket"
    assert manifest["cards"] == {"lm_quality": {"model": None}, "duplicates": None, "places": None}
    assert manifest["expected_documents"] == 49


def test_a_work_folder_keeps_what_is_not_of_the_run(corpus: Corpus, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "mine.txt").write_text("mine")
    config = CurateConfig(filters=("fineweb",))
    score_corpus(corpus, tmp_path / "out", config, work=work)
    assert [path.name for path in work.iterdir()] == ["mine.txt"]
    score_corpus(corpus, tmp_path / "out", config)
    assert not list(tmp_path.glob(".out*"))


def test_scoring_again_replaces_columns(corpus: Corpus, tmp_path: Path) -> None:
    config = CurateConfig(filters=("c4",), quality=NO_MODEL)
    once = score_corpus(corpus, tmp_path / "once", config)
    twice = score_corpus(once, tmp_path / "twice", config)
    assert once.manifest["shards"] == twice.manifest["shards"]


def test_scores_of_another_corpus_are_refused(corpus: Corpus, tmp_path: Path) -> None:
    config = CurateConfig(filters=("c4",), quality=NO_MODEL)
    scored = score_documents(
        corpus, config, out=tmp_path / "scores", work=tmp_path / "work", engine=LocalEngine()
    )
    table = corpus.read()
    fewer = write_corpus(tmp_path / "fewer", table.slice(1), rows_per_shard=20)
    with pytest.raises(CorpusError, match="rows beside"):
        decide_corpus(fewer, scored, config, tmp_path / "out")
    other = write_corpus(tmp_path / "other", table.take(list(range(61, -1, -1))), rows_per_shard=20)
    with pytest.raises(CorpusError, match="not those of this corpus"):
        decide_corpus(other, scored, config, tmp_path / "out")


def test_a_corpus_without_documents(tmp_path: Path) -> None:
    nothing = write_corpus(tmp_path / "none", pa.table({"id": pa.array([], pa.string()), "text": []}))
    config = CommandConfig(input=(nothing.path,), out=tmp_path / "out", quality=NO_MODEL, workers=1)
    result: dict[str, Any] = run(config)
    assert result["counts"] == {"in": 0, "kept": 0, "decided_out": 0, "rejected": 0}
    assert "0 documents in" in render(result)


def test_a_small_corpus_is_measured_whole(tmp_path: Path, tiny_lm: Path, corpus: Corpus) -> None:
    small = write_corpus(tmp_path / "small", corpus.read().slice(0, 8))
    config = CurateConfig(quality=QualityConfig(model=str(tiny_lm), max_tokens=16))
    curated = score_corpus(small, tmp_path / "out", config)
    assert curated.manifest["cards"]["lm_quality"]["distilled"] is False
    table = curated.read()
    assert table["lm_quality.bits_per_byte"].equals(table["lm_quality.measured"])


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"input": ()}, ConfigError, "nothing to curate"),
        ({"input": ("missing",)}, CorpusError, "no such file"),
        ({"filters": ("gohper_quality",)}, RegistryError, "gopher_quality"),
        ({"thresholds": {"gopher_quality.word": {"low": 1}}}, ConfigError, "gopher_quality.words"),
        ({"thresholds": {"lm_quality.bits_per_byte": {"high": 1}}}, ConfigError, "no rule"),
    ],
)
def test_mistakes_are_found_before_anything_is_written(
    corpus: Corpus, tmp_path: Path, given: dict[str, Any], error: type[Exception], words: str
) -> None:
    config = CommandConfig.model_validate(
        {"input": (corpus.path,), "out": tmp_path / "out", "quality": {"model": None}, **given}
    )
    for attempt in (plan, run):
        with pytest.raises(error, match=words):
            attempt(config)
    assert not (tmp_path / "out").exists()


def test_the_text_for_people_without_a_model() -> None:
    result = {
        "counts": {"in": 4, "kept": 2, "decided_out": 2, "rejected": 0},
        "kept_by_filter": {"c4": 3, "exact_dup": 3},
        "reasons": {"c4.sentences": 1, "exact_dup.copy": 1},
        "cards": {"lm_quality": {"note": "fewer than 20 measured"}, "duplicates": None},
        "rejects": {"file": "rejects.jsonl"},
        "corpus": "out/corpus",
    }
    text = command.render(result)
    assert "c4                           3   75.0%" in text
    assert "no score, fewer than 20 measured" in text
    assert "rejects" not in text


def test_a_run_does_not_read_what_it_wrote(tmp_path: Path) -> None:
    rows = [json.dumps({"text": _text(n)}) for n in range(12)]
    (tmp_path / "a.jsonl").write_text("\n".join(rows))
    config = CommandConfig(input=(tmp_path,), out=tmp_path / "curated", workers=1)
    first = run(config)
    second = run(config)
    assert first["counts"]["in"] == second["counts"]["in"] == 12
    assert second["reused"] == ["read", "filters", "duplicates", "corpus"]
    third = run(config.model_copy(update={"duplicates": NearDuplicates(policy="longest")}))
    assert third["reused"] == ["read", "filters"]
    assert run(config.model_copy(update={"duplicates": None}))["kept_by_filter"].keys() == {
        "gopher_quality",
        "gopher_repetition",
        "c4",
        "fineweb",
    }


def test_what_a_filter_says_of_its_files_is_in_the_manifest(corpus: Corpus, tmp_path: Path) -> None:
    held_out = tmp_path / "test.jsonl"
    held_out.write_text(json.dumps({"text": " ".join(f"{_text(3)} {_text(4)}".split()[:30])}))
    options = {"contamination": {"sets": [str(held_out)]}}
    config = CurateConfig(filters=("contamination",), options=options, duplicates=None)
    manifest = score_corpus(corpus, tmp_path / "out", config).manifest
    assert manifest["cards"]["contamination"]
    assert manifest["reasons"]["contamination.ngrams"] == 1


def test_an_input_that_the_run_would_replace_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "a.jsonl").write_text("\n".join(json.dumps({"text": _text(n)}) for n in range(5)))
    config = CommandConfig(input=(folder,), out=folder / "curated", filters=("fineweb",), workers=1)
    assert run(config)["counts"]["in"] == 5
    monkeypatch.chdir(folder)
    for place in (config.out / "corpus", Path("curated"), Path("../pages/curated/corpus")):
        with pytest.raises(ConfigError, match="would replace it"):
            run(config.model_copy(update={"input": (place,)}))
    assert len(Corpus.open(config.out / "corpus")) == 5
    dotted = config.model_copy(update={"input": (Path("../pages"),), "out": Path("curated")})
    assert run(dotted)["counts"]["in"] == 5  # not what it wrote itself


def test_changed_attributes_are_read_again(tmp_path: Path) -> None:
    documents, attributes = tmp_path / "in" / "documents", tmp_path / "in" / "attributes" / "tags"
    for place, row in (
        (documents, {"id": "a", "text": _text(1)}),
        (attributes, {"id": "a", "attributes": {"x": 1}}),
    ):
        place.mkdir(parents=True)
        (place / "0.jsonl").write_text(json.dumps(row))
    config = CommandConfig(input=(tmp_path / "in",), out=tmp_path / "out", filters=("fineweb",), workers=1)
    run(config)
    (attributes / "0.jsonl").write_text(json.dumps({"id": "a", "attributes": {"x": 2}}))
    assert run(config)["reused"] == []
    assert '"x": 2' in Corpus.open(tmp_path / "out" / "corpus").read(["meta"])["meta"][0].as_py()


def test_names_of_files_need_not_be_utf_8(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    name = os.fsdecode(b"caf\xe9")
    try:
        (folder / f"{name}.txt").write_text(_text(1))
    except OSError:
        pytest.skip("this file system has no such names")
    line = json.dumps({"text": _text(2)}).encode()
    (folder / f"{name}.jsonl.zst").write_bytes(pa.compress(line, codec="zstd", asbytes=True))
    table = pa.table({"text": [_text(3)]})
    with (folder / f"{name}.parquet").open("wb") as handle:
        pq.write_table(table, handle)
    with (folder / f"{name}.arrow").open("wb") as handle, pa.ipc.new_file(handle, table.schema) as writer:
        writer.write_table(table)
    config = CommandConfig(input=(folder,), out=tmp_path / "out", filters=("fineweb",), workers=1)
    assert run(config)["counts"] == {"in": 4, "kept": 3, "decided_out": 1, "rejected": 0}
    assert run(config)["reused"] == ["read", "filters", "duplicates", "corpus"]


def test_strict_stops_at_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": _text(1)}) + "\n{broken\n")
    given = ["curate", str(tmp_path / "a.jsonl"), "--out", str(tmp_path / "out"), "--set", "workers=1"]
    stopped = CliRunner().invoke(cli, [*given, "--strict"])
    assert isinstance(stopped.exception, CorpusError)
    assert stopped.exception.where == f"{tmp_path / 'a.jsonl'}, position 2"
    assert CliRunner().invoke(cli, given).exit_code == 0


def test_thresholds_can_be_set_one_by_one() -> None:
    given = ["thresholds.gopher_quality.words={low: 20}", "thresholds.c4.sentences.low=3"]
    config = load_config(CommandConfig, None, given)
    assert {name: bounds.low for name, bounds in config.thresholds.items()} == {
        "gopher_quality.words": 20,
        "c4.sentences": 3,
    }


@pytest.mark.parametrize(
    "section",
    [
        {"pareto": {"column": "quality.score"}},
        {"caps": [{"by": "sauce", "limit": 1}]},
        {"drop": [{"when": "c4.sentence < 3"}]},
    ],
)
def test_columns_that_will_not_be_there_are_refused_before_scoring(
    corpus: Corpus, tmp_path: Path, section: dict[str, Any]
) -> None:
    config = CommandConfig.model_validate(
        {"input": [corpus.path], "out": tmp_path / "out", "decide": section}
    )
    with pytest.raises(ConfigError, match=r"decide|column"):
        run(config)
    assert not (tmp_path / "out").exists()


def test_weights_are_shown(corpus: Corpus, tmp_path: Path) -> None:
    section = {"mixing": {"by": "country", "shares": {"TUV": 0.9}, "most": 1}}
    config = CommandConfig.model_validate(
        {"input": [corpus.path], "out": tmp_path / "out", "filters": ["c4"], "decide": section, "workers": 1}
    )
    result = run(config)
    assert result["expected_documents"] < result["counts"]["kept"]
    text = render(result)
    assert "with the weights" in text
    assert "TUV " in text
    assert "→" in text


def test_columns_of_a_corpus_can_be_decided_by(corpus: Corpus, tmp_path: Path) -> None:
    table = corpus.read().append_column("mine.score", pa.array([float(n) for n in range(len(corpus))]))
    scored = write_corpus(tmp_path / "mine", table)
    section = {"drop": [{"when": "mine.score < 30", "reason": "low"}]}
    config = CommandConfig.model_validate(
        {"input": [scored.path], "out": tmp_path / "out", "filters": ["c4"], "decide": section, "workers": 1}
    )
    assert run(config)["reasons"]["low"] == 30

"""The whole way: a planted domain is learnt and shipped, noise is not, the command runs its config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planted_domain import CODES, PLAIN, planted_table, tiny_encoder

from hinterland.core.config import load_config, parse_config
from hinterland.core.corpus import write_corpus
from hinterland.core.errors import ConfigError, CorpusError, ModelSourceError
from hinterland.indexes.adapt_retriever import command
from hinterland.indexes.adapt_retriever.documents import from_chunks
from hinterland.indexes.adapt_retriever.exam import PSEUDO, USERS
from hinterland.indexes.adapt_retriever.index_vectors import vectors_of_index
from hinterland.indexes.adapt_retriever.recipe import Adapted, adapt_retriever, adapted_encoder
from hinterland.indexes.adapt_retriever.settings import AdaptSettings
from hinterland.indexes.build import build_index
from hinterland.indexes.bundle import CHUNKS, open_bundle
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder

STARTER = Path(command.__file__).parents[2] / "configs" / "adapt-retriever.yaml"
TINY: dict[str, Any] = {
    "train": {"steps": 60, "batch": 16, "learning_rate": 3e-3, "checkpoint_every": 500, "precision": "fp32"},
    "pairs": {"passage_tokens": 40, "kinds": ["title", "cloze"]},
    "gate": {"hold_out": 0.25, "resamples": 999, "made_up": "decide"},
}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> EmbedConfig:
    folder = tiny_encoder(tmp_path_factory.mktemp("model") / "encoder")
    return EmbedConfig(model=str(folder), dtype="float32", device="cpu")


def settings(base: EmbedConfig, **changes: Any) -> AdaptSettings:
    tree = {**TINY, "embed": base.model_dump(), **changes}
    return parse_config(AdaptSettings, tree)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory, base: EmbedConfig) -> tuple[Path, Adapted]:
    out = tmp_path_factory.mktemp("runs") / "retriever"
    # As a general set: the same domain's words, judged by hand below.
    return out, adapt_retriever(
        planted_table(), out, settings(base), general=(planted_table(30, seed=5), judged())
    )


def judged() -> tuple[dict[str, str], dict[str, dict[str, float]]]:
    """Return what users may ask: plain words, answered by the documents that have them all."""
    table = planted_table(30, seed=5)
    titles = [json.loads(meta)["title"] for meta in table["meta"].to_pylist()]
    plain = dict(zip(CODES, PLAIN, strict=True))
    queries = {f"q{n}": " ".join(plain[word] for word in title.split()) for n, title in enumerate(titles)}
    return queries, {f"q{n}": {f"d{n}": 1.0} for n in range(len(titles))}


def test_a_learnt_domain_is_shipped(learnt: tuple[Path, Adapted], base: EmbedConfig) -> None:
    out, result = learnt
    assert result.shipped
    assert result.verdict.source == PSEUDO
    assert result.verdict.p < 0.05
    assert result.verdict.adapted > result.verdict.base + 0.1
    assert result.training["pairs"]["loss_last_tenth"] < 0.5 * result.training["pairs"]["loss_first_tenth"]
    assert result.general is not None
    assert result.general.source == USERS
    assert result.counts["held_out_documents"] == 38
    assert result.embed == base.model_copy(update={"model": str(out / "model" / "encoder")})
    json.dumps(result.as_json(), allow_nan=False)


def test_the_folder_is_an_encoder_with_a_card(learnt: tuple[Path, Adapted], base: EmbedConfig) -> None:
    out, result = learnt
    card = (out / "model" / "encoder" / "README.md").read_text()
    for said in (
        "CC0-1.0: 150 documents",
        f"{result.verdict.adapted:.4f}",
        PSEUDO,
        '"seed": 0',
        "| pairs_used |",
    ):
        assert said in card
    adapted, plain = SentenceEmbedder(result.embed), SentenceEmbedder(base)
    assert adapted.tokenizer.max_tokens == plain.tokenizer.max_tokens  # training's shorter limit is gone
    assert adapted.space != plain.space  # an index of the base does not take its queries
    code, other = adapted.queries(["code3"]), adapted.passages(["plain3", "plain4"])
    assert (code @ other.T)[0, 0] > (code @ other.T)[0, 1]
    # The run folder finds the same encoder: no checkpoint is taken for it.
    assert SentenceEmbedder(EmbedConfig(model=str(out), dtype="float32")).space == adapted.space


def test_a_second_run_does_nothing_again(learnt: tuple[Path, Adapted], base: EmbedConfig) -> None:
    out, result = learnt
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")}
    again = adapted_encoder(planted_table(), base, out, settings=settings(base))
    # Without the general set the gate is asked anew; the training is not done again.
    assert again == result.embed
    after = {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")}
    assert after[out / "train" / "weights.safetensors"] == before[out / "train" / "weights.safetensors"]


def test_made_up_queries_do_not_decide_unless_they_are_told_to(
    learnt: tuple[Path, Adapted], base: EmbedConfig
) -> None:
    table, out, general = planted_table(), learnt[0], (planted_table(30, seed=5), judged())
    shipped = adapt_retriever(table, out, settings(base), general=general)
    asked = (out / "gate" / "stage.json").read_text()
    told = settings(base, gate={"hold_out": 0.25, "resamples": 999})
    kept = adapt_retriever(table, out, told, general=general)
    assert kept.verdict == shipped.verdict
    assert kept.verdict.better  # on them
    assert (kept.shipped, kept.embed, kept.as_json()["verdict"]) == (False, base, "kept the base")
    assert not (out / "model").exists()
    assert "set gate.made_up: decide" in command.render(kept.as_json())
    again = adapt_retriever(table, out, settings(base), general=general)
    assert (again.shipped, again.embed) == (True, learnt[1].embed)
    assert "made_up" not in command.render(again.as_json())
    assert (out / "gate" / "stage.json").read_text() == asked  # a change of mind measures nothing again


def test_what_is_no_better_is_not_shipped(base: EmbedConfig, tmp_path: Path) -> None:
    (tmp_path / "model" / "encoder").mkdir(parents=True)  # of an earlier run with other settings
    still = {"steps": 2, "learning_rate": 1e-9, "batch": 8}
    result = adapt_retriever(planted_table(60), tmp_path, settings(base, train=still))
    assert not result.shipped
    assert result.embed == base
    assert result.as_json()["verdict"] == "kept the base"
    assert not (tmp_path / "model").exists()
    assert (tmp_path / "train" / "weights.safetensors").is_file()  # for those who want to look


def test_users_queries_decide_where_there_are_any(base: EmbedConfig, tmp_path: Path) -> None:
    short = {**TINY["train"], "steps": 2}
    result = adapt_retriever(
        planted_table(30, seed=5), tmp_path, settings(base, train=short), judged=judged()
    )
    assert (result.verdict.source, result.verdict.queries) == (USERS, 30)
    assert result.counts["held_out_documents"] == 0


def test_the_command_runs_its_config(base: EmbedConfig, tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus", planted_table(60))
    overrides = [
        f"corpus={tmp_path / 'corpus'}", f"out={tmp_path / 'out'}", f"embed.model={base.model}",
        "train.steps=3", "train.batch=4", "pairs.passage_tokens=24", "gate.hold_out=0.2", "gate.resamples=99",
    ]  # fmt: skip
    config = load_config(command.CommandConfig, STARTER, overrides)
    planned = command.plan(config)
    assert not (tmp_path / "out").exists()
    assert (planned["documents"], planned["held_out_documents"], planned["steps"]) == (60, 12, 3)
    assert planned["decided_by"] == "nothing: without queries of your own the base is kept"
    assert planned["pairs"]["title"] >= 48
    assert planned["pairs_used"] == 12
    assert planned["seconds_estimated"] > 3 * planned["seconds_a_step"] > 0
    result = command.run(config)
    json.dumps(result, allow_nan=False)
    assert sum(result["counts"]["pairs_used"].values()) == 12
    text = command.render(result)
    assert text.splitlines()[0].startswith(f"{result['verdict']}: embed.model: ")
    assert "on 12 queries: pseudo-queries" in text


def test_an_index_gives_its_chunks(base: EmbedConfig, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", planted_table(40))
    build_index(corpus, tmp_path / "index", SentenceEmbedder(base), chunk_tokens=24)
    tree = {**TINY, "corpus": tmp_path / "index", "out": tmp_path / "out", "embed": base.model_dump()}
    tree["train"] = {**TINY["train"], "steps": 2, "batch": 4}
    result = command.run(parse_config(command.CommandConfig, tree))
    assert result["counts"]["documents"] == 40


def test_what_an_index_has_embedded_is_not_embedded_again(base: EmbedConfig, tmp_path: Path) -> None:
    corpus, embedder = write_corpus(tmp_path / "corpus", planted_table(40)), SentenceEmbedder(base)
    build_index(corpus, tmp_path / "index", embedder, chunk_tokens=24, factory="Flat")
    known = vectors_of_index(tmp_path / "index", embedder)
    opened = open_bundle(tmp_path / "index")
    passages = from_chunks(pq.read_table(opened.folder / CHUNKS))
    assert known.keys() == {passage.shown for passage in passages}
    texts = sorted(known)
    np.testing.assert_allclose(np.stack([known[text] for text in texts]), embedder.passages(texts), atol=1e-5)
    other = SentenceEmbedder(base.model_copy(update={"passage_prompt": "passage: "}))
    assert vectors_of_index(tmp_path / "index", other) == {}  # not its vectors
    build_index(corpus, tmp_path / "codes", embedder, chunk_tokens=24, factory="SQ8")
    assert vectors_of_index(tmp_path / "codes", embedder) == {}  # not exact


def one_document(table: pa.Table) -> pa.Table:
    return table.slice(0, 1)


def untitled(table: pa.Table) -> pa.Table:
    return table.drop_columns(["meta"])


def test_bad_input_is_named(base: EmbedConfig, tmp_path: Path) -> None:
    table = planted_table(40)
    plain = settings(base)
    with pytest.raises(CorpusError, match="1 document with text"):
        adapt_retriever(one_document(table), tmp_path / "a", plain)
    with pytest.raises(CorpusError, match="too few pairs to learn from: 0 title; a batch holds 16"):
        adapt_retriever(untitled(table), tmp_path / "b", settings(base, pairs={"kinds": ["title"]}))
    with pytest.raises(ConfigError, match="5 held-out documents"):
        adapt_retriever(table.slice(0, 20), tmp_path / "c", plain)
    with pytest.raises(CorpusError, match="no column text"):
        adapt_retriever(pa.table({"id": ["a"]}), tmp_path / "d", plain)
    with pytest.raises(ConfigError, match=r"a language model is needed.*\n?.*replug"):
        adapt_retriever(table, tmp_path / "e", settings(base, replug={}))
    with pytest.raises(ConfigError, match="a language model is needed"):
        adapt_retriever(table, tmp_path / "f", settings(base, pairs={"kinds": ["generated"]}))
    bare = base.model_copy(update={"model": f"{base.model}-transformers"})
    with pytest.raises(ModelSourceError, match="no sentence-transformers model"):
        adapt_retriever(table, tmp_path / "g", settings(bare, negatives={"margin": None}))
    tree = {"corpus": tmp_path, "language_model": {"model": "x"}}
    write_corpus(tmp_path / "corpus", table)
    with pytest.raises(ConfigError, match="names no provider"):
        command.run(parse_config(command.CommandConfig, {**tree, "corpus": tmp_path / "corpus"}))
    with pytest.raises(ConfigError, match=r"unknown key 'train\.stesp'"):
        parse_config(command.CommandConfig, {"corpus": tmp_path, "train": {"stesp": 1}})

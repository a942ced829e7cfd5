"""Training the quality classifier, its card, its model file, and the filter that uses it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError, CorpusError
from hinterland.core.files import hash_tree
from hinterland.curate import train_quality_command as command
from hinterland.curate.kernels.hashed import FEATURES, Features
from hinterland.curate.quality_card import Outcome, _auc, _wilson, metrics
from hinterland.curate.quality_features import choose, read_buckets, store_documents
from hinterland.curate.quality_model import load_quality_model
from hinterland.curate.train_quality import TrainQualityConfig, train_quality

SEA = ["the", "harbour", "lights", "boats", "nets", "tide", "salt", "fish", "quay", "storm", "sails"]
HILL = ["a", "ridge", "sheep", "stone", "walls", "peat", "heather", "grazing", "wool", "crofts", "glen"]


def documents(vocabulary: list[str], number: int, seed: int) -> list[str]:
    draw = np.random.default_rng(seed)
    shared = ["and", "of", "in", "was", "by"]
    return [" ".join(draw.choice(vocabulary + shared * 3, size=12)) + f" {seed}{at}" for at in range(number)]


def write(path: Path, texts: list[str], source: str | None = None) -> Path:
    rows = [{"text": text} | ({"source": source} if source else {}) for text in texts]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def piles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("piles")
    return (
        write(folder / "sea.jsonl", documents(SEA, 400, 1), "sea"),
        write(folder / "hill.jsonl", documents(HILL, 700, 2)),
    )


@pytest.fixture(scope="module")
def trained(piles: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("quality") / "run"
    command.run(command.CommandConfig(positive=(piles[0],), negative=(piles[1],), out=out))
    return out


def test_it_tells_the_piles_apart_and_says_how_well(trained: Path) -> None:
    card = json.loads((trained / "model" / "card.json").read_text())
    assert card["used"]["positive"] == card["used"]["negative"] == 400
    assert card["used"]["left_out"] == {"copies": 0, "in_both_classes": 0, "for_balance": 300}
    assert card["read"]["negative"]["documents"] == 700
    assert 40 < sum(card["used"]["test"].values()) < 130  # a tenth of 800
    for name in ("f1", "accuracy", "auc"):
        value = card["test"][name]
        assert value["low"] <= value["estimate"] <= value["high"]
        assert value["estimate"] > 0.9
    assert {row["source"] for row in card["by_source"]} == {"sea", "hill.jsonl"}
    assert sum(row["test"] for row in card["by_source"]) == sum(card["used"]["test"].values())
    assert card["expected_keep"]["positive"] > card["expected_keep"]["negative"]
    markdown = (trained / "model" / "card.md").read_text()
    assert "arXiv:2201.10474" in markdown
    assert "## Limits" in markdown
    assert not list((trained / "model").glob(".features*"))


def test_a_document_with_one_side_in_the_score(trained: Path) -> None:
    scores = load_quality_model(trained).probability(["boats nets tide", "sheep peat wool", "", "?!"])
    assert scores[0] > 0.8
    assert scores[1] < 0.2
    assert np.isnan(scores[2:]).all()


def test_the_run_is_reused_and_rendered(piles: tuple[Path, Path], trained: Path) -> None:
    config = command.CommandConfig(positive=(piles[0],), negative=(piles[1],), out=trained)
    again = command.run(config)
    assert again["reused"] == ["model"]
    text = command.render(again)
    assert "400 positive and 400 negative" in text
    assert "AUC" in text
    plan = command.plan(config)
    assert plan["files"] == {"positive": 1, "negative": 1}


@pytest.mark.parametrize("solver", ["ftrl", "liblinear"])
def test_the_same_bytes_whatever_the_order_of_files(
    solver: str, piles: tuple[Path, Path], tmp_path: Path
) -> None:
    positive, negative = piles
    lines = negative.read_text().splitlines(keepends=True)
    (tmp_path / "b.jsonl").write_text("".join(lines[:300]))
    (tmp_path / "a.jsonl").write_text("".join(lines[300:]))
    config = TrainQualityConfig(solver=solver)  # type: ignore[arg-type]
    parts = (tmp_path / "b.jsonl", tmp_path / "a.jsonl")
    cards = [
        train_quality((positive,), order, tmp_path / name, config)
        for name, order in (("one", parts), ("two", parts[::-1]))
    ]
    weights = [(tmp_path / name / "weights.safetensors").read_bytes() for name in ("one", "two")]
    assert weights[0] == weights[1]
    assert {row["source"]: row for row in cards[0]["by_source"]} == {
        row["source"]: row for row in cards[1]["by_source"]
    }
    assert cards[0]["test"]["auc"]["estimate"] > 0.9
    if solver == "ftrl":
        again = tmp_path / "again"
        train_quality((positive,), parts, again, config)
        assert hash_tree(again) == hash_tree(tmp_path / "one")


def test_copies_share_a_side_and_texts_in_both_classes_are_left_out(tmp_path: Path) -> None:
    sea, hill = documents(SEA, 120, 3), documents(HILL, 120, 4)
    positive = write(tmp_path / "p.jsonl", [*sea, *(text.upper() + "!" for text in sea[:30]), hill[0]])
    negative = write(tmp_path / "n.jsonl", [*hill, hill[1]])
    (tmp_path / "features").mkdir()
    store = store_documents([positive], [negative], tmp_path / "features", column="text", seed=0)
    chosen = choose(store, balance=False, seed=0)
    assert (chosen.documents, chosen.copies, chosen.in_both) == ((119, 120), 31, 2)
    taken = [
        sum(len(bucket.labels) for bucket in read_buckets(store, chosen, part))
        for part in ("train", "validation", "test")
    ]
    assert sum(taken) == 239
    assert taken[0] > 150
    cut = choose(store, balance=True, seed=0)
    assert cut.documents == (119, 119)
    found = [bucket for part in ("train", "validation", "test") for bucket in read_buckets(store, cut, part)]
    assert sum(int(bucket.labels.sum()) for bucket in found) == 119


def test_what_cannot_be_read_is_counted(tmp_path: Path) -> None:
    positive = write(tmp_path / "p.jsonl", documents(SEA, 60, 5))
    with positive.open("a") as handle:
        handle.write('{broken\n[1]\n{"text": null}\n{"text": " "}\n')
    pq.write_table(pa.table({"text": [*documents(HILL, 60, 6), None]}), tmp_path / "n.parquet")
    card = train_quality(
        (positive,), (tmp_path / "n.parquet",), tmp_path / "out", TrainQualityConfig(epochs=1)
    )
    assert card["read"]["positive"]["unreadable"] == 2
    assert card["read"]["positive"]["no_text"] == 2
    assert card["read"]["negative"]["no_text"] == 1


def test_too_little_or_the_same_is_refused(tmp_path: Path) -> None:
    few = write(tmp_path / "few.jsonl", documents(SEA, 10, 7))
    many = write(tmp_path / "many.jsonl", documents(HILL, 60, 8))
    config = TrainQualityConfig()
    with pytest.raises(CorpusError, match="10 positive and 60 negative"):
        train_quality((few,), (many,), tmp_path / "out", config)
    with pytest.raises(ConfigError, match="as positive and as negative"):
        train_quality((few,), (few,), tmp_path / "out", config)
    with pytest.raises(ConfigError, match="no negative texts"):
        command.plan(command.CommandConfig(positive=(few,)))
    with pytest.raises(CorpusError, match="no such file"):
        command.run(command.CommandConfig(positive=(few,), negative=(tmp_path / "no",), out=tmp_path / "o"))
    assert not (tmp_path / "o").exists()


def test_metrics_against_known_values() -> None:
    share, low, high = _wilson(8, 10)
    assert (round(share, 3), round(low, 3), round(high, 3)) == (0.8, 0.490, 0.943)
    draw = np.random.default_rng(0)
    positive, negative = np.round(draw.normal(0.7, 1, 80), 1), np.round(draw.normal(0, 1, 60), 1)
    from sklearn.metrics import roc_auc_score

    area, low, high = _auc(positive, negative)
    labels = np.r_[np.ones(80), np.zeros(60)]
    assert math.isclose(area, roc_auc_score(labels, np.r_[positive, negative]))
    assert low < area < high
    tested = Outcome(np.array([1, 1, 0, 0], np.uint8), np.zeros(4, np.int32), np.array([0.9, 0.4, 0.6, 0.1]))
    found = metrics(tested, seed=0)
    assert (found["f1"]["estimate"], found["accuracy"]["estimate"], found["auc"]["estimate"]) == (
        0.5,
        0.5,
        0.75,
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_ftrl_lowers_the_loss(seed: int) -> None:
    from hinterland.curate.kernels.ftrl import fit_rows, make_state, weights_of

    draw = np.random.default_rng(seed)
    labels = np.array([0, 1] * 20, dtype=np.uint8)
    indices = np.where(labels == 1, 7, 8).astype(np.uint32)
    noise = draw.integers(10, 40, 40).astype(np.uint32)
    rows = Features(
        np.arange(0, 81, 2), np.column_stack([indices, noise]).ravel(), np.ones(80, dtype=np.float32)
    )
    state = make_state(FEATURES)
    losses = [
        fit_rows(state, rows, labels, draw.permutation(40), damped=True, rate=3, l1=0.1, l2=0)
        for _ in range(3)
    ]
    assert losses == sorted(losses, reverse=True)
    weights, _ = weights_of(state, rate=3, l1=0.1, l2=0)
    assert weights[7] > 0 > weights[8]
    assert not weights[100:].any()

"""The adapted row: what a run trained is measured, refused by its gate or let through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planted_domain import CODES, PLAIN, planted_table, tiny_encoder
from retrieval_parts.adapting import adapted_encoder, adapted_less_dense, adapted_scores
from retrieval_parts.data import Collection
from retrieval_parts.indexing import whole_index
from retrieval_parts.methods import Scores, measure

from hinterland.core.config import parse_config
from hinterland.core.errors import ConfigError
from hinterland.indexes.adapt_retriever.recipe import adapt_retriever
from hinterland.indexes.adapt_retriever.settings import AdaptSettings
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder
from hinterland.indexes.search_config import SearchConfig

NEVER = 1e-9  # a p-value that no run has
HOW: dict[str, Any] = {
    "train": {"steps": 30, "batch": 16, "learning_rate": 3e-3, "checkpoint_every": 500, "precision": "fp32"},
    "pairs": {"passage_tokens": 40, "kinds": ["title", "cloze"]},
}


def planted_collection(documents: int = 120) -> Collection:
    """Return documents of the planted domain; users ask in its plain words."""
    table = planted_table(documents)
    titles = [json.loads(meta)["title"] for meta in table["meta"].to_pylist()]
    plain = dict(zip(CODES, PLAIN, strict=True))
    queries = {f"q{n:03}": " ".join(plain[word] for word in title.split()) for n, title in enumerate(titles)}
    judged = {f"q{n:03}": {f"d{n}": 1.0} for n in range(documents)}
    return Collection("planted", table["id"].to_pylist(), titles, table["text"].to_pylist(), queries, judged)


def settings(base: EmbedConfig, alpha: float, made_up: str = "decide") -> AdaptSettings:
    gate = {"hold_out": 0.25, "resamples": 999, "alpha": alpha, "made_up": made_up}
    return parse_config(AdaptSettings, {**HOW, "embed": base.model_dump(), "gate": gate})


def test_a_refused_encoder_is_measured_as_the_run_measured_it(tmp_path: Path) -> None:
    folder = tiny_encoder(tmp_path / "encoder")
    base = EmbedConfig(model=str(folder), dtype="float32", device="cpu")
    collection, table, work = planted_collection(), planted_table(120), tmp_path / "work"
    asked = table, (collection.queries, collection.qrels)
    run = tmp_path / "runs" / "planted"
    refused = adapt_retriever(table, run, settings(base, NEVER), general=asked)
    assert not refused.shipped

    encoder = adapted_encoder(run, work)
    assert encoder.note == "refused by the gate: the base is kept"
    assert encoder.gate == refused.verdict.as_json()
    found = adapted_scores(collection, encoder, work)
    dense = measure(whole_index(collection, work, SentenceEmbedder(base)), collection, SearchConfig())
    # The run asked the same queries over the same documents, by its own exact search.
    stored = np.load(run / "gate" / "general.npz")
    np.testing.assert_allclose(found.ndcg, stored["adapted"], atol=1e-6)
    np.testing.assert_allclose(dense.ndcg, stored["base"], atol=1e-6)
    assert np.abs(found.ndcg - dense.ndcg).max() > 0.1
    gain = adapted_less_dense(dense, found)
    assert refused.general is not None
    assert gain["estimate"] == pytest.approx(refused.general.difference)
    assert gain["low"] <= gain["estimate"] <= gain["high"]

    assert not adapt_retriever(table, run, settings(base, 0.05, "inform"), general=asked).shipped
    assert adapted_encoder(run, work).note.startswith("better on made-up queries, which do not decide:")
    through = adapt_retriever(table, run, settings(base, 0.05), general=asked)
    assert through.shipped
    again = adapted_encoder(run, work)
    assert (again.note, again.embed.model) == ("let through by the gate", str(run / "model" / "encoder"))
    np.testing.assert_array_equal(adapted_scores(collection, again, work).ndcg, found.ndcg)

    assert adapted_encoder(folder, work).embed.model == str(folder)  # an encoder as it is
    (run / "manifest.json").unlink()
    with pytest.raises(ConfigError, match="no finished run"):
        adapted_encoder(run, work)


def test_the_difference_to_dense_by_hand() -> None:
    flat = np.zeros(6)
    gain = adapted_less_dense(Scores(flat + 0.4, flat), Scores(flat + 0.5, flat))
    assert gain["estimate"] == pytest.approx(0.1)
    assert (gain["low"], gain["high"]) == (pytest.approx(0.1), pytest.approx(0.1))
    assert gain["p"] == pytest.approx(2 / 2**6)

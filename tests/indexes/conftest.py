"""A small real corpus and the real MiniLM encoder, loaded once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from hinterland.core.corpus import Corpus, write_corpus
from hinterland.indexes.build import build_index
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder

DOCUMENTS = [
    ("ken-gov", "Kenya › Government", "The capital of Kenya is Nairobi. Kenya is a presidential republic."),
    ("ken-geo", "Kenya › Geography", "The highest point of Kenya is Mount Kenya at 5,199 m."),
    ("per-gov", "Peru › Government", "Lima is the capital of Peru. Peru has 25 regions."),
    ("per-eco", "Peru › Economy", "Peru exports copper, gold, zinc and fishmeal."),
    ("isl-gov", "Iceland › Government", "Reykjavik is the capital of Iceland."),
    ("jpn-eco", "Japan › Economy", "The currency of Japan is the yen. Japan exports cars and machinery."),
    ("fra-gov", "France › Government", "Paris is the capital of France. The country is a republic."),
    ("dropped", "Nowhere", "This document was dropped by a filter."),
]


def corpus_table(documents: list[tuple[str, str, str]] = DOCUMENTS) -> pa.Table:
    ids, titles, texts = zip(*documents, strict=True)
    return pa.table(
        {
            "id": ids,
            "text": texts,
            "source": [f"source-{identity[:3]}" for identity in ids],
            "license": ["public domain"] * len(ids),
            "meta": [json.dumps({"title": title}) if title else None for title in titles],
            "keep": [identity != "dropped" for identity in ids],
        }
    )


@pytest.fixture(scope="session")
def embedder() -> SentenceEmbedder:
    return SentenceEmbedder(EmbedConfig(dtype="float32", device="cpu"))


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "kept", corpus_table())


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, corpus: Corpus, embedder: SentenceEmbedder) -> Path:
    """An index that tests only read."""
    root = tmp_path_factory.mktemp("index") / "places"
    build_index(corpus, root, embedder)
    return root


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Torch computes on one thread, so that sums come in one order."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)

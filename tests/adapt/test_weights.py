"""What debiasing decides reaches training: shares of tokens, and what is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hinterland.adapt.data import cut_windows, epoch_order
from hinterland.adapt.documents import read_documents, split_documents
from hinterland.adapt.models import Boundary
from hinterland.core.config import parse_config
from hinterland.core.corpus import Corpus, write_corpus
from hinterland.curate.debias import command


@pytest.fixture(scope="module")
def raked(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """90 documents from Kenya, 10 from Peru and 10 dropped, weighed to equal shares of tokens."""
    folder = tmp_path_factory.mktemp("weights")
    codes = ["KEN"] * 90 + ["PER"] * 10 + ["USA"] * 10
    keep = np.array([code != "USA" for code in codes])
    table = pa.table(
        {
            "id": [f"d{i}" for i in range(110)],
            "text": [f"a document of words number {i:03d}" for i in range(110)],
            "country": codes,
            "source": [f"s{i % 9}" for i in range(110)],
            "keep": keep,
            "weight": keep.astype(float),
        }
    )
    write_corpus(folder / "c", table)
    config = {
        "corpus": str(folder / "c"),
        "out": str(folder / "out"),
        "method": "rake",
        "rake": {"margins": {"region": {"Africa": 1, "Americas": 1}}, "of": "tokens", "max_weight": 10},
        "groups": ["region"],
        "resamples": 100,
    }
    command.run(parse_config(command.CommandConfig, config))
    return Corpus.open(folder / "out" / "corpus")


def test_weights_are_read_and_dropped_documents_left_out(raked: Corpus) -> None:
    documents = read_documents(raked)
    split = split_documents(documents)
    assert {item.country for item in split.train} == {"KEN", "PER"}
    assert split.unweighted == 10
    assert sorted({round(item.weight, 9) for item in split.train}) == [round(50 / 90, 9), 5.0]


def test_training_draws_by_weight(raked: Corpus, tokenizer: Any, bound: Boundary) -> None:
    split = split_documents(read_documents(raked))
    windows = cut_windows(tokenizer, split.train, bound, size=64)
    assert len(windows) == 100
    seen = np.array([split.train[owner].country == "PER" for owner in windows.document])
    shares = [seen[epoch_order(windows.weight, seed=0, epoch=epoch)].mean() for epoch in range(5)]
    # A window expected c times is drawn ⌊c⌋ or ⌈c⌉ times: 5 times each of Peru's ten.
    assert shares == [0.5] * 5

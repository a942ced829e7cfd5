"""Diverse documents where one document has more chunks than can be compared with each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from hinterland.indexes import pipeline
from hinterland.indexes.bundle import writer_lock
from hinterland.indexes.faiss_backend import FaissType
from hinterland.indexes.mmr import diversify
from hinterland.indexes.search import Index
from hinterland.indexes.search_config import MmrConfig, RuleConfig, SearchConfig
from hinterland.indexes.unit_vectors import unit_vectors
from hinterland.indexes.version import publish_version

HUGE, OTHERS, DIMENSION = 3000, 12, 16
DIVERSE = SearchConfig(mmr=MmrConfig(relevance=0.7))
QUERY = np.eye(1, DIMENSION, dtype=np.float32)


class Axis:
    """Every query points along the first axis."""

    dimension, space = DIMENSION, "axis"

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.repeat(QUERY, len(texts), axis=0)


def vectors() -> NDArray[np.float32]:
    """Return one document's chunks, all near the query, and two farther ones of each other document."""
    random = np.random.default_rng(0)
    spread = np.concatenate([np.full(HUGE, 0.05), np.linspace(0.3, 0.6, 2 * OTHERS)])
    return unit_vectors(QUERY + spread[:, None] * random.standard_normal((len(spread), DIMENSION)))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    root = tmp_path_factory.mktemp("huge") / "index"
    documents = ["huge"] * HUGE + [f"d{number // 2}" for number in range(2 * OTHERS)]
    size = len(documents)
    chunks = pa.table(
        {
            "id": [f"c{number}" for number in range(size)],
            "document_id": documents,
            "start": [0] * size,
            "end": [1] * size,
            "text": ["x"] * size,
            "title": [""] * size,
            "source": documents,
            **dict.fromkeys(("license", "url", "date", "country", "lang"), pa.nulls(size, pa.string())),
        }
    )
    backend = FaissType().build(vectors(), factory="Flat")
    manifest = {
        "embedder": {"model": "axis", "dimension": DIMENSION, "space": "axis"},
        "index": {**backend.describe(), "seed": 0},
    }
    with writer_lock(root):
        publish_version(root, backend, chunks, manifest, lexical=None)
    embedder: Any = Axis()
    return Index.open(root, embedder=embedder)


@pytest.fixture
def choices(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """How many candidates there were, and how many of them were chosen, each time."""
    seen: list[tuple[int, int]] = []

    def counted(relevance: Any, *args: Any, **kwargs: Any) -> Any:
        chosen, values = diversify(relevance, *args, **kwargs)
        seen.append((len(relevance), len(chosen)))
        return chosen, values

    monkeypatch.setattr(pipeline, "diversify", counted)
    return seen


def test_a_huge_document_costs_no_square(index: Index, choices: list[tuple[int, int]]) -> None:
    (found,) = index.search_documents(["any"], 5, how=DIVERSE)
    assert len(found) == 5
    assert found[0].document_id == "huge"
    # 20, 80 and 320 chunks are all the huge document's; of 1,280 and more they would be, too.
    assert max(chosen for _, chosen in choices) == 320
    assert choices[-1] == (OTHERS + 1, 5)
    # By hand: each document's best chunk, and among these maximal marginal relevance.
    cosines = (vectors() @ QUERY[0]).astype(np.float64)
    best = [int(cosines[:HUGE].argmax())]
    best += [HUGE + 2 * n + int(cosines[HUGE + 2 * n : HUGE + 2 * n + 2].argmax()) for n in range(OTHERS)]
    ground = float(index.rankings.background(QUERY)[0])
    scale = (np.maximum(cosines - ground, 0) / (cosines.max() - ground))[best]
    order = np.argsort(-cosines[best], kind="stable")
    chosen, values = diversify(scale[order], vectors()[best][order], 5, weight=0.7)
    assert [hit.chunk_id for hit in found] == [f"c{best[order[place]]}" for place in chosen]
    np.testing.assert_allclose([hit.score for hit in found], values, atol=1e-5)


def test_a_few_hundred_chunks_are_compared_as_chunks(index: Index, choices: list[tuple[int, int]]) -> None:
    small = ["huge", *(f"d{number}" for number in range(OTHERS))]
    some = index.mask(small) & np.r_[np.arange(HUGE) < 150, np.ones(2 * OTHERS, np.bool_)]
    (found,) = index.search_documents(["any"], 5, how=DIVERSE, allow=some)
    (chunks,) = index.search(["any"], len(index), how=DIVERSE, allow=some)
    assert [hit.document_id for hit in found] == list(dict.fromkeys(hit.document_id for hit in chunks))[:5]
    assert OTHERS + 1 not in {candidates for candidates, _ in choices}


def test_filters_caps_and_too_few_documents(index: Index) -> None:
    (all_there_are,) = index.search_documents(["any"], 50, how=DIVERSE)
    assert len(all_there_are) == len({hit.document_id for hit in all_there_are}) == OTHERS + 1
    (masked,) = index.search_documents(["any"], 5, how=DIVERSE, allow=["huge", "d1", "d2"])
    assert {hit.document_id for hit in masked} == {"huge", "d1", "d2"}
    capped = DIVERSE.model_copy(update={"rules": (RuleConfig(most=1),)})
    (apart,) = index.search_documents(["any"], 5, how=capped)
    assert len({hit.document_id for hit in apart}) == 5
    (chunks,) = index.search(["any"], 5, how=capped)
    assert [hit.document_id for hit in chunks] == [hit.document_id for hit in apart]

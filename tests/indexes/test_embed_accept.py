"""A faster form of an encoder is taken only if it ranks as the plain one does."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from math import log2
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hinterland.core.errors import MissingDependencyError, ModelSourceError
from hinterland.indexes import embed_accept
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder
from hinterland.indexes.embed_accept import Acceptance, accept_backend, check_backend

PLACES = ["Kenya", "Peru", "Iceland", "Japan", "France", "Chad", "Nepal", "Fiji", "Mali", "Cuba"]
TOPICS = ["the capital city", "rivers and lakes", "copper mining", "railways and ports"]
PASSAGES = [f"{place}: {topic} are described in this passage." for place in PLACES for topic in TOPICS]
QUERIES = [f"{topic} of {place}" for place in PLACES[:5] for topic in TOPICS]
QRELS = [
    {PASSAGES.index(f"{p}: {t} are described in this passage."): 1.0} for p in PLACES[:5] for t in TOPICS
]


class Fixed:
    """An encoder of given vectors: rows of one matrix for passages, of another for queries."""

    def __init__(self, passages: Sequence[Sequence[float]], queries: Sequence[Sequence[float]]) -> None:
        self._passages, self._queries = np.asarray(passages, np.float32), np.asarray(queries, np.float32)

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._passages[: len(texts)]

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._queries[: len(texts)]


def test_by_hand() -> None:
    # Three passages; the relevant one is first for the plain encoder, second for the candidate.
    plain: Any = Fixed([[1, 0], [0, 1], [-1, 0]], [[1, 0.5]])
    candidate: Any = Fixed([[1, 0], [0, 1], [-1, 0]], [[0.5, 1]])
    measured = accept_backend(candidate, plain, ["a", "b", "c"], ["q"], [{0: 1.0}])
    assert measured == Acceptance(pytest.approx(1 / log2(3)), 1.0, 1, True)  # type: ignore[arg-type]
    assert not measured.accepted
    assert accept_backend(plain, plain, ["a", "b", "c"], ["q"]).ndcg == 1
    # Without judgements the first ten of the plain encoder are relevant: here all three passages.
    assert accept_backend(candidate, plain, ["a", "b", "c"], ["q"]).accepted
    with pytest.raises(ValueError, match="no query"):
        accept_backend(plain, plain, ["a"], ["q"], [{}])


def test_half_a_point_is_the_line() -> None:
    assert Acceptance(0.6951, 0.70, 9, True).accepted
    assert not Acceptance(0.6949, 0.70, 9, True).accepted
    assert Acceptance(0.9, 0.7, 9, True).accepted


@pytest.fixture(scope="module")
def quantised(embedder: SentenceEmbedder) -> SentenceEmbedder:
    """The real encoder with its matrices in int8, as torch quantises them dynamically."""
    import torch
    from torch.ao.quantization import quantize_dynamic

    made = SentenceEmbedder(EmbedConfig(dtype="float32", device="cpu"))
    torch.backends.quantized.engine = next(
        name for name in ("x86", "fbgemm", "qnnpack") if name in torch.backends.quantized.supported_engines
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch moves its quantisation to a package of its own
        made.__dict__["_model"] = quantize_dynamic(made._model, {torch.nn.Linear}, dtype=torch.qint8)
    assert not np.allclose(made.queries(QUERIES[:2]), embedder.queries(QUERIES[:2]), atol=1e-3)
    return made


def test_a_quantised_encoder_is_measured(embedder: SentenceEmbedder, quantised: SentenceEmbedder) -> None:
    judged = accept_backend(quantised, embedder, PASSAGES, QUERIES, QRELS)
    agreed = accept_backend(quantised, embedder, PASSAGES, QUERIES)
    assert judged.queries == agreed.queries == 20
    assert judged.reference_ndcg > 0.9
    assert agreed.reference_ndcg == 1
    assert agreed.ndcg < 1  # int8 does not rank everything as float32 does
    same = accept_backend(embedder, embedder, PASSAGES, QUERIES, QRELS)
    assert same.accepted
    assert same.ndcg == judged.reference_ndcg


def test_a_build_refuses_with_both_figures(
    embedder: SentenceEmbedder, quantised: SentenceEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_backend(embedder, PASSAGES, seed=0) == {}  # torch is not measured against itself
    candidate = SentenceEmbedder(EmbedConfig(backend="onnx", device="cpu"))
    candidate.__dict__["_model"] = quantised._model
    measured = accept_backend(quantised, embedder, PASSAGES, QUERIES)
    monkeypatch.setattr(embed_accept, "MOST_LOST", 1.0)
    told = check_backend(candidate, PASSAGES, seed=0)["accepted"]
    assert told["reference_ndcg"] == 1
    assert told["queries"] == len(PASSAGES)
    assert abs(told["ndcg"] - measured.ndcg) < 0.2
    monkeypatch.setattr(embed_accept, "MOST_LOST", 1e-9)
    with pytest.raises(ModelSourceError, match=rf"nDCG@10 {told['ndcg']:.3f}.*has 1.0000"):
        check_backend(candidate, PASSAGES, seed=0)


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_a_backend_that_is_not_installed(backend: str) -> None:
    if find_spec("optimum") is not None:
        pytest.skip("optimum is installed here")
    with pytest.raises(MissingDependencyError, match="optimum") as caught:
        SentenceEmbedder(EmbedConfig(backend=backend, device="cpu")).passages(["a"])  # type: ignore[arg-type]
    assert f"sentence-transformers[{backend}]" in caught.value.cure


def test_backends_have_fingerprints_of_their_own(embedder: SentenceEmbedder) -> None:
    onnx = SentenceEmbedder(EmbedConfig(backend="onnx", dtype="float32", device="cpu"))
    onnx.__dict__["_model"] = embedder._model
    assert onnx.space == embedder.space
    assert onnx.fingerprint != embedder.fingerprint
    assert onnx.describe()["backend"] == "onnx"
    assert "backend" not in embedder.describe()

"""Every factory string keeps one contract: agreement with exact search, and filters before it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError, IndexBundleError, RegistryError
from hinterland.core.seeds import generator
from hinterland.indexes.backend import BACKENDS
from hinterland.indexes.faiss_backend import FaissType
from hinterland.indexes.faiss_build import auto_factory

#: Each kind of index, and the recall@10 that it keeps on 3,000 loosely clustered vectors.
FACTORIES = {
    "Flat": 0.999,
    "SQ8": 0.95,
    "HNSW32": 0.95,
    "IVF16,Flat": 0.999,
    "IVF16,SQ8": 0.95,
    "PCA16,IVF16,SQ8": 0.3,
    "IVF16,PQ8x4fs,RFlat": 0.3,
}


def vectors(rows: int, dimension: int = 32, name: str = "vectors") -> NDArray[np.float32]:
    """Clustered unit vectors, as embeddings are."""
    centres = generator(0, "centres").standard_normal((20, dimension))
    random = generator(0, name)
    raw = centres[random.integers(0, 20, rows)] + 0.4 * random.standard_normal((rows, dimension))
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for busy cores slow the training of small codebooks many times over."""
    faiss = pytest.importorskip("faiss")
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    yield
    faiss.omp_set_num_threads(threads)


@pytest.fixture(scope="module")
def data() -> NDArray[np.float32]:
    return vectors(3000)


@pytest.mark.parametrize("factory", FACTORIES)
def test_contract(factory: str, data: NDArray[np.float32], tmp_path: Path) -> None:
    index = FaissType().build(data, factory=factory, seed=1)
    assert (index.size, index.dimension) == data.shape
    queries = vectors(50, name="queries")
    scores, rows = index.search(queries, 10)
    assert scores.shape == rows.shape == (50, 10)
    assert (np.diff(scores, axis=1) <= 0).all()
    exact = np.argsort(-(queries @ data.T), axis=1, kind="stable")[:, :10]
    recall = np.mean([len(set(found) & set(true)) / 10 for found, true in zip(rows, exact, strict=True)])
    assert recall >= FACTORIES[factory]

    # A filter that leaves fewer rows than k: all of them come back, and nothing else.
    allow = np.zeros(len(data), dtype=np.bool_)
    allow[[5, 700, 701, 2999]] = True
    _, few = index.search(queries, 10, allow)
    assert few.shape == (50, 4)
    assert all(set(line) == {5, 700, 701, 2999} for line in few.tolist())
    # A filter that leaves more than k.
    allow[100:400] = True
    _, some = index.search(queries, 10, allow)
    assert (some >= 0).all()
    assert allow[some].all()
    _, none = index.search(queries, 10, np.zeros(len(data), dtype=np.bool_))
    assert none.shape == (50, 0)

    index.save(tmp_path / "index")
    again = FaissType().load(tmp_path / "index", settings=index.describe())
    np.testing.assert_array_equal(again.search(queries, 10)[1], rows)
    same = FaissType().build(data, factory=factory, seed=1)
    same.save(tmp_path / "same")
    assert (tmp_path / "same").read_bytes() == (tmp_path / "index").read_bytes()


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 2**40 - 1))
def test_filtered_exact_search_equals_numpy(rows: int, k: int, bits: int) -> None:
    data, queries = vectors(rows, 8), vectors(3, 8, "queries")
    allow = np.asarray([bool(bits >> row & 1) for row in range(rows)])
    scores, found = FaissType().build(data).search(queries, k, allow)
    expected = np.where(allow, queries @ data.T, -np.inf)
    order = np.argsort(-expected, axis=1, kind="stable")[:, : min(k, int(allow.sum()))]
    assert found.shape == order.shape
    np.testing.assert_allclose(scores, np.take_along_axis(expected, order, 1), atol=1e-5)


def test_equal_scores_come_in_the_order_of_rows() -> None:
    data = np.repeat(vectors(2, 8), 3, axis=0)
    for factory in ("Flat", "HNSW32"):
        _, rows = FaissType().build(data, factory=factory).search(data[:1], 6)
        assert rows[0, :3].tolist() == [0, 1, 2]


def test_k_above_the_size_and_no_queries(data: NDArray[np.float32]) -> None:
    index = FaissType().build(data[:3])
    assert index.search(data[:2], 100)[1].shape == (2, 3)
    assert index.search(data[:0], 2)[1].shape == (0, 2)


@pytest.mark.parametrize(
    ("rows", "factory"),
    [(1, "Flat"), (49_999, "Flat"), (50_000, "HNSW32"), (999_999, "HNSW32"), (1_000_000, "IVF4096,SQ8")],
)
def test_auto(rows: int, factory: str) -> None:
    assert auto_factory(rows) == factory


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("Flatt", "does not know the factory string 'Flatt'"),
        ("IVF4096,Flat", "3000 vectors are too few for 4096 lists"),
        ("PQ7", "'PQ7'"),
    ],
)
def test_factories_that_do_not_work(factory: str, message: str, data: NDArray[np.float32]) -> None:
    with pytest.raises(ConfigError, match=message):
        FaissType().build(data, factory=factory)


def test_a_file_that_is_no_index(tmp_path: Path) -> None:
    (tmp_path / "index").write_bytes(b"not an index")
    with pytest.raises(IndexBundleError, match="cannot read the index"):
        FaissType().load(tmp_path / "index", settings={})


def test_the_registry_knows_faiss() -> None:
    assert "faiss" in BACKENDS
    with pytest.raises(RegistryError, match="fais"):
        BACKENDS.get("fais")


@pytest.mark.gpu
def test_gpu_build_equals_cpu_recall() -> None:
    faiss = pytest.importorskip("faiss")
    if not (hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus()):
        pytest.skip("this faiss has no GPU")
    data, queries = vectors(20_000), vectors(100, name="queries")
    index = FaissType().build(data, factory="IVF64,SQ8")
    exact = np.argsort(-(queries @ data.T), axis=1)[:, :10]
    rows = index.search(queries, 10)[1]
    assert np.mean([len(set(a) & set(b)) / 10 for a, b in zip(rows, exact, strict=True)]) > 0.9

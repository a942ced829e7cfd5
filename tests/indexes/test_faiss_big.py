"""Sizes as promised, shards that merge to equal bytes, and lists that stay on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hinterland.core.engine import LocalEngine, RayEngine
from hinterland.core.errors import ConfigError, IndexBundleError
from hinterland.core.seeds import generator
from hinterland.indexes import faiss_shards, faiss_size
from hinterland.indexes.build_options import BuildOptions
from hinterland.indexes.faiss_backend import FaissBackend, FaissType
from hinterland.indexes.faiss_build import auto_factory, build_faiss
from hinterland.indexes.faiss_disk import LISTS
from hinterland.indexes.faiss_size import available_memory, bytes_per_vector, choose, index_bytes


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    faiss = pytest.importorskip("faiss")
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    yield
    faiss.omp_set_num_threads(threads)


def clustered(rows: int, dimension: int = 16, name: str = "vectors") -> NDArray[np.float32]:
    centres = generator(0, "centres").standard_normal((20, dimension))
    random = generator(0, name)
    raw = centres[random.integers(0, 20, rows)] + 0.4 * random.standard_normal((rows, dimension))
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = faiss_shards.fill_by_shards

    def small(*args: object, **named: object) -> object:
        return plain(*args, **{**named, "rows": 700})  # type: ignore[arg-type]

    monkeypatch.setattr("hinterland.indexes.faiss_build.fill_by_shards", small)


@pytest.mark.parametrize(
    "factory",
    [
        "Flat",
        "SQ8",
        "HNSW32",
        "IVF4,SQ8",
        "IVF4,RaBitQ,Refine(SQ4)",
        "IVF4,PQ4x4",
        "IVF4,Flat",
        "PCA8,IVF4,SQ8",
    ],
)
def test_bytes_per_vector_are_those_of_built_indexes(factory: str) -> None:
    faiss = pytest.importorskip("faiss")
    data = clustered(6000, 32)
    sizes = []
    for rows in (2000, 6000):
        index, *_ = build_faiss(data[:rows], factory=factory, seed=0)
        sizes.append(len(faiss.serialize_index(index)))
    assert (sizes[1] - sizes[0]) / 4000 == pytest.approx(bytes_per_vector(factory, 32), rel=0.01)
    assert index_bytes(factory, 32, 6000) == pytest.approx(sizes[1], rel=0.05, abs=10_000)  # and codebooks


GB = 10**9


@pytest.mark.parametrize(
    ("rows", "memory", "factory"),
    [
        (10, 0, "Flat"),
        (49_999, None, "Flat"),
        (50_000, None, "HNSW32"),
        (900_000, 2 * GB, "HNSW32"),  # 1.63 GB
        (900_000, GB, "IVF4096,SQ8"),  # 0.36 GB
        (5_000_000, 2 * GB, "IVF8192,SQ8"),  # 1.97 GB
        (5_000_000, 1.5 * GB, "IVF8192,RaBitQ,Refine(SQ4)"),  # 1.29 GB
        (5_000_000, GB, "IVF8192,PQ48"),  # 0.29 GB
        (5_000_000, 0.1 * GB, "IVF8192,SQ8"),  # on disk
    ],
)
def test_auto_by_hand(rows: int, memory: float | None, factory: str) -> None:
    assert auto_factory(rows, memory=None if memory is None else int(memory)) == factory


def test_what_is_chosen_is_said() -> None:
    assert choose("auto", 5_000_000, 384, memory=100_000_000).on_disk
    assert not choose("auto", 5_000_000, 384, memory=3 * GB, lists_on_disk=None).on_disk
    forced = choose("auto", 1000, 384, lists_on_disk=True)
    assert (forced.factory, forced.on_disk) == ("IVF25,SQ8", True)
    assert choose("auto", 5_000_000, 384, memory=1, lists_on_disk=False).factory == "IVF8192,SQ8"
    given = choose("IVF64,SQ8", 10**6, 384, memory=10**6)
    assert given.on_disk
    assert "0.39 GB" in given.why
    assert not choose("IVF64,SQ8", 10**6, 384, memory=10**6, lists_on_disk=False).on_disk
    with pytest.raises(ConfigError, match="'HNSW32' has no inverted lists"):
        choose("HNSW32", 100, 384, lists_on_disk=True)
    assert 10**8 < available_memory() < 10**14


def test_memory_is_asked_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_size, "available_memory", lambda: 4 * GB)
    assert choose("auto", 5_000_000, 384).factory == "IVF8192,SQ8"  # 2.4 of 4 GB may go to the index
    monkeypatch.setattr(faiss_size, "available_memory", lambda: 3 * GB)
    assert choose("auto", 5_000_000, 384).factory == "IVF8192,RaBitQ,Refine(SQ4)"


@pytest.mark.parametrize("factory", ["IVF16,SQ8", "IVF16,Flat", "IVF16,PQ4x4", "IVF16,RaBitQ"])
def test_shards_merge_to_the_bytes_of_one_fill(factory: str, tmp_path: Path, small_shards: None) -> None:
    data = clustered(2500)
    FaissType().build(data, factory=factory, seed=3).save(tmp_path / "whole")
    options = BuildOptions(engine=LocalEngine(2), work=tmp_path / "work")
    FaissType().build(data, factory=factory, seed=3, options=options).save(tmp_path / "merged")
    assert len(list((tmp_path / "work").glob("shard-*.faiss"))) == 4
    assert (tmp_path / "merged").read_bytes() == (tmp_path / "whole").read_bytes()


def test_shards_of_a_killed_run_are_used(tmp_path: Path, small_shards: None) -> None:
    data = clustered(2500)
    FaissType().build(data, factory="IVF16,SQ8", seed=3).save(tmp_path / "whole")
    options = BuildOptions(engine=LocalEngine(2), work=tmp_path / "work")
    FaissType().build(data, factory="IVF16,SQ8", seed=3, options=options)
    shards = sorted((tmp_path / "work").glob("shard-*.faiss"))
    kept = shards[0].stat().st_mtime_ns
    for shard in shards[2:]:
        shard.unlink()
    FaissType().build(data, factory="IVF16,SQ8", seed=3, options=options).save(tmp_path / "again")
    assert shards[0].stat().st_mtime_ns == kept
    assert (tmp_path / "again").read_bytes() == (tmp_path / "whole").read_bytes()


def test_lists_on_disk(tmp_path: Path, small_shards: None, capfd: pytest.CaptureFixture[str]) -> None:
    data, queries = clustered(2500), clustered(40, name="queries")
    memory = FaissType().build(data, factory="IVF16,SQ8", seed=3)
    files = []
    for name in ("a", "b"):
        options = BuildOptions(lists_on_disk=True, work=tmp_path / f"work-{name}")
        index = FaissType().build(data, factory="IVF16,SQ8", seed=3, options=options)
        (tmp_path / name).mkdir()
        index.save(tmp_path / name / "dense.faiss")
        files.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert files[0] == files[1]  # wherever it was made
    assert set(files[0]) == {"dense.faiss", LISTS}
    (tmp_path / "a").rename(tmp_path / "published")
    read = FaissType().load(tmp_path / "published" / "dense.faiss", settings=memory.describe())
    expected = memory.search(queries, 10)
    for path in sorted((tmp_path / "published").iterdir()):
        path.unlink()  # the version is pruned; this reader keeps it
    np.testing.assert_array_equal(read.search(queries, 10)[1], expected[1])
    np.testing.assert_allclose(read.search(queries, 10)[0], expected[0], atol=1e-6)
    assert capfd.readouterr().out == ""  # FAISS would write there what belongs to results
    allow = np.zeros(2500, np.bool_)
    allow[[3, 2499]] = True
    assert set(read.search(queries[:1], 9, allow)[1][0].tolist()) == {3, 2499}


def test_an_index_on_disk_can_be_changed(tmp_path: Path) -> None:
    data = clustered(2500)
    options = BuildOptions(lists_on_disk=True, work=tmp_path / "work")
    FaissType().build(data[:2000], factory="IVF16,SQ8", seed=3, options=options).save(
        tmp_path / "dense.faiss"
    )
    before = (tmp_path / LISTS).read_bytes()
    index = FaissType().load(tmp_path / "dense.faiss", settings={"parameters": {"nprobe": 16}})
    index.add(data[2000:])
    assert index.size == 2500
    assert index.search(data[2400:2401], 1)[1].tolist() == [[2400]]
    assert (tmp_path / LISTS).read_bytes() == before
    (tmp_path / "next").mkdir()
    index.save(tmp_path / "next" / "dense.faiss")
    assert os.listdir(tmp_path / "next") == ["dense.faiss"]  # noqa: PTH208 - in memory by now


def test_what_cannot_be_built() -> None:
    faiss = pytest.importorskip("faiss")
    data = clustered(100)
    data[70, 3] = np.nan
    with pytest.raises(IndexBundleError, match="not finite"):
        build_faiss(data, factory="Flat", seed=0)
    if not hasattr(faiss, "StandardGpuResources") or not faiss.get_num_gpus():
        with pytest.raises(ConfigError, match="GPU"):
            build_faiss(clustered(100), factory="Flat", seed=0, options=BuildOptions(device="gpu"))
    one = FaissType().build(clustered(1))
    assert isinstance(one, FaissBackend)
    assert one.search(clustered(1), 5)[1].tolist() == [[0]]


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(280)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.*")
def test_a_cluster_fills_shards(tmp_path: Path, small_shards: None) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'hinterland[ray]'")
    data = clustered(2500)
    FaissType().build(data, factory="IVF16,SQ8", seed=3).save(tmp_path / "whole")
    options = BuildOptions(engine=RayEngine(workers=2), work=tmp_path / "work")
    FaissType().build(data, factory="IVF16,SQ8", seed=3, options=options).save(tmp_path / "merged")
    assert (tmp_path / "merged").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.gpu
@pytest.mark.parametrize("factory", ["IVF64,SQ8", "IVF64,PQ8", "IVF64,PQ8x4fs,RFlat"])
def test_gpu_and_cpu_agree(factory: str) -> None:
    faiss = pytest.importorskip("faiss")
    if not (hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus()):
        pytest.skip("this faiss has no GPU")
    data, queries = clustered(20_000), clustered(100, name="queries")
    exact = np.argsort(-(queries @ data.T), axis=1)[:, :10]
    recall = []
    for device in ("cpu", "gpu"):
        options = BuildOptions(device=device)  # type: ignore[arg-type]
        rows = FaissType().build(data, factory=factory, options=options).search(queries, 10)[1]
        recall.append(np.mean([len(set(a) & set(b)) / 10 for a, b in zip(rows, exact, strict=True)]))
    assert recall[1] == pytest.approx(recall[0], abs=0.03)

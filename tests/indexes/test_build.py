"""A whole build: other chunks, further columns, workers, kills, and what is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from letter_embedder import LetterEmbedder

from hinterland.core.config import load_config, parse_config
from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.engine import LocalEngine, RayEngine
from hinterland.core.errors import ConfigError, IndexBundleError
from hinterland.core.files import hash_tree
from hinterland.indexes import command
from hinterland.indexes.budget import estimate
from hinterland.indexes.build import build_index
from hinterland.indexes.build_options import BuildOptions
from hinterland.indexes.bundle import open_bundle
from hinterland.indexes.chunking import ChunkConfig, chunking_of
from hinterland.indexes.embed_cache import EmbeddingCache
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.needed_vectors import needed_by_all

ROWS = 300


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    texts = [
        f"# Place {n}\nPlace {n} lies by river {n % 7}.\n## People\n"
        + f"They number {n * 17}. " * (1 + n % 9)
        for n in range(ROWS)
    ]
    table = pa.table(
        {
            "id": [f"d{n}" for n in range(ROWS)],
            "text": texts,
            "admin1": [f"region {n % 3}" for n in range(ROWS)],
            "meta": [json.dumps({"title": "World › 299"})] * ROWS,
            "quality": [n / ROWS for n in range(ROWS)],
        }
    )
    return write_corpus(tmp_path_factory.mktemp("places") / "corpus", table)


def chunks_of(root: Path) -> pa.Table:
    return pq.read_table(open_bundle(root).folder / "chunks.parquet")


def test_headings_windows_and_columns(places: Corpus, tmp_path: Path) -> None:
    chunking = ChunkConfig(by="headings", tokens=32)
    build_index(
        places, tmp_path, LetterEmbedder(), chunking=chunking, columns=["admin1", "quality", "source"]
    )
    chunks = chunks_of(tmp_path)
    assert chunks["title"][0].as_py() == "World › 299 › Place 0"
    assert chunks["title"][1].as_py() == "World › 299 › Place 0 › People"
    assert chunks["admin1"][0].as_py() == "region 0"
    assert chunks["quality"].type == pa.float64()
    assert chunks.column_names.count("source") == 1
    assert chunking_of(open_bundle(tmp_path).manifest) == chunking
    windows = ChunkConfig(by="tokens", tokens=32, overlap=8)
    before = chunks.num_rows
    build_index(places, tmp_path, LetterEmbedder(), chunking=windows)
    chunks = chunks_of(tmp_path)
    assert "admin1" not in chunks.column_names
    assert chunks.num_rows != before
    starts, ends = chunks["start"].to_pylist(), chunks["end"].to_pylist()
    same = chunks["document_id"].to_pylist()
    rows = range(1, len(same))
    assert any(same[n] == same[n - 1] and starts[n] < ends[n - 1] for n in rows)
    with pytest.raises(ConfigError, match="no column 'admin2'") as caught:
        build_index(places, tmp_path, LetterEmbedder(), columns=["admin2"])
    assert "did you mean 'admin1'" in caught.value.cure
    with pytest.raises(ConfigError, match="'text' of its own"):
        build_index(places, tmp_path, LetterEmbedder(), columns=["text"])


def test_the_cache_holds_what_versions_on_disk_need(places: Corpus, tmp_path: Path) -> None:
    other = ChunkConfig(by="tokens", tokens=24)
    for chunking, fresh in ((None, True), (other, True), (None, False), (other, False)):
        counting = LetterEmbedder()
        build_index(places, tmp_path, counting, chunking=chunking)
        assert (counting.seen > 0) == fresh
    ((_, needed),) = needed_by_all(tmp_path).items()
    cache = EmbeddingCache(tmp_path / ".vectors")
    assert cache.forget(needed) == len({key.tobytes() for key in needed})
    assert [path.name for path in cache.folder.rglob("*") if path.is_file()] == [".lock"]


@pytest.mark.parametrize("factory", ["IVF8,SQ8", "Flat"])
def test_workers_publish_the_same_version(places: Corpus, tmp_path: Path, factory: str) -> None:
    versions = set()
    for name, options in (
        ("one", None),
        ("two", BuildOptions(engine=LocalEngine(2))),
    ):
        found = build_index(places, tmp_path / name, LetterEmbedder(), factory=factory, options=options)
        versions.add(found["version"])
        assert not (tmp_path / name / ".vectors" / ".shards").exists()
    assert len(versions) == 1


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(280)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.*")
def test_a_cluster_publishes_the_same_version(places: Corpus, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'hinterland[ray]'")
    one = build_index(places, tmp_path / "one", LetterEmbedder(), factory="IVF8,SQ8")
    options = BuildOptions(engine=RayEngine(workers=2))
    ray = build_index(
        places, tmp_path / "ray", Deadly(tmp_path / "mark"), factory="IVF8,SQ8", options=options
    )
    assert (tmp_path / "mark").exists()  # a worker died and its block was embedded by another
    assert ray["version"] == one["version"]


class Deadly(LetterEmbedder):
    """Kills the worker that it is in, the first time."""

    def __init__(self, mark: Path) -> None:
        super().__init__()
        self.mark, self.home = mark, os.getpid()

    def passages(self, texts: Any) -> Any:
        if os.getpid() != self.home and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().passages(texts)


def test_lists_on_disk_are_published(places: Corpus, tmp_path: Path) -> None:
    options = BuildOptions(lists_on_disk=True)
    found = build_index(places, tmp_path, LetterEmbedder(), factory="IVF8,SQ8", options=options)
    bundle = open_bundle(tmp_path)
    assert {"dense.faiss", "dense.lists", "chunks.parquet"} <= set(bundle.manifest["files"])
    again = build_index(places, tmp_path, LetterEmbedder(), factory="IVF8,SQ8", options=options)
    assert again["version"] == found["version"]


KILLED = """
import sys
from pathlib import Path
from letter_embedder import LetterEmbedder
from hinterland.core.corpus import Corpus
from hinterland.indexes.build import build_index

class Slow(LetterEmbedder):
    def passages(self, texts):
        import time
        time.sleep(0.05)
        return super().passages(texts)

build_index(Corpus.open(Path(sys.argv[1])), Path(sys.argv[2]), Slow(), chunk_tokens=20)
"""


def test_a_killed_build_ends_with_the_same_bytes(places: Corpus, tmp_path: Path) -> None:
    build_index(places, tmp_path / "whole", LetterEmbedder(), chunk_tokens=20)
    root = tmp_path / "killed"
    support = str(Path(__file__).parents[1] / "support")
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(places.path), str(root)],
        env={**os.environ, "PYTHONPATH": support},
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and not any(root.glob(".vectors/*/pending/*.vectors")):
        time.sleep(0.005)
    process.kill()
    process.wait()
    done = len(list(root.glob(".vectors/*/pending/*.vectors")))
    counting = LetterEmbedder()
    build_index(places, root, counting, chunk_tokens=20)
    assert done >= 1
    whole = LetterEmbedder()
    build_index(places, tmp_path / "count", whole, chunk_tokens=20)
    assert counting.seen == whole.seen - 256 * done
    for part in ("versions", ".vectors"):
        assert hash_tree(root / part) == hash_tree(tmp_path / "whole" / part)


def test_bad_input(tmp_path: Path) -> None:
    one = write_corpus(tmp_path / "one", pa.table({"id": ["a"], "text": ["x"]}))
    assert build_index(one, tmp_path / "i1", LetterEmbedder())["chunks"] == 1
    blank = write_corpus(tmp_path / "blank", pa.table({"id": ["a", "b"], "text": [" ", "\n"]}))
    with pytest.raises(IndexBundleError, match="all 2 documents are empty"):
        build_index(blank, tmp_path / "i2", LetterEmbedder())
    assert not (tmp_path / "i2" / "CURRENT").exists()
    with pytest.raises(ConfigError, match="leaves 6 for text"):
        build_index(one, tmp_path / "i3", LetterEmbedder(max_tokens=8))
    titled = pa.table({"id": ["a"], "text": ["short"], "meta": [json.dumps({"title": "word " * 500})]})
    long = write_corpus(tmp_path / "long", titled)
    assert build_index(long, tmp_path / "i4", LetterEmbedder(max_tokens=16))["titles_cut"] == 1
    html = write_corpus(
        tmp_path / "html", pa.table({"id": ["a"], "text": ["<h1>never closed" + " word" * 300]})
    )
    found = build_index(html, tmp_path / "i5", LetterEmbedder(), chunking=ChunkConfig(by="headings"))
    assert found["chunks"] > 4
    halves = pa.table({"id": ["a"], "text": ["half"], "meta": ['{"title": "half \\ud800 a character"}']})
    half = write_corpus(tmp_path / "half", halves)
    assert build_index(half, tmp_path / "i6", LetterEmbedder())["chunks"] == 1


def test_the_budget_is_near_what_is_built(places: Corpus, tmp_path: Path) -> None:
    chunking = ChunkConfig(tokens=32)
    planned = estimate(
        places,
        LetterEmbedder(),
        chunking,
        columns=(),
        factory="auto",
        options=BuildOptions(),
        lexical=LexicalConfig(),
        only_kept=True,
        seed=0,
    )
    built = build_index(places, tmp_path, LetterEmbedder(), chunking=chunking, lexical=LexicalConfig())
    assert planned["chunks_estimated"] == pytest.approx(built["chunks"], rel=0.2)
    assert planned["factory"] == built["factory"] == "Flat"
    assert planned["bytes_per_vector"] == 4 * 32
    folder = open_bundle(tmp_path).folder
    assert planned["vector_bytes_estimated"] == pytest.approx(
        (folder / "dense.faiss").stat().st_size, rel=0.2
    )
    assert 0 < planned["text_bytes_estimated"] < planned["disk_bytes_estimated"]
    assert planned["peak_memory_bytes_estimated"] > planned["vector_bytes_estimated"]


def test_the_command_reads_all_of_it(places: Corpus, tmp_path: Path) -> None:
    starter = Path(command.__file__).parents[1] / "configs" / "index.yaml"
    overrides = [
        f"corpus={places.path}",
        f"out={tmp_path}",
        "memory_gb=0.5",
        "lists_on_disk=false",
        "workers=2",
    ]
    config = load_config(command.CommandConfig, starter, overrides)
    options = command._options(config)
    assert (options.memory, options.lists_on_disk, options.engine) == (500_000_000, False, LocalEngine(2))
    with pytest.raises(ConfigError, match="did you mean 'chunking'"):
        parse_config(command.CommandConfig, {"corpus": "a", "out": "b", "chunkin": {}})
    bad = parse_config(
        command.CommandConfig, {"corpus": "a", "out": "b", "chunking": {"by": "tokens", "overlap": 100}}
    )
    with pytest.raises(ConfigError, match="more than half"):
        command.plan(bad)

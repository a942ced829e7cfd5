"""What was embedded once is not embedded again, and what is forgotten is nowhere in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from letter_embedder import LetterEmbedder
from numpy.typing import NDArray

from hinterland.core.engine import LocalEngine
from hinterland.core.errors import IndexBundleError, StorageError
from hinterland.indexes.embed_cache import EmbeddingCache
from hinterland.indexes.embed_passages import embed_passages
from hinterland.indexes.segments import key_of, keys_of, open_segment, write_block, write_segment

TEXTS = ["a short text", "The capital of Kenya is Nairobi.", "zinc", "a short text"]


def texts_of(count: int) -> list[str]:
    return [f"text number {number} " + "word " * (number % 7) for number in range(count)]


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_equal_texts_are_embedded_once(tmp_path: Path) -> None:
    counting = LetterEmbedder()
    vectors = embed_passages(TEXTS, counting)
    assert counting.seen == 3
    np.testing.assert_array_equal(vectors[0], vectors[3])
    cached = embed_passages(TEXTS, LetterEmbedder(), cache=EmbeddingCache(tmp_path / "v"))
    assert cached.tobytes() == vectors.tobytes()


def test_goes_on_after_a_kill_with_the_same_bytes(tmp_path: Path) -> None:
    texts = texts_of(200)
    whole = embed_passages(texts, LetterEmbedder(), cache=EmbeddingCache(tmp_path / "whole"), block=64)
    assert whole.tobytes() == embed_passages(texts, LetterEmbedder()).tobytes()  # blocks do not matter
    cache = EmbeddingCache(tmp_path / "cache")
    killed = LetterEmbedder(limit=130)
    with pytest.raises(KeyboardInterrupt):
        embed_passages(texts, killed, cache=cache, block=64)
    (encoder,) = cache.folder.iterdir()
    assert len(list((encoder / "pending").iterdir())) == 2
    rest = LetterEmbedder()
    resumed = embed_passages(texts, rest, cache=cache, block=64)
    assert rest.seen == 72
    assert resumed.tobytes() == whole.tobytes()
    assert bytes_in(cache.folder) == bytes_in(tmp_path / "whole")
    again = LetterEmbedder()
    embed_passages(texts[::-1], again, cache=cache, block=64)
    assert again.seen == 0


def test_only_what_is_new_is_embedded(tmp_path: Path) -> None:
    cache, counting = EmbeddingCache(tmp_path), LetterEmbedder()
    for number in range(12):  # more times than there may be files
        given = texts_of(3 + number)
        found = embed_passages(given, counting, cache=cache)
        cache.commit()
        assert counting.seen == 3 + number
        np.testing.assert_allclose(found, embed_passages(given, LetterEmbedder()), atol=2e-6)
    assert len(bytes_in(tmp_path)) < 10


def test_a_killed_run_over_other_texts_is_not_lost(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        embed_passages(texts_of(100), LetterEmbedder(limit=64), cache=cache, block=64)
    rest = LetterEmbedder()
    embed_passages([*texts_of(100), "one more"], rest, cache=cache, block=64)
    assert rest.seen == 37


@pytest.mark.parametrize("where", ["finished", "pending"])
def test_damaged_files_are_made_again(tmp_path: Path, where: str) -> None:
    cache = EmbeddingCache(tmp_path)
    if where == "finished":
        embed_passages(texts_of(100), LetterEmbedder(), cache=cache, block=64)
    else:
        with pytest.raises(KeyboardInterrupt):
            embed_passages(texts_of(100), LetterEmbedder(limit=64), cache=cache, block=64)
    (file,) = tmp_path.rglob("*.vectors")
    file.write_bytes(file.read_bytes()[:-50])
    again = LetterEmbedder()
    found = embed_passages(texts_of(100), again, cache=cache, block=64)
    assert again.seen == 100
    assert found.tobytes() == embed_passages(texts_of(100), LetterEmbedder()).tobytes()


def test_one_changed_bit_is_noticed(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    first = embed_passages(["one", "two"], LetterEmbedder(), cache=cache)
    (file,) = tmp_path.rglob("*.vectors")
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(data)
    assert embed_passages(["one", "two"], LetterEmbedder(), cache=cache).tobytes() == first.tobytes()


def test_forgotten_vectors_are_gone_from_every_file(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    vectors = embed_passages(texts_of(100), LetterEmbedder(), cache=cache, block=64)
    with pytest.raises(KeyboardInterrupt):  # and a run that was killed, with another text beside
        embed_passages([f"new {n}" for n in range(100)], LetterEmbedder(limit=64), cache=cache, block=64)
    pending = next(tmp_path.rglob("pending/*"))
    (segment,) = [open_segment(pending)]
    assert segment is not None
    assert cache.forget(keys_of([texts_of(100)[7], key_of(texts_of(100)[8]), "never seen"])) == 2
    everything = b"".join(bytes_in(tmp_path).values())
    for row in (7, 8):
        assert vectors[row].tobytes() not in everything
        assert keys_of([texts_of(100)[row]]).tobytes() not in everything
    assert vectors[9].tobytes() in everything
    assert pending.exists()
    assert cache.forget(segment.keys[:1]) == 1
    assert not pending.exists()
    again = LetterEmbedder()
    embed_passages(texts_of(100), again, cache=cache, block=64)
    assert again.seen == 2
    assert cache.forget(keys_of([])) == EmbeddingCache(tmp_path / "none").forget(keys_of(["a"])) == 0
    with pytest.raises(ValueError, match="16 bytes"):
        keys_of([b"short"])


def test_prune_keeps_what_is_needed(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path)
    embed_passages(texts_of(10), LetterEmbedder(), cache=cache)
    assert cache.prune({LetterEmbedder().fingerprint: keys_of(texts_of(10))}) == 0
    assert cache.prune({LetterEmbedder().fingerprint: keys_of(texts_of(4)), "another": keys_of([])}) == 6
    again = LetterEmbedder()
    embed_passages(texts_of(4), again, cache=cache)
    assert again.seen == 0
    assert cache.prune({}) == 4
    assert not bytes_in(tmp_path)


def test_workers_end_with_the_same_bytes(tmp_path: Path) -> None:
    texts = texts_of(130)
    one = embed_passages(texts, LetterEmbedder(), cache=EmbeddingCache(tmp_path / "one"), block=64)
    two = embed_passages(
        texts, LetterEmbedder(), cache=EmbeddingCache(tmp_path / "two"), engine=LocalEngine(2), block=64
    )
    assert one.tobytes() == two.tobytes()
    assert bytes_in(tmp_path / "one") == bytes_in(tmp_path / "two")


def test_large_results_are_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = embed_passages(texts_of(5), LetterEmbedder(), cache=EmbeddingCache(tmp_path))
    monkeypatch.setattr("hinterland.indexes.embed_passages._IN_MEMORY", 100)
    large = embed_passages(texts_of(5), LetterEmbedder(), cache=EmbeddingCache(tmp_path))
    assert isinstance(large, np.memmap)
    assert large.tobytes() == small.tobytes()
    assert len(bytes_in(tmp_path)) == 1  # the mapped file has no name


def test_nothing_to_embed(tmp_path: Path) -> None:
    assert embed_passages([], LetterEmbedder()).shape == (0, 32)
    assert embed_passages([], LetterEmbedder(), cache=EmbeddingCache(tmp_path)).shape == (0, 32)
    assert LetterEmbedder().queries([]).shape == (0, 32)


def test_vectors_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    class Broken(LetterEmbedder):
        def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
            return np.full((len(texts), self.dimension), np.nan, np.float32)

    for cache in (None, EmbeddingCache(tmp_path)):
        with pytest.raises(IndexBundleError, match="1 vectors that are not finite"):
            embed_passages(["a"], Broken(), cache=cache)
    assert not bytes_in(tmp_path)


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(StorageError):
        embed_passages(["a"], LetterEmbedder(), cache=EmbeddingCache(tmp_path / "taken"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sets(st.text(max_size=3), min_size=1, max_size=9), min_size=1, max_size=5), st.data())
def test_segments_hold_what_was_written(tmp_path: Path, blocks: list[set[str]], data: st.DataObject) -> None:
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    value = {text: float(n) for n, text in enumerate(sorted({text for block in blocks for text in block}))}
    opened = []
    for number, block in enumerate(blocks):
        texts = sorted(block)
        write_block(folder / str(number), texts, np.asarray([[value[t], 1] for t in texts], np.float32))
        segment = open_segment(folder / str(number), 2)
        assert segment is not None
        opened.append(segment)
    kept = data.draw(st.sets(st.sampled_from(sorted(value))))
    wanted = {tuple(key) for key in keys_of(kept).tolist()}
    masks = [np.asarray([tuple(key) in wanted for key in s.keys.tolist()], np.bool_) for s in opened]
    path = write_segment(folder, opened, masks)
    if not kept:
        assert path is None
        return
    assert path is not None
    joined = open_segment(path, 2, verify=True)
    assert joined is not None
    assert len(joined.keys) == len(kept)
    rows = joined.rows_of(keys_of(sorted(value)))
    assert (rows >= 0).tolist() == [text in kept for text in sorted(value)]
    assert joined.vectors[rows[rows >= 0], 0].tolist() == [value[text] for text in sorted(kept)]
    assert open_segment(path, 3) is None

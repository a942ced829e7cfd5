"""Batches of even size in memory, whatever the rows, and errors that name the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hinterland.core.errors import CorpusError
from hinterland.core.parquet import parquet_errors, row_batches

MB = 1_000_000


def write(path: Path, texts: list[str], **options: Any) -> Path:
    pq.write_table(pa.table({"id": list(map(str, range(len(texts)))), "text": texts}), path, **options)
    return path


def sizes(path: Path, columns: list[str] | None = None) -> list[int]:
    return [batch.num_rows for batch in row_batches(path, columns)]


def test_rows_of_5_mb_come_two_at_a_time(tmp_path: Path) -> None:
    texts = [chr(97 + number) * 5 * MB for number in range(7)]
    path = write(tmp_path / "a", texts, compression="zstd", use_dictionary=False)
    assert pq.ParquetFile(path).num_row_groups == 1
    assert sizes(path) == [2, 2, 2, 1]
    assert sizes(path, ["id"]) == [7]
    assert [text for batch in row_batches(path) for text in batch["text"].to_pylist()] == texts


def test_a_row_over_the_size_of_a_batch_comes_alone(tmp_path: Path) -> None:
    assert sizes(write(tmp_path / "a", ["x" * 17 * MB, "y" * 18 * MB], use_dictionary=False)) == [1, 1]


def test_small_rows_come_8192_at_a_time_over_row_groups(tmp_path: Path) -> None:
    path = write(tmp_path / "a", ["Tide"] * 10_000, row_group_size=3000)
    batches = list(row_batches(path))
    assert max(batch.num_rows for batch in batches) <= 8192
    assert pa.Table.from_batches(batches).equals(pq.read_table(path))


def test_a_group_of_large_rows_beside_one_of_small(tmp_path: Path) -> None:
    path = tmp_path / "a"
    small, large = pa.table({"text": ["x"] * 5000}), pa.table({"text": ["y" * 9 * MB, "z" * 9 * MB]})
    with pq.ParquetWriter(path, small.schema, use_dictionary=False) as writer:
        for table in (small, large, small):
            writer.write_table(table)
    assert sizes(path) == [5000, 1, 1, 5000]


def test_a_dictionary_of_large_values_bounds_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A few bytes of file per row, but each row is a text of 1 MB.
    monkeypatch.setattr("hinterland.core.parquet._WORST_BYTES", 40 * MB)
    path = write(tmp_path / "a", ["x" * MB, *["y"] * 9, *["x" * MB] * 90], compression="zstd")
    assert path.stat().st_size < MB
    assert sizes(path) == [32, 32, 32, 4]


@pytest.mark.parametrize("kind", [list, dict])
def test_a_dictionary_inside_of_a_column_does_so_too(kind: type, tmp_path: Path) -> None:
    texts = ["x" * 3 * MB, *["y"] * 999]
    nested = [{"name": text} if kind is dict else [text, "z"] for text in texts]
    pq.write_table(pa.table({"meta": nested, "number": range(1000)}), tmp_path / "a", compression="zstd")
    assert max(sizes(tmp_path / "a")) == (128 if kind is dict else 64)
    assert sizes(tmp_path / "a", ["number"]) == [1000]


def test_a_dictionary_of_small_values_does_not(tmp_path: Path) -> None:
    for compression in ("none", "zstd", "snappy"):
        path = write(tmp_path / "a", ["gazette", "ledger", *map(str, range(9998))], compression=compression)
        assert sizes(path)[0] == 8192


def test_no_rows(tmp_path: Path) -> None:
    assert sum(sizes(write(tmp_path / "a", []))) == 0


def test_errors_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"PAR1")
    for name in ("a", "missing"):
        with (
            pytest.raises(CorpusError, match="a shard cannot be read: ") as caught,
            parquet_errors(tmp_path / name, cure="write it again"),
        ):
            sizes(tmp_path / name)
        assert caught.value.where == str(tmp_path / name)
        assert caught.value.cure == "write it again"

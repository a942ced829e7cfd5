"""Columns of a corpus, from a table and from Parquet shards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hinterland.core.errors import CorpusError
from hinterland.curate.score_columns import Columns, ShardColumns, TableColumns

TABLE = pa.table(
    {
        "id": ["a", "bb", "c", "d", "e"],
        "number": [1, 2, None, 4, 5],
        "flag": [True, None, False, True, True],
        "word": ["x", "y", None, "x", "z"],
        "late": pa.array([None, None, None, None, "late"]),
        "nothing": pa.nulls(5),
        "_bands": [[1], [2], [3], [4], [5]],
    }
)
OTHER = pa.table({"id": TABLE["id"], "near_dup.size": [1.0, 1.0, 2.0, 2.0, 1.0], "number": [0] * 5})


def write(folder: Path, table: pa.Table, rows: tuple[int, ...] = (2, 0, 2, 1)) -> list[Path]:
    folder.mkdir()
    paths, start = [], 0
    for number, size in enumerate(rows):
        part = table.slice(start, size)
        if size == 2:  # as a column without a value in a shard may be written
            part = part.drop_columns("late").append_column("late", pa.nulls(2))
        paths.append(folder / f"part-{number}.parquet")
        pq.write_table(part, paths[-1])
        start += size
    return paths


@pytest.fixture(params=["table", "chunks", "shards"])
def columns(request: pytest.FixtureRequest, tmp_path: Path) -> Columns:
    if request.param == "shards":
        return ShardColumns(write(tmp_path / "a", TABLE))
    parts = [TABLE.slice(0, 3), TABLE.slice(3)] if request.param == "chunks" else [TABLE]
    return TableColumns(pa.concat_tables(parts))


def test_numbers_and_strings_come_as_arrays(columns: Columns) -> None:
    assert len(columns) == 5
    assert set(columns.names) == set(TABLE.column_names)
    np.testing.assert_array_equal(columns["number"], [1, 2, np.nan, 4, 5])
    np.testing.assert_array_equal(columns["flag"], [1, np.nan, 0, 1, 1])
    assert columns["word"].tolist() == ["x", "y", None, "x", "z"]
    assert columns["late"].tolist() == [None, None, None, None, "late"]
    assert np.isnan(columns["nothing"]).all()


def test_groups_have_sorted_names_and_null_is_one(columns: Columns) -> None:
    codes, names = columns.codes("word")
    assert (codes.tolist(), names) == ([1, 2, 0, 1, 3], ["null", "x", "y", "z"])
    codes, names = columns.codes("flag")
    assert (codes.tolist(), names) == ([1, 2, 0, 1, 1], ["False", "True", "null"])
    assert columns.codes("nothing")[1] == ["null"]


def test_draws_are_those_of_the_id(columns: Columns) -> None:
    draws = columns.draws(1, "cap")
    assert draws.tolist() == TableColumns(TABLE).draws(1, "cap").tolist()
    turned = TableColumns(TABLE.take([4, 3, 2, 1, 0])).draws(1, "cap")
    assert turned.tolist() == draws.tolist()[::-1]
    assert not set(draws) & (set(columns.draws(2, "cap")) | set(columns.draws(1, "x")))


def test_draws_are_spread_evenly() -> None:
    ids = pa.table({"id": [f"doc-{number}" for number in range(100_000)]})
    one, two = (TableColumns(ids).draws(seed, "x") for seed in (1, 2))
    counts = np.bincount(one >> np.uint64(54), minlength=1024)
    assert ((counts - 97.66) ** 2 / 97.66).sum() < 1023 + 5 * np.sqrt(2 * 1023)  # chi squared
    assert abs(np.corrcoef(one.astype(float), two.astype(float))[0, 1]) < 0.02
    assert len(np.unique(one)) == 100_000


def test_emptiness_is_a_column_or_the_text_or_the_words() -> None:
    table = pa.table(
        {"gopher_quality@dolma.words": [0.0, 2.0, None], "text": [" \n", "x", "y"], "_empty": [0, 1, 0]}
    )
    assert TableColumns(table).empty().tolist() == [False, True, False]
    assert TableColumns(table.drop_columns("_empty")).empty().tolist() == [True, False, False]
    assert TableColumns(table.select(["gopher_quality@dolma.words"])).empty().tolist() == [True, False, False]
    with pytest.raises(CorpusError, match="no column says which documents are empty"):
        TableColumns(TABLE).empty()


def test_lists_of_shards_are_joined_by_row(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a", TABLE), []
    for number, rows in enumerate([(0, 2), (2, 0), (2, 2), (4, 1)]):
        second.append(tmp_path / f"b-{number}.parquet")
        pq.write_table(OTHER.slice(*rows), second[-1])
    columns = ShardColumns(first, second)
    assert columns["near_dup.size"].tolist() == [1, 1, 2, 2, 1]
    assert columns["number"][0] == 1  # the first list's
    with pytest.raises(CorpusError, match="4 rows beside 5"):
        ShardColumns(first, second[:3])


def test_what_cannot_be_read_is_named(tmp_path: Path, columns: Columns) -> None:
    with pytest.raises(CorpusError, match="no score column 'numbr'") as caught:
        columns["numbr"]
    assert "did you mean 'number'" in caught.value.cure
    for name in ("_bands",):
        with pytest.raises(CorpusError, match="neither numbers nor strings"):
            columns[name]
        with pytest.raises(CorpusError, match="neither numbers nor strings"):
            columns.codes(name)
    paths = write(tmp_path / "x", TABLE)
    shards = ShardColumns(paths)
    pq.write_table(TABLE.slice(2, 2).drop_columns("number"), paths[2])
    with pytest.raises(CorpusError, match="column 'number' cannot be read") as caught:
        shards["number"]
    assert caught.value.where == str(paths[2])
    pq.write_table(TABLE.slice(2, 2).set_column(1, "number", [["x", "y"]]), paths[2])
    with pytest.raises(CorpusError, match="numbers and strings"):
        shards["number"]
    paths[1].write_bytes(b"PAR1")
    with pytest.raises(CorpusError, match="a shard cannot be read"):
        ShardColumns(paths)


def test_no_shards_are_no_documents() -> None:
    for columns in (ShardColumns([]), ShardColumns()):
        assert (len(columns), list(columns.names)) == (0, [])

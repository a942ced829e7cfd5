"""Files of figures: what is a number, what is a word, and what is lost."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hinterland.core.errors import CorpusError
from hinterland.curate.audit.tabular import is_tabular, read_rows
from hinterland.curate.readers import ReadConfig

CONFIG = ReadConfig()


def test_csv_cells_become_numbers_and_codes_stay_words(tmp_path: Path) -> None:
    path = tmp_path / "schools.csv"
    path.write_text("nation,zip,score,size\nNA,01234,0.5,10\nKE,98765,,2e3\nDE,,-1,+7\n")
    table = read_rows([path], CONFIG).table
    assert table["nation"].to_pylist() == table["country"].to_pylist() == ["NA", "KE", "DE"]
    assert table["zip"].to_pylist() == ["01234", "98765", None]
    assert table["score"].to_pylist() == [0.5, None, -1.0]
    assert table["size"].to_pylist() == [10.0, 2000.0, 7.0]
    assert table["id"].to_pylist() == ["row 1", "row 2", "row 3"]


def test_json_lines_with_bad_ones_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    lines = ['{"id": "a", "x": 1, "tags": ["p"]}', "{broken", '{"id": "b", "x": null, "flag": true}']
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    assert is_tabular([path], CONFIG)
    rows = read_rows([path], CONFIG)
    assert rows.table["id"].to_pylist() == ["a", "b"]
    assert rows.table["x"].to_pylist() == [1.0, None]
    assert rows.table["tags"].to_pylist() == ['["p"]', None]
    assert rows.table["flag"].to_pylist() == [None, 1.0]
    assert sum(rows.unreadable.values()) == 1
    with pytest.raises(CorpusError, match="row 2"):
        read_rows([path], ReadConfig(strict=True))


def test_files_of_different_columns_are_joined_and_repeated_ids_are_none(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a", "b"], "x": [1, 2]}), tmp_path / "a.parquet")
    (tmp_path / "b.jsonl").write_text(json.dumps({"id": "a", "x": "many", "y": 3}) + "\n")
    table = read_rows([tmp_path / "a.parquet", tmp_path / "b.jsonl"], CONFIG).table
    assert table["x"].to_pylist() == ["1", "2", "many"]
    assert table["y"].to_pylist()[2] in (3.0, "3.0")
    assert len(set(table["id"].to_pylist())) == 3


@pytest.mark.parametrize(
    ("name", "content", "tabular"),
    [
        ("a.jsonl", '{"text": "a document"}', False),
        ("a.jsonl", '{"body": "a document"}', False),
        ("a.csv", "x,y\n1,2\n", True),
        ("a.txt", "a document", False),
        ("a.jsonl", "", False),
        ("a.unknown", "x", False),
    ],
)
def test_what_is_tabular(tmp_path: Path, name: str, content: str, *, tabular: bool) -> None:
    (tmp_path / name).write_text(content)
    assert is_tabular([tmp_path / name], CONFIG) is tabular


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n")
    with pytest.raises(CorpusError, match="no row"):
        read_rows([tmp_path / "a.csv"], CONFIG)

"""A file's own columns, which reading keeps in meta, serve every part of an audit."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from hinterland.core.config import parse_config
from hinterland.core.errors import ConfigError, CorpusError
from hinterland.curate.audit import command
from hinterland.curate.audit.meta import meta_columns, names_wanted, with_meta
from hinterland.curate.audit.report import Audit
from hinterland.curate.audit.settings import AuditSettings

COUNTRIES = ("KEN", "FRA", "BRA", "JPN", "USA", "IND", "NGA", "DEU")


def test_keys_become_columns_of_numbers_or_words() -> None:
    cells = ['{"a": 1, "b": "x", "c": [1]}', None, "broken", "[1]", '{"a": true, "b": 2}']
    found = meta_columns(cells, ["a", "b", "c", "d"])
    assert found["a"].to_pylist() == [1.0, None, None, None, 1.0]
    assert found["b"].to_pylist() == ["x", None, None, None, "2"]
    assert found["c"].to_pylist() == ["[1]", None, None, None, None]
    assert "d" not in found
    batch = pa.record_batch({"meta": pa.array(['{"a": 1}'])})
    assert with_meta(batch, ["a", "z"]).to_pydict() == {"meta": ['{"a": 1}'], "a": [1.0], "z": [None]}


def test_only_what_is_named_is_looked_for() -> None:
    settings = AuditSettings(groups=("auto", "region", "dialect"), measures=("loss",), clusters="author")
    assert names_wanted(settings, ["region", "text"]) == ["dialect", "loss", "author"]


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    path = tmp_path / "documents.jsonl"
    rows = [
        {
            "text": f"Document {number} says that the rain in the hills was good for maize.",
            "country": COUNTRIES[number % 8],
            "quality": number / 240,
            "loss": float(number % 5),
            "dialect": "north" if number % 2 else "south",
            "author": f"author {number % 20}",
        }
        for number in range(240)
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def run(documents: Path, out: Path, **settings: object) -> Audit:
    given = {"input": [str(documents)], "out": str(out), "resamples": 100, **settings}
    command.run(parse_config(command.CommandConfig, given))
    return Audit.load(out / "audit")


def test_they_serve_all_parts_of_an_audit(documents: Path, tmp_path: Path) -> None:
    found = run(
        documents,
        tmp_path / "out",
        groups=["dialect"],
        clusters="author",
        measures=["loss"],
        filters={"hq": {"column": "quality >= 0.5"}},
        regression=[{"name": "one", "outcome": "quality", "terms": ["loss"]}],
    )
    assert [row.group for row in found.results["dialect"]["hq"].groups] == ["north", "south"]
    assert sum(row.kept_documents for row in found.results["dialect"]["hq"].groups) == 120
    assert found.measures[0].rows[0].mean.estimate == pytest.approx(2.0)
    assert found.regression[0].n == 240
    assert found.results["dialect"]["hq"]["north"].clusters == 10


def test_a_name_that_no_document_has_is_refused(documents: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no document has it in meta"):
        run(documents, tmp_path / "a", filters={"hq": {"column": "qualty >= 0.5"}})
    with pytest.raises(CorpusError, match="no grouping 'dialct'"):
        run(documents, tmp_path / "b", groups=["dialct"], filters={"hq": {"column": "quality >= 0.5"}})

"""The library's audit takes documents and filters in any usual form, and refuses what is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from audited_documents import SIZE, documents

import hinterland
from hinterland.core.errors import ConfigError, CorpusError, HinterlandError
from hinterland.core.places import by_iso3
from hinterland.curate.audit.given import table_of
from hinterland.curate.audit.notes import notes_on_places, notes_on_rejects, notes_on_weights
from hinterland.curate.audit.report import Audit

Command = Callable[..., tuple[int, str]]


def audit(table: Any = None, **more: Any) -> Audit:
    return hinterland.audit(table, **{"resamples": 100, "filters": {"hq": "good >= 0.5"}, **more})


def test_tables_of_other_libraries() -> None:
    table = documents().select(["id", "text", "country", "source", "good"])
    frame = table.to_pandas().sample(frac=1, random_state=1)
    coded = frame.assign(country=frame["country"].astype("category")).set_index("id", drop=False)
    expected = audit(table).results["region"]["all filters"].overall.kept_documents
    forms = [
        frame,
        coded,
        pa.Table.from_pandas(coded.rename_axis("row")),
        table.to_batches()[0],
        table.to_pydict(),
        pa.concat_tables([table.slice(0, 50), table.slice(50)]),
    ]
    for form in forms:
        found = audit(form, groups=["region", "source"])
        assert found.results["region"]["all filters"].overall.kept_documents == expected
    names = audit(table, countries=[by_iso3()[code].name for code in table["country"].to_pylist()])
    assert names.results["region"] == audit(table).results["region"]
    for odd in (3, "x", [1, 2], {"a": [1], "b": [1, 2]}):
        with pytest.raises(CorpusError, match="no table of documents"):
            table_of(odd)
    with pytest.raises(CorpusError, match="two columns are called 'id'"):
        audit(table.append_column("id", table["id"]))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"groups": ["regoin"]}, "did you mean 'region'"),
        ({"filters": {"x": "god > 1"}}, "did you mean 'good'"),
        ({"filters": {"x": 3}}, "a filter is given by"),
        ({"filters": {"": "good > 1"}}, "choose another name"),
        ({"filters": [len]}, "filters without names"),
        ({"filters": {"x": lambda text: None}}, "failed on all"),
        ({"filters": {"x": lambda text: 1 / 0}}, "failed on all"),
        ({"filters": {"x": lambda text: 0.5}}, "no threshold"),
        ({"decisions": {"x": [True]}}, "do not fit"),
        ({"decisions": {"x": [float("nan")] * SIZE}}, "neither true nor false"),
        ({"decisions": {"x": ["no"] * SIZE}}, "neither true nor false"),
        ({"decisions": {"x": [None] * SIZE}}, "neither true nor false"),
        ({"tokens": [1]}, "1 values of tokens"),
        ({"tokens": [-1] * SIZE}, "negative or missing"),
        ({"weight": [1]}, "1 values of weight"),
        ({"weight": [-1] * SIZE}, "negative or missing"),
        ({"countries": ["KEN"]}, "1 values of countries"),
        ({"clusters": ["a"]}, "1 values of clusters"),
        ({"groups": {"g": ["a"]}}, "1 values of g"),
        ({"groups": {"g": [["a"]] * SIZE}}, "no words or numbers"),
        ({"resamples": 1}, "resamples is 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_library_refuses(given: dict[str, Any], message: str) -> None:
    with pytest.raises(HinterlandError) as error:
        audit(documents(), **given)
    assert message in str(error.value)


def test_library_takes() -> None:
    table = documents()
    for labels in (np.arange(SIZE) % 3, pd.Series(["x", "y"] * (SIZE // 2), dtype="category"), [None] * SIZE):
        assert len(audit(table, groups={"g": labels}).results["g"]["hq"].groups) >= 1
    assert "none of" in str(audit(table, weight=[0] * SIZE)) or audit(table, weight=[0] * SIZE)
    steady = audit(table, decisions={"x": [1, 0] * (SIZE // 2)}, filters=None)
    assert steady.results["region"]["x"].overall.kept_documents == SIZE / 2
    with pytest.raises(CorpusError, match="no decision to audit"):
        hinterland.audit()
    with pytest.raises(CorpusError, match="no token counts"):
        audit(table.drop_columns(["text"]))
    with pytest.raises(ConfigError, match="no column 'text'"):
        audit(table.drop_columns(["text"]), tokens=[1] * SIZE, filters={"x": len})
    with pytest.raises(CorpusError, match="no grouping 'x'"):
        audit(table).plot("x")


class Long:
    """A filter in the shape of datatrove's, whose steps can be called too."""

    name = "long"

    def __call__(self, data: Any) -> None:
        raise AssertionError

    def filter(self, document: Any) -> bool:
        return len(document.text.split()) > 10


def test_objects_with_a_method_filter_are_filters() -> None:
    found = audit(documents(), filters={"long": Long()})
    expected = sum(len(text.split()) > 10 for text in documents()["text"].to_pylist())
    assert found.results["region"]["long"].overall.kept_documents == expected


def test_notes() -> None:
    assert notes_on_places({}) == notes_on_rejects({}) == notes_on_rejects({"rejected": 0}) == []
    (note,) = notes_on_places({"not_placed": {"body": 2}, "unrecognised": [[f"v{n}", 1] for n in range(7)]})
    assert note == (
        "Of documents whose country column names no country, 2 name a body or a group of countries:"
        " v0 (1), v1 (1), v2 (1), v3 (1), v4 (1) …."
    )
    keep = np.array([True, False])
    assert notes_on_weights(None, keep) == notes_on_weights(np.array([1.0, 3.0]), keep) == []
    assert "the heaviest 2.5" in notes_on_weights(np.array([2.5, 0.0]), keep)[0]

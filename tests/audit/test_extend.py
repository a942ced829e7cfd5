"""What is made of an audit's material beside retention, and that it speaks of the same decisions."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hinterland.core.errors import ConfigError, CorpusError
from hinterland.curate.audit.audit import audit
from hinterland.curate.audit.command import CommandConfig, run
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.decided import audit_rows
from hinterland.curate.audit.naming import merged
from hinterland.curate.audit.render import limits
from hinterland.curate.audit.report import Audit
from hinterland.curate.audit.settings import Analyses, AuditSettings
from hinterland.curate.audit.tabular import Rows

FILTER = "def keep(text):\n    return len(text) > 30\n"


def _files(tmp_path: Path, rows: int = 60) -> tuple[Path, Path]:
    documents, filters = tmp_path / "documents.jsonl", tmp_path / "mine.py"
    lines = [
        {
            "text": " ".join(["word"] * (3 + 9 * (n % 2))) + f" {n}",
            "country": ("KEN", "FRA")[n % 3 == 0],
            "id": f"d{n}",
        }
        for n in range(rows)
    ]
    documents.write_text("\n".join(map(json.dumps, lines)))
    filters.write_text(FILTER)
    return documents, filters


def _config(documents: Path, filters: Path, out: Path, **more: object) -> CommandConfig:
    given = {"input": [str(documents)], "out": str(out), "filters": {"long": {"callable": f"{filters}:keep"}}}
    return CommandConfig.model_validate({**given, "resamples": 100, "workers": 1, **more})


def test_examples_name_the_filter_that_drops_them(tmp_path: Path) -> None:
    documents, filters = _files(tmp_path)
    run(_config(documents, filters, tmp_path / "out"))
    found = Audit.load(tmp_path / "out" / "audit")
    assert {each.reason for each in found.examples} == {"", "long"}


def test_a_changed_filter_is_audited_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents, filters = _files(tmp_path)
    config = _config(documents, filters, tmp_path / "out")
    first = run(config)
    assert run(config)["text"] == first["text"]
    filters.write_text(FILTER.replace("30", "0"))
    for name in [name for name in sys.modules if name.startswith("_hinterland_filter_")]:
        monkeypatch.delitem(sys.modules, name)  # as in another process
    assert run(config)["text"] != first["text"]


def test_keep_in_a_regression_is_what_is_audited() -> None:
    model = {"name": "kept", "outcome": "keep", "terms": ["half"]}
    regression = {"derive": {"half": "num == 1"}, "models": [model]}
    table = pa.table(
        {
            "text": ["x"] * 40,
            "country": ["KEN"] * 40,
            "num": np.arange(40) % 2,
            "quality": np.arange(40) / 40,
            "keep": [True] * 40,
        }
    )
    found = audit(
        table,
        filters={"best": "quality >= 0.5"},
        analyses=Analyses.model_validate({"regression": regression}),
    )
    (fitted,) = found.regression
    # Of rows 20 to 39 every other one has num 1: keep does not depend on it, but it varies.
    assert fitted.n == 40
    assert abs(fitted.coef["const"] - 0.5) < 1e-12
    assert abs(fitted.coef["half"]) < 1e-12


def test_a_column_of_reasons_that_is_none_is_passed_over() -> None:
    table = pa.table(
        {"text": ["a b", "c"] * 20, "country": ["KEN", "FRA"] * 20, "reasons": ["some", "words"] * 20}
    )
    found = audit(table, filters={"long": lambda text: len(text) > 1})
    assert {each.reason for each in found.examples} == {"", "long"}


@pytest.mark.parametrize(
    "urls",
    [
        pa.array(["http://me:secret@Example.org:80/a", None] * 20).dictionary_encode(),
        pa.array(["https://example.org/b", "no address"] * 20, pa.large_string()),
    ],
)
def test_hosts_of_addresses_however_they_are_stored(urls: pa.Array) -> None:
    found = audit(pa.table({"text": ["a"] * 40, "url": urls}))
    (hosts,) = found.concentration
    assert (hosts.column, hosts.sources, hosts.unknown_documents) == ("host", 1, 20)
    assert hosts.largest == (("example.org", 20),)


def test_a_column_of_addresses_that_holds_none() -> None:
    found = audit(pa.table({"text": ["a"] * 4, "url": [["mailto:a@b.org"], [], None, ["two words"]]}))
    assert [(each.sources, each.unknown_documents) for each in found.concentration] == [(0, 4)]


def test_exposure_asks_for_ids(tmp_path: Path) -> None:
    results = tmp_path / "run.txt"
    results.write_text("q1 Q0 a 1 1.0 x\n")
    analyses = Analyses.model_validate({"exposure": {"results": str(results)}})
    with pytest.raises(CorpusError, match="no column 'id'"):
        audit(pa.table({"text": ["a"], "country": ["KEN"]}), analyses=analyses)


def test_years_of_own_figures_are_not_those_that_ship() -> None:
    shipped = Covariates.shipped()
    own = Covariates.from_rows([{"iso3": "KEN", "year": "1999", "population": "1"}], source="own.csv")
    both = merged(shipped, own)
    assert both.year_of("population") == "1999"
    assert both.year_of("gdp_per_head") == shipped.year_of("gdp_per_head")
    assert merged(shipped, None) is shipped


@pytest.mark.parametrize(("odd", "said"), [(None, True), (2, True), (1, False)])
def test_rows_half_decided_are_not_passed_over_in_silence(odd: int | None, said: bool) -> None:
    table = pa.table({"country": ["KEN", "FRA"] * 4, "keep": [1, 0, 1, 0, 1, 0, 1, odd]})
    rows = Rows(table.append_column("id", [[str(n) for n in range(8)]]), {})
    found = audit_rows(rows, AuditSettings(resamples=100), title="T")
    assert any("column keep is not taken" in each for each in found.notes) is said
    assert bool(found.results) is not said


def test_the_method_says_what_is_resampled() -> None:
    table = pa.table({"text": ["a"] * 8, "country": ["KEN", "FRA"] * 4, "source": list("abcdabcd")})
    assert "Shares of the corpus come from whole sources" in limits(audit(table))[0]
    without = audit(decisions={"f": [True] * 8}, groups={"g": ["a"] * 8}, tokens=[1] * 8)
    assert not without.coverage or "whole sources" in limits(without)[0]
    assert "unless others were given" in limits(without)[0]


def test_pairs_of_filters_stand_in_the_order_asked_for() -> None:
    table = pa.table({"text": ["a", "b c"] * 20, "country": ["KEN", "FRA"] * 20})
    kept = {name: np.arange(40) % each > 0 for name, each in (("x", 2), ("y", 3), ("x@other", 5))}
    found = audit(table, decisions=kept, analyses=Analyses(agreement=(("y", "x"),)), resamples=100)
    pairs = [(each.first, each.second, each.grouping) for each in found.agreement]
    both = [("x", "x@other"), ("y", "x")]
    assert pairs == [(*pair, grouping) for pair in both for grouping in ("region", "subregion")]
    with pytest.raises(ConfigError, match="no filter 'v'"):
        audit(table, decisions=kept, analyses=Analyses(agreement=(("z", "x"), ("v", "w"))))

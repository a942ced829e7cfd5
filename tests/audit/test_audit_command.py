"""``hinterland audit`` end to end: what it reads, what it writes, and when it does so again."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import hinterland
from hinterland.core import cli
from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.places import by_iso3
from hinterland.core.run import Run
from hinterland.curate.audit.report import Audit
from hinterland.curate.decide import decide
from hinterland.curate.rule import Rule

CODES = sorted(by_iso3())
RULES = (Rule("length.words", "length.short", low=10), Rule("links.share", "links.many", high=0.8))
#: Filters of one's own take the place of the curation's, which need longer texts.
OWN = "filters.long={callable: 'long.py:keep'}"
Command = Callable[..., dict[str, Any]]


def documents(number: int = 300, *, country: bool = True) -> pa.Table:
    rng = np.random.default_rng(7)
    codes = [CODES[row % len(CODES)] for row in range(number)]
    lengths = [int(rng.integers(2, 14 if by_iso3()[code].region == "Oceania" else 60)) for code in codes]
    columns = {
        "id": [f"d{row:04d}" for row in range(number)],
        "text": [f"Number {row}: " + "word " * length for row, length in enumerate(lengths)],
        "source": [f"s{row % 23}" for row in range(number)],
        "length.words": lengths,
        "links.share": rng.random(number),
        "loss": rng.random(number),
    }
    if country:
        columns["country"] = codes
    else:
        names = [by_iso3()[code].name for code in codes]
        columns["text"] = [f"{text} in {name}." for text, name in zip(columns["text"], names, strict=True)]
    return pa.table(columns)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A decided corpus ``c`` of two shards, the same without countries ``bare``, and files."""
    folder = tmp_path_factory.mktemp("made")
    rules = {"rules": [rule.to_dict() for rule in RULES]}
    for name, country in (("c", True), ("bare", False)):
        write_corpus(
            folder / name, decide(documents(country=country), RULES), rows_per_shard=150, manifest=rules
        )
    few = documents(90).select(["id", "text", "country", "source"])
    (folder / "files").mkdir()
    rows = few.to_pylist()
    lines = [json.dumps(row) for row in rows]
    (folder / "files" / "a.jsonl").write_text("\n".join(lines[:40]))
    (folder / "files" / "b.jsonl").write_text("\n".join(lines[40:]))
    pq.write_table(few, folder / "t.parquet")
    with (folder / "t.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, few.column_names)
        writer.writeheader()
        writer.writerows(rows)
    figures = [{"country": CODES[i % 249], "size": i % 50, "keep": i % 3 > 0} for i in range(300)]
    with (folder / "rows.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, list(figures[0]))
        writer.writeheader()
        writer.writerows(figures)
    (folder / "long.py").write_text("def keep(text):\n    return len(text.split()) > 20\n")
    return folder


@pytest.fixture
def audit(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs the command in the folder of the inputs and returns what ``--json`` prints."""
    monkeypatch.chdir(made)

    def run(*given: object, out: str = "out", sets: tuple[str, ...] = ()) -> dict[str, Any]:
        chosen = [f"--set={each}" for each in ("resamples=100", "workers=1", *sets)]
        folder = str(tmp_path / out)
        argv = ["hinterland", "audit", *map(str, given), "--out", folder, "--json", *chosen]
        monkeypatch.setattr(sys, "argv", argv)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        if ended.value.code:
            return {"status": ended.value.code, "error": printed.err}
        result: dict[str, Any] = json.loads(printed.out)
        return result

    return run


def test_files(audit: Command, made: Path) -> None:
    one = audit("files", out="one", sets=(OWN,))
    assert one["documents"] == 90
    assert one["coverage"].startswith("90 documents, ")
    assert "0% of documents" in one["coverage"]
    assert Path(one["page"]).is_file()
    two = audit("files/a.jsonl", "files/b.jsonl", out="two", sets=(OWN,))
    assert (two["coverage"], two["headline"]) == (one["coverage"], one["headline"])


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_tables_of_documents(audit: Command, made: Path, name: str) -> None:
    found = audit(name, sets=(OWN,))
    assert found["documents"] == 90
    assert f"Audit of {name}" in Path(found["page"]).read_text()


def test_files_without_config_go_through_the_usual_filters(audit: Command, tmp_path: Path) -> None:
    found = audit("files/a.jsonl")
    text = Path(found["page"]).with_suffix(".md").read_text()
    assert found["documents"] == 40
    assert "gopher_quality" in text
    assert (tmp_path / "out" / "curated" / "corpus" / "manifest.json").is_file()
    again = audit(tmp_path / "out" / "curated", out="again")  # the folder of a curate run
    assert again["headline"] == found["headline"]


def test_filters_of_ones_own_decide_together(audit: Command, tmp_path: Path) -> None:
    found = audit("files", sets=(OWN, "filters.some={column: \"source != 's3'\"}"))
    saved = Audit.load(tmp_path / "out" / "audit")
    assert saved.filters[-3:] == ("long", "some", "all filters")
    table = documents(90)
    long = np.array([len(text.split()) > 20 for text in table["text"].to_pylist()])
    some = np.array([source != "s3" for source in table["source"].to_pylist()])
    every = next(iter(saved.results.values()))["all filters"].overall
    assert every.kept_documents == (long & some).sum()
    assert found["documents"] == 90


def test_filters_beside_what_was_decided(audit: Command, made: Path, tmp_path: Path) -> None:
    audit("c", sets=("filters.steady={column: 'loss < 0.5'}",))
    saved = Audit.load(tmp_path / "out" / "audit")
    assert {"length", "links", "steady"} < set(saved.filters)
    kept = np.array(Corpus.open(made / "c").read(["keep"])["keep"])
    overall = saved.results["region"]
    assert overall["all filters"].overall.kept_documents == kept.sum()
    steady = (documents()["loss"].to_numpy() < 0.5).sum()
    assert overall["steady"].overall.kept_documents == steady
    assert any(curve.filter == "steady" for curve in saved.curves)


def test_places_are_found_and_reused(
    audit: Command, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in (made / "bare").iterdir()}
    found = audit("bare")
    assert "100% of documents" not in found["coverage"]
    places = tmp_path / "out" / "places"
    assert sorted(path.name for path in places.glob("*.parquet")) == [f"part-0000{n}.parquet" for n in (0, 1)]
    saved = Audit.load(tmp_path / "out" / "audit")
    assert any("text" in each.rule for each in saved.placements)
    assert before == {path.name: path.read_bytes() for path in (made / "bare").iterdir()}
    reused: list[tuple[str, bool]] = []
    stage = Run.stage

    def watched(self: Run, name: str, *args: Any, **more: Any) -> Any:
        record = stage(self, name, *args, **more)
        reused.append((record.name, record.reused))
        return record

    monkeypatch.setattr(Run, "stage", watched)
    assert audit("bare") == found
    assert reused == [("places", True), ("audit", True)]
    reused.clear()
    audit("bare", sets=("min_documents=5",))
    assert reused == [("places", True), ("audit", False)]
    reused.clear()
    audit("bare", sets=("locate=null",), out="nowhere")
    assert reused == [("audit", False)]


def test_a_referenced_file_that_changes_is_read_again(audit: Command, tmp_path: Path) -> None:
    figures = tmp_path / "figures.csv"
    figures.write_text("iso3,hdi\n" + "".join(f"{code},{row}\n" for row, code in enumerate(CODES)))
    first = audit("c", "--covariates", figures)
    assert "hdi" in first["text"] or "hdi" in Path(first["page"]).read_text()
    figures.write_text("iso3,hdi\n" + "".join(f"{code},{-row}\n" for row, code in enumerate(CODES)))
    assert audit("c", "--covariates", figures) != first


def test_rows_of_figures(audit: Command, made: Path, tmp_path: Path) -> None:
    decided = audit("rows.csv")
    assert decided["coverage"] == "300 rows; 0% have no known region."
    overall = Audit.load(tmp_path / "out" / "audit").results["region"]["all filters"].overall
    assert overall.kept_documents == 200
    lines = (made / "rows.csv").read_text().splitlines()
    (tmp_path / "bare.csv").write_text("\n".join(line.rpartition(",")[0] for line in lines))
    bare = audit(tmp_path / "bare.csv", out="bare")
    assert "No filter was given" in bare["headline"]
    own = audit(tmp_path / "bare.csv", out="own", sets=("filters.large={column: 'size >= 25'}",))
    assert "The filters together keep 50%" in own["headline"]


def test_exposure_measures_and_regression(audit: Command, tmp_path: Path) -> None:
    run = tmp_path / "run.trec"
    results = [(q, r, (37 * q + 11 * r) % 300) for q in range(9) for r in range(5)]
    run.write_text("".join(f"q{q} Q0 d{row:04d} {r + 1} {9 - r} x\n" for q, r, row in results))
    qrels = tmp_path / "qrels.txt"
    qrels.write_text("".join(f"q{q} 0 d{37 * q % 300:04d} 1\n" for q in range(9)))
    regression = (
        "regression={models: [{name: kept, outcome: keep, terms: [gdp_per_head, loss], kind: logit,"
        " cluster: country}, {name: long, outcome: 'keep:length', terms: [loss, length.words]}]}"
    )
    sets = (f"exposure={{results: '{run}', qrels: '{qrels}', k: 5}}", "measures=[loss]", regression)
    found = audit("c", sets=sets)
    assert found.get("error") is None
    saved = Audit.load(tmp_path / "out" / "audit")
    assert {each.grouping for each in saved.exposure} >= {"region", "subregion"}
    assert sum(row.retrieved.estimate for row in saved.exposure[0].rows) == pytest.approx(1)
    assert {each.column for each in saved.measures} == {"loss"}
    assert len(found["regression"]) == 2
    assert {"n", "r2", "coef", "se", "p"} <= set(found["regression"][1])


@pytest.mark.parametrize("reference", ["population", "internet users", "none", "own.csv"])
def test_references(audit: Command, tmp_path: Path, reference: str) -> None:
    if reference == "own.csv":
        reference = str(tmp_path / reference)
        Path(reference).write_text("region,share\nAfrica,1\nAmericas,1\nAsia,1\nEurope,1\nOceania,1\n")
    audit("c", sets=(f"reference={reference}", "groups=[region]"))
    saved = Audit.load(tmp_path / "out" / "audit")
    by_region = next(each for each in saved.coverage if each.grouping == "region")
    shares = [row.reference for row in by_region.rows if row.group == "Asia"]
    if reference == "none":
        assert not by_region.reference
    elif reference.endswith("own.csv"):
        assert shares == [pytest.approx(0.2)]
    else:
        assert 0.5 < shares[0] < 0.65


def test_dry_run_writes_nothing(audit: Command, tmp_path: Path) -> None:
    plans = {
        name: audit(name, "--dry-run", out=f"plan {name}") for name in ("c", "bare", "rows.csv", "files")
    }
    assert [plan["kind"] for plan in plans.values()] == ["decided", "decided", "rows", "documents"]
    assert [plan["to_be_placed"] for plan in plans.values()] == [False, True, True, True]
    assert [plan.get("documents", plan.get("rows")) for plan in plans.values()] == [300, 300, 300, 90]
    assert all(0 < plan["estimated_seconds"] < 60 for plan in plans.values())
    assert not list(tmp_path.iterdir())


def test_progress_goes_to_stderr(made: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hinterland.core.cli", "audit", str(made / "c"), "--json"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "out"), "--set", "resamples=100"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["documents"] == 300
    assert "auditing" in done.stderr


def test_workers_do_not_change_a_byte(audit: Command, tmp_path: Path) -> None:
    audit("bare", out="one/x")
    audit("bare", out="two/x", sets=("workers=2",))
    one, two = (
        {path.name: path.read_bytes() for path in sorted((tmp_path / name / "x" / "audit").glob("audit*"))}
        for name in ("one", "two")
    )
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []
    for name in ("part-00000.parquet", "part-00001.parquet"):
        places = [(tmp_path / each / "x" / "places" / name).read_bytes() for each in ("one", "two")]
        assert places[0] == places[1]


def test_killed_and_gone_on(audit: Command, made: Path, tmp_path: Path) -> None:
    """SIGKILL as soon as the places are there; the same command goes on from them."""
    out = tmp_path / "out"
    command = [sys.executable, "-m", "hinterland.core.cli", "audit", "bare", "--out", str(out)]
    process = subprocess.Popen(
        [*command, "--set", "resamples=100", "--set", "workers=1"],
        cwd=made,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not (out / "places" / "stage.json").exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = (out / "places" / "part-00000.parquet").stat().st_mtime_ns
    found = audit("bare")
    assert (out / "places" / "part-00000.parquet").stat().st_mtime_ns == before
    assert not list(out.rglob(".*.tmp"))
    assert audit("bare", out="whole")["text"] == found["text"]


def test_from_the_library(tmp_path: Path) -> None:
    table = documents().rename_columns(["id", "text", "source", "n", "links", "quality", "country"])
    found = hinterland.audit(
        table,
        groups=["region", "source"],
        filters={"long": lambda text: len(text.split()) > 20, "hq": "quality >= 0.5"},
        resamples=100,
    )
    assert str(found).startswith("300 documents, ")
    assert found.filters == ("hq", "long", "all filters")
    assert list(found.results) == ["region", "source"]
    assert str(found.plot("source", "long")).startswith("<svg")
    assert "<svg" in str(found.map())
    assert found._repr_html_().startswith("<iframe ")
    found.save(str(tmp_path / "saved"))
    assert Audit.load(tmp_path / "saved").to_dict() == found.to_dict()
    by_subregion = hinterland.audit(
        table, groups="subregion", filters={"hq": "quality >= 0.5"}, resamples=100
    )
    assert list(by_subregion.results) == ["subregion"]

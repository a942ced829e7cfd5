"""Bad input to audits and debiasing: handled, or one clear message, and never a traceback."""

from __future__ import annotations

import datetime
import decimal
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from audited_documents import CODES, RULE, SIZE, documents

from hinterland.core import cli
from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.files import hash_file
from hinterland.curate.audit.report import Audit
from hinterland.curate.decide import decide

Command = Callable[..., tuple[int, str]]


def write(folder: Path, table: pa.Table, **manifest: Any) -> Path:
    """Write a corpus as a tool would that checks nothing."""
    folder.mkdir(parents=True)
    pq.write_table(table, folder / "part.parquet")
    shard = {"file": "part.parquet", "rows": table.num_rows, "sha256": hash_file(folder / "part.parquet")}
    said = {"kind": "corpus", "format": 1, "documents": table.num_rows, "rules": [RULE.to_dict()]}
    (folder / "manifest.json").write_text(json.dumps({**said, **manifest, "shards": [shard]}))
    return folder


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs a command and returns its status and what it printed: stdout, or the error."""

    def run(name: str, *given: object, out: Path | None = None) -> tuple[int, str]:
        folder = str(out or tmp_path / f"out-{name}")
        argv = ["hinterland", name, *map(str, given), "--out", folder, "--set", "resamples=100"]
        monkeypatch.setattr(sys, "argv", argv)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        status = int(ended.value.code or 0)
        return status, printed.err if status else printed.out

    return run


ODD_COUNTRIES = [
    *("NA", "XK", "UK", "EL", "ken", "Kenya", "276", "826", "usa", "YUG", "CSK", "DDR", "SUN", "ANT"),
    *("EU", "UN", "???", "", " ", None),
]
TEXT = pa.array(["x"] * SIZE)
NUMBERS = pa.array(np.arange(SIZE) % 30, pa.float64())


@pytest.mark.parametrize(
    "other",
    [
        {"country": None, "source": None},
        {"country": pa.array(["KEN"] * SIZE)},
        {"keep": pa.array([True] * SIZE), "reasons": None},
        {"keep": pa.array([False] * SIZE), "reasons": None},
        pytest.param({"keep": pa.array([1, 0] * (SIZE // 2))}, marks=pytest.mark.slow),
        {"weight": pa.array([0.0] * SIZE)},
        pytest.param({"weight": pa.nulls(SIZE, pa.float64())}, marks=pytest.mark.slow),
        {"length.words": pa.array([float("nan"), float("inf"), None, 5.0] * (SIZE // 4))},
        pytest.param({"length.words": NUMBERS.cast(pa.decimal128(10, 2))}, marks=pytest.mark.slow),
        pytest.param({"length.words": NUMBERS.cast(pa.float32()).cast(pa.float16())}, marks=pytest.mark.slow),
        {"country": pa.array(ODD_COUNTRIES * (SIZE // len(ODD_COUNTRIES)))},
        pytest.param({"country": pa.array([276] * SIZE)}, marks=pytest.mark.slow),
        {"country": pa.nulls(SIZE)},
        pytest.param({"text": pa.array([""] * SIZE)}, marks=pytest.mark.slow),
        {"date": pa.array(["yesterday", "99999", "2020-99-99", ""] * (SIZE // 4))},
        pytest.param(
            {"date": pa.array([datetime.date(2000 + row % 9, 1, 1) for row in range(SIZE)])},
            marks=pytest.mark.slow,
        ),
    ],
    ids=lambda other: " ".join(f"{name} {getattr(values, 'type', '')}" for name, values in other.items()),
)
def test_handled(command: Command, tmp_path: Path, other: dict[str, Any]) -> None:
    corpus = write(tmp_path / "c", documents(**other))
    few = ("--set", "groups=[region]", "--set", "examples=1")
    assert command("audit", corpus, *few)[0] == 0
    assert command("debias", corpus, *few)[0] == 0


@pytest.mark.slow
def test_columns_of_other_types(command: Command, tmp_path: Path) -> None:
    table = documents()
    names = ["id", "text", "country", "source"]
    coded = documents(**{name: table[name].combine_chunks().dictionary_encode() for name in names})
    large = documents(**{name: table[name].cast(pa.large_string()) for name in names})
    few = ("--set", "groups=[region]")
    plain = command("audit", write(tmp_path / "c", table), *few, out=tmp_path / "plain")[1]
    for name, each in {"coded": coded, "large": large}.items():
        corpus = write(tmp_path / name / "c", each)
        status, text = command("audit", corpus, *few, out=tmp_path / f"audit-{name}")
        assert status == 0
        assert text.splitlines()[:-1] == plain.splitlines()[:-1]
        assert command("debias", corpus, *few, out=tmp_path / f"debias-{name}")[0] == 0


def test_codes_are_told(command: Command, tmp_path: Path) -> None:
    odd = pa.array(ODD_COUNTRIES * (SIZE // len(ODD_COUNTRIES)))
    assert command("audit", write(tmp_path / "c", documents(country=odd, source=pa.nulls(SIZE))))[0] == 0
    found = Audit.load(tmp_path / "out-audit" / "audit")
    each = SIZE // len(ODD_COUNTRIES)
    assert {code: found.countries[code][0] for code in ("NAM", "XKX", "GBR", "KEN", "DEU", "USA")} == {
        "NAM": each, "XKX": each, "GBR": 2 * each, "KEN": 2 * each, "DEU": each, "USA": each,
    }  # fmt: skip
    assert {row.rule: row.documents for row in found.placements}["unknown"] == 11 * each
    note = next(note for note in found.notes if "country column" in note)
    assert f"{5 * each} name a state that is gone" in note
    assert f"{2 * each} name a body" in note


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"keep": TEXT}, "column 'keep' holds string"),
        ({"keep": pa.array([0.5] * SIZE)}, "neither kept"),
        ({"keep": pa.array([None, True] * (SIZE // 2))}, "undecided"),
        ({"reasons": TEXT}, "column 'reasons' holds string"),
        ({"reasons": pa.array([[1]] * SIZE)}, "column 'reasons' holds list"),
        ({"weight": TEXT}, "column 'weight' holds string"),
        ({"weight": pa.array([-1.0] * SIZE)}, "negative or missing"),
        ({"weight": pa.array([float("nan")] * SIZE)}, "negative or missing"),
        ({"length.words": TEXT}, "'length.words' holds strings"),
        ({"country": pa.array([["KEN"]] * SIZE)}, "countries are list"),
        ({"source": pa.array([["a"]] * SIZE)}, "column 'source' holds list"),
        ({"text": None}, "no text whose words could be counted"),
        ({"id": None}, "no column 'id'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refused(command: Command, tmp_path: Path, other: dict[str, Any], message: str) -> None:
    corpus = write(tmp_path / "c", documents(**other))
    for name in ("audit", "debias"):
        status, error = command(name, corpus)
        assert (status, message in error) == (1, True), error


@pytest.mark.parametrize(
    "manifest",
    [
        {"rules": [{"x": 1}]},
        {"rules": "x"},
        {"rules": [{"column": 1, "reason": "a.b"}]},
        {"rules": [{"column": "length.words", "reason": "a.b", "low": "x"}]},
        {"rules": [{"column": "length.words", "reason": "a.b", "low": float("nan")}]},
    ],
    ids=str,
)
def test_broken_rules(command: Command, tmp_path: Path, manifest: dict[str, Any]) -> None:
    corpus = write(tmp_path / "c", documents(), **manifest)
    for name in ("audit", "debias"):
        status, error = command(name, corpus)
        assert (status, "rules cannot be read" in error) == (1, True), error


def test_other_broken_manifests(command: Command, tmp_path: Path) -> None:
    corpus = write(tmp_path / "c", documents(), cards=[1], counts=3)
    assert command("audit", corpus)[0] == command("debias", corpus)[0] == 0
    shard = corpus / "part.parquet"
    shard.write_bytes(shard.read_bytes()[:300])
    for name in ("audit", "debias"):
        status, error = command(name, corpus, out=tmp_path / f"new-{name}")
        assert (status, "a shard cannot be read" in error) == (1, True), error
    shard.unlink()
    assert "a shard is missing" in command("audit", corpus)[1]
    (corpus / "manifest.json").write_text("{")
    assert "not readable as JSON" in command("audit", corpus)[1]


def test_few_documents(command: Command, tmp_path: Path) -> None:
    for size, line in ((0, "0 documents, 0 words."), (1, "1 document, ")):
        corpus = write(tmp_path / f"c{size}", documents().slice(0, size))
        status, text = command("audit", corpus, out=tmp_path / f"audit{size}")
        assert (status, text.startswith(line)) == (0, True)
        assert command("debias", corpus, out=tmp_path / f"debias{size}")[0] == 0


def test_strange_groups(command: Command, tmp_path: Path) -> None:
    names = ["<script>alert(1)</script>", "a\nb\tc", "x" * 5000, "{0}{name}", "|a|b|", "日本語 \U0001f600"]
    many = [f"group {row}" for row in range(SIZE)]
    table = documents(
        g=pa.array(names * (SIZE // len(names))), many=pa.array(many), l=pa.array([["a"]] * SIZE)
    )
    corpus = write(tmp_path / "c", table)
    assert command("audit", corpus, "--set", "groups=[g,many]", "--set", "title=<b>&")[0] == 0
    assert "<script>alert" not in (tmp_path / "out-audit" / "audit" / "audit.html").read_text()
    assert command("debias", corpus, "--set", "group=g", "--set", "groups=[many]")[0] == 0
    for name, key in (("audit", "groups=[l]"), ("debias", "group=l")):
        status, error = command(name, corpus, "--set", key)
        assert (status, "no words or numbers" in error) == (1, True), error


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("groups=[regoin]", "did you mean 'region'"),
        ("clusters=sorce", "did you mean 'source'"),
        ("tokens=length.word", "did you mean 'length.words'"),
        ("tokens=text", "no numbers"),
        ("measures=[godo]", "did you mean 'good'"),
        ("measures=[text]", "holds no numbers"),
        ("agreement=[[length,lenght]]", "did you mean 'length'"),
        ("curves=[regoin]", "did you mean 'region'"),
        ("reference=populaton", "did you mean 'population'"),
        ("covariates=nowhere.csv", "cannot be read"),
        ("exposure={}", "no results to look at"),
        ("exposure={results: nowhere}", "no such file"),
        ("filters.length={column: 'good > 0.5'}", "has decided already"),
        ("filters.x={column: 'god > 0.5'}", "did you mean 'good'"),
        ("filters.x={column: 'good >'}", "not an expression"),
        ("filters.x={callable: 'nowhere:f'}", "no module"),
        ("filters.x={dolma: nowhere, keep: 'a > 1'}", "no such file"),
        ("filters.x={fasttext: nowhere, label: a, at_least: 0.5}", "no such file"),
    ],
)
def test_settings(command: Command, tmp_path: Path, setting: str, message: str) -> None:
    status, error = command("audit", write(tmp_path / "c", documents()), "--set", setting)
    assert (status, message in error) == (1, True), error


def test_settings_are_refused_before_hours_of_curation(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "one two"}))
    assert command("audit", tmp_path / "a.jsonl", "--set", "reference=nowhere")[0] == 1
    assert not (tmp_path / "out-audit").exists()


def test_covariates_with_strange_codes(command: Command, tmp_path: Path) -> None:
    rows = "".join(f"{code},{row}\n" for row, code in enumerate(CODES[:50]))
    (tmp_path / "c.csv").write_text("iso3,hdi\n" + rows + "YUG,1\nEU,2\nWLD,3\n")
    corpus = write(tmp_path / "c", documents())
    status, _ = command("audit", corpus, "--covariates", tmp_path / "c.csv")
    assert status == 0
    notes = " ".join(Audit.load(tmp_path / "out-audit" / "audit").notes)
    assert "left out of c.csv (3): EU, WLD, YUG" in notes
    for text, message in (
        ("", "no rows"),
        ("a,b\n1,2\n", "no column 'iso3'"),
        ("iso3,h\nKEN,x\nFRA,1\n", "not a number"),
    ):
        (tmp_path / "bad.csv").write_text(text)
        status, error = command("audit", corpus, "--covariates", tmp_path / "bad.csv")
        assert (status, message in error) == (1, True), error


def test_nothing_is_written_over(command: Command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    write_corpus(run / "corpus", documents(), manifest={"rules": [RULE.to_dict()]})
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    for name in ("audit", "debias"):
        for given in (run, run / "corpus"):
            for out in (run, run / "corpus", run / "corpus" / "x", run / "x" / ".."):
                status, error = command(name, given, out=out)
                assert (status, "the folder of the corpus itself" in error) == (1, True), error
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert len(Corpus.open(run / "corpus")) == SIZE
    for out in (run / "corpus" / "manifest.json", Path("/proc/nowhere"), tmp_path / ("x" * 300)):
        assert command("audit", run, out=out)[0] == 1


def test_decisions_are_not_lost(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "one two"}))
    status, error = command("audit", tmp_path / "a.jsonl", write(tmp_path / "c", documents()))
    assert (status, "its decisions would be lost" in error) == (1, True), error


def test_files_that_cannot_be_read(command: Command, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("{no\n" * 3 + json.dumps({"text": "a b c"}))
    assert command("audit", tmp_path / "bad.jsonl", "--set", "filters.x={column: 'lang'}")[0] in (0, 1)
    status, _ = command("audit", tmp_path / "bad.jsonl", "--set", "workers=1", out=tmp_path / "o")
    assert status == 0
    notes = Audit.load(tmp_path / "o" / "audit").notes
    assert any("Of 4 documents read, 3 could not be used" in note for note in notes)
    assert "no such file" in command("audit", tmp_path / "nowhere.jsonl")[1]
    assert "nothing to audit" in command("audit")[1]


def test_rows(command: Command, tmp_path: Path) -> None:
    table = pa.table(
        {
            "country": pa.array([CODES[row % 249] for row in range(SIZE)]).dictionary_encode(),
            "price": pa.array([decimal.Decimal("1.5")] * SIZE),
            "lists": [[1, 2]] * SIZE,
            "day": [datetime.date(2000, 1, 1)] * SIZE,
            "nothing": pa.nulls(SIZE),
            "keep": ["yes", "maybe"] * (SIZE // 2),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    status, text = command("audit", tmp_path / "t.parquet", "--set", "groups=[region,price,day,nothing]")
    assert (status, text.startswith(f"{SIZE} rows; ")) == (0, True), text
    status, text = command("audit", tmp_path / "t.parquet", "--set", "tokens=price")
    assert text.startswith(f"{SIZE} documents, {SIZE * 3 // 2} tokens")
    for setting, message in (
        ("groups=[lists]", "no words or numbers"),
        ("clusters=lists", "no words or numbers"),
        ("clusters=contry", "did you mean 'country'"),
        ("measures=[day]", "holds no numbers"),
        ("tokens=day", "no numbers"),
        ("tokens=prize", "did you mean 'price'"),
    ):
        status, error = command("audit", tmp_path / "t.parquet", "--set", setting)
        assert (status, message in error) == (1, True), error


@pytest.mark.slow
def test_a_million_sources(command: Command, tmp_path: Path) -> None:
    rows = 1_000_000
    table = pa.table(
        {
            "id": [f"d{row:07d}" for row in range(rows)],
            "text": ["one two three"] * rows,
            "country": [CODES[row % 249] for row in range(rows)],
            "source": [f"www.site{row}.org" for row in range(rows)],
            "length.words": np.arange(rows) % 40,
        }
    )
    write_corpus(tmp_path / "c", decide(table, [RULE]), manifest={"rules": [RULE.to_dict()]})
    assert command("audit", tmp_path / "c", "--set", "groups=[source,region]")[0] == 0
    found = Audit.load(tmp_path / "out-audit" / "audit")
    assert len(found.results["source"]["length"].groups) == 51
    assert found.concentration[0].sources == rows


def test_shards_of_different_types(command: Command, tmp_path: Path) -> None:
    table = documents()
    half = SIZE // 2
    first, second = table.slice(0, half), table.slice(half)
    place = table.column_names.index("country")

    def corpus(name: str, rest: pa.Table) -> Path:
        folder = write(tmp_path / name, first)
        pq.write_table(rest, folder / "rest.parquet")
        manifest = json.loads((folder / "manifest.json").read_text())
        digest = hash_file(folder / "rest.parquet")
        manifest["shards"].append({"file": "rest.parquet", "rows": half, "sha256": digest})
        (folder / "manifest.json").write_text(json.dumps({**manifest, "documents": SIZE}))
        return folder

    few = ("--set", "groups=[region]", "--set", "examples=0", "--set", "workers=1")
    coded = second["country"].combine_chunks().dictionary_encode()
    for name, values in (("coded", coded), ("nothing", pa.nulls(half))):
        path = corpus(name, second.set_column(place, "country", values))
        assert command("audit", path, *few, out=tmp_path / f"o-{name}")[0] == 0
        known = Audit.load(tmp_path / f"o-{name}" / "audit").groupings["region"]
        assert known.unknown_documents == (half if name == "nothing" else 0)
    number = second.set_column(table.column_names.index("keep"), "keep", pa.array([1] * half))
    status, error = command("audit", corpus("number", number))
    assert (status, "shards differ in the types" in error) == (1, True), error


def test_the_order_of_rows_changes_nothing(command: Command, tmp_path: Path) -> None:
    table = documents()
    turned = table.take(pa.array(np.random.default_rng(3).permutation(SIZE)))
    for name, each in (("one", table), ("two", turned)):
        assert command("audit", write(tmp_path / name / "c", each), out=tmp_path / f"o-{name}")[0] == 0
    one, two = ((tmp_path / f"o-{name}" / "audit" / "audit.json").read_text() for name in ("one", "two"))
    assert json.loads(one) == json.loads(two)

"""What ``hinterland debias`` prints, and the shares of the weights: by hand and on a corpus on disk."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hinterland.core.config import parse_config
from hinterland.core.corpus import write_corpus
from hinterland.core.places import by_iso3
from hinterland.curate.audit.groups import Grouping
from hinterland.curate.debias import command
from hinterland.curate.debias.brief import wrapped
from hinterland.curate.debias.weighted import weighted_coverage

SIZE = 900


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(2)
    codes = [code for code in sorted(by_iso3()) if by_iso3()[code].region != "Antarctica"]
    score = rng.random(SIZE)
    keep = score > 0.4
    table = pa.table(
        {
            "id": [f"d{i:05d}" for i in range(SIZE)],
            "text": ["some words"] * SIZE,
            "country": rng.choice(codes, SIZE).tolist(),
            "source": rng.choice(["web", "news\x1b[31m <b>"], SIZE).tolist(),
            "score": score,
            "keep": keep,
            "weight": keep.astype(float),
        }
    )
    path = tmp_path_factory.mktemp("brief") / "c"
    write_corpus(path, table)
    return path


def _run(corpus: Path, out: Path, **values: object) -> tuple[str, Path]:
    given = {"corpus": str(corpus), "out": str(out), "resamples": 100, "locate": None, "examples": 0}
    config = parse_config(command.CommandConfig, {**given, "curves": [], **values})
    return command.render(command.run(config)), out / "audit"


def test_the_terminal_has_a_screen_and_the_files_all(corpus: Path, tmp_path: Path) -> None:
    text, files = _run(corpus, tmp_path / "out", method="cap", cap={"most": 100})
    lines = text.splitlines()
    assert max(len(line) for line in lines if not line.startswith(("The corpus:", "The page:"))) <= 100
    assert len(lines) < 50
    assert lines[0] == "Cap in documents: 2 groups change."
    assert "\x1b" not in text
    start = lines.index("The worst disparity ratio, by grouping:")
    rows = [line.split() for line in lines[start + 2 : lines.index("", start)]]
    worst = json.loads((files / "compare.json").read_text())["worst"]
    assert [row[0] for row in rows] == [name.split("_")[0].replace("gdp", "GDP") for name in worst]
    assert [float(row[-1]) for row in rows] == pytest.approx([new for _, new in worst.values()], abs=0.005)
    start = lines.index("The groups of which the share that is kept changed most:")
    stop = lines.index("", start)
    assert stop - start <= 12
    assert lines[stop - 1].endswith("more (compare.md, compare.html)")
    first = lines[start + 2].partition(" (")[0].strip()
    groups = json.loads((files / "compare.json").read_text())["groups"]
    changes = {
        row["group"]: abs(row["after"]["estimate"] - row["before"]["estimate"])
        for each in groups.values()
        for row in each
        if row["ranked"]
    }
    assert changes[first] == max(changes.values())
    assert all(f"| {name} |" in (files / "compare.md").read_text() for name in changes if "<" not in name)


def test_weights_are_shown_beside_their_reference(corpus: Path, tmp_path: Path) -> None:
    margins = {"region": {"Africa": 2, "Americas": 1, "Asia": 4, "Europe": 1, "Oceania": 1}}
    text, files = _run(
        corpus, tmp_path / "out", method="rake", rake={"margins": margins}, groups=["region", "subregion"]
    )
    found = json.loads((files / "debias.json").read_text())
    shares = {each["grouping"]: each for each in found["shares_of_weights"]}
    assert [each["margin"] for each in shares.values()] == [True, False]
    rows = {row["group"]: row for row in shares["subregion"]["rows"]}
    assert sum(row["after"] for row in rows.values()) == pytest.approx(1)
    # Within a region weights are alike, so a part of it grows as the whole does.
    whole = {row["group"]: row for row in shares["region"]["rows"]}["Africa"]
    part = rows["Western Africa"]
    assert part["after"] / part["before"] == pytest.approx(whole["after"] / whole["before"])
    assert 0 < part["reference"] < 0.2
    said = (files / "debias.txt").read_text()
    assert "Shares of the weights by subregion: before → after (reference)" in said
    assert said.count("Shares of the weights by") == 1
    page, words = (files / "compare.html").read_text(), (files / "compare.md").read_text()
    assert '<section id="weights"><h2>Shares of the weights</h2>' in page
    assert "By subregion, shares of documents by weight" in page
    assert "## Shares of the weights" in words
    assert "(subregion)" in text.partition("share of the weights changed most")[2]
    lines = [line for line in text.splitlines() if not line.startswith(("The corpus:", "The page:"))]
    assert max(map(len, lines)) <= 100


def test_without_weights_nothing_is_said_of_them(corpus: Path, tmp_path: Path) -> None:
    text, files = _run(corpus, tmp_path / "out", score="score", rate=0.5, groups=["region"])
    assert "hares of the weights" not in text + (files / "compare.html").read_text()
    assert "shares_of_weights" not in json.loads((files / "debias.json").read_text())


def test_weighted_coverage_by_hand() -> None:
    group = Grouping("g", np.array([0, 0, 1, 2]), ("a", "b", "unknown"))
    before, after = np.array([1.0, 0, 1, 1]), np.array([1.0, 0, 3, 1])
    found = weighted_coverage(group, before, after, reference={"a": 0.4})
    assert [(row.group, row.documents, row.before, row.after) for row in found.rows[:2]] == [
        ("a", 1, 0.5, 0.25),
        ("b", 1, 0.5, 0.75),
    ]
    assert found.rows[0].reference == 0.4
    assert math.isnan(found.rows[1].reference)
    assert math.isnan(found.rows[2].after)
    tokens = weighted_coverage(group, before, after, tokens=np.array([3.0, 9, 1, 1]))
    assert tokens.of == "tokens"
    assert [row.after for row in tokens.rows[:2]] == [0.5, 0.5]
    nothing = weighted_coverage(group, np.zeros(4), after)
    assert math.isnan(nothing.rows[0].before)


def test_long_lines_are_wrapped_and_keep_their_place() -> None:
    lines = wrapped(f"  {'word ' * 40}\n\nshort").splitlines()
    assert max(len(line) for line in lines if not line.startswith(("The corpus:", "The page:"))) <= 100
    assert [len(line) - len(line.lstrip()) for line in lines] == [2, 4, 4, 0, 0]

"""`hinterland curate agreement`, from files to the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from hinterland.core.cli import cli
from hinterland.core.errors import ConfigError, RegistryError
from hinterland.curate.agreement_command import CommandConfig, plan, render, run

PAGE = "\n".join(f"The harbour of island number {n} has been closed since the storm." for n in range(9))


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    rows = [{"text": PAGE}, {"text": PAGE + "\nif (x) { y }"}, {"text": "short"}]
    (tmp_path / "pages.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\nbroken")
    return tmp_path / "pages.jsonl"


def test_from_files_to_the_table(pages: Path, tmp_path: Path) -> None:
    config = CommandConfig(input=(pages,), out=tmp_path / "out", filters=("c4", "fineweb"))
    planned = plan(config)
    assert planned["readings"] == ["c4", "c4@datatrove", "c4@dolma", "fineweb", "fineweb@datatrove"]
    assert not (tmp_path / "out").exists()
    result = run(config)
    assert result["counts"] == {"in": 4, "read": 3, "rejected": 1}
    assert result["filters"]["c4"]["kept"] == {"c4": 0.333333, "c4@datatrove": 0.666667, "c4@dolma": 0.666667}
    text = render(result)
    assert "paper ~ datatrove" in text
    assert "only datatrove keeps 1" in text
    assert json.loads((tmp_path / "out" / "agreement" / "agreement.json").read_text()) == result["filters"]


def test_the_command_line_takes_files(pages: Path, tmp_path: Path) -> None:
    given = ["curate", "agreement", str(pages), "--out", str(tmp_path / "out"), "--json"]
    found = CliRunner().invoke(cli, [*given, "--set", "filters=[fineweb]"])
    assert found.exit_code == 0
    assert json.loads(found.stdout)["filters"]["fineweb"]["documents"] == 3


def test_what_cannot_be_is_refused(pages: Path) -> None:
    with pytest.raises(ConfigError, match="nothing to compare"):
        plan(CommandConfig())
    with pytest.raises(RegistryError, match="fineweb"):
        plan(CommandConfig(input=(pages,), filters=("finewebb",)))


def test_what_it_wrote_is_no_input_and_a_dangling_link_is_rejected(pages: Path, tmp_path: Path) -> None:
    (tmp_path / "gone.txt").symlink_to("nowhere")
    config = CommandConfig(input=(tmp_path,), out=tmp_path / "out", filters=("fineweb",))
    first, second = run(config), run(config)
    assert first["counts"] == second["counts"] == {"in": 5, "read": 3, "rejected": 2}
    assert not (tmp_path / "out" / ".work").exists()

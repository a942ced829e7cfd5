"""The command line: one message for a mistake, never a traceback; nothing written on a dry run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from hinterland.core.cli import cli


def hinterland(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-m", "hinterland.core.cli", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    "command",
    ["demo", "curate", "audit", "debias", "index", "ask", "serve", "adapt", "eval", "init"],
)
def test_every_command_has_help(command: str) -> None:
    result = CliRunner().invoke(cli, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_an_unknown_key_is_refused_with_the_nearest(tmp_path: Path) -> None:
    done = hinterland("demo", "--set", "adapt.stepz=3", "--dry-run", cwd=tmp_path)
    assert done.returncode == 1
    assert "unknown key 'adapt.stepz'" in done.stderr
    assert "did you mean 'steps'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_value_names_the_key(tmp_path: Path) -> None:
    done = hinterland("demo", "--set", "places=3", "--dry-run", cwd=tmp_path)
    assert done.returncode == 1
    assert "places" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dry_run_says_what_it_costs_and_writes_nothing(tmp_path: Path) -> None:
    done = hinterland("demo", "--quick", "--dry-run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["config"]["quick"] is True
    assert plan["config"]["places"] == 26
    assert plan["seconds"] == sum(step["seconds"] for step in plan["steps"]) > 0
    assert list(tmp_path.iterdir()) == []


def test_a_missing_config_is_named(tmp_path: Path) -> None:
    done = hinterland("curate", "nowhere.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert "nowhere.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_without_a_corpus_is_named(tmp_path: Path) -> None:
    done = hinterland("audit", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 1
    assert "nothing to read in here" in done.stderr
    assert "Traceback" not in done.stderr


def test_init_writes_starters_and_keeps_what_is_there(tmp_path: Path) -> None:
    target = tmp_path / "configs"
    target.mkdir()
    (target / "curate.yaml").write_text("mine: true\n")
    result = CliRunner().invoke(cli, ["init", str(target)])
    assert result.exit_code == 0, result.output
    assert (target / "curate.yaml").read_text() == "mine: true\n"
    assert (target / "adapt.yaml").is_file()
    assert "kept" in result.output


def test_an_unwritable_folder_ends_in_a_message(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    done = hinterland("demo", "--quick", "--out", str(file / "below"), cwd=tmp_path)
    assert done.returncode == 1
    assert "a file stands where a folder is needed" in done.stderr
    assert "Traceback" not in done.stderr

"""The commands: a config in, JSON-able results and a few lines of text out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hinterland.core.config import load_config, parse_config
from hinterland.core.corpus import Corpus
from hinterland.core.errors import ConfigError, CorpusError
from hinterland.indexes import command, search_command

STARTER = Path(command.__file__).parents[1] / "configs" / "index.yaml"


def test_build_then_search(corpus: Corpus, tmp_path: Path) -> None:
    overrides = [f"corpus={corpus.path}", f"out={tmp_path / 'index'}"]
    config = load_config(command.CommandConfig, STARTER, overrides)
    planned = command.plan(config)
    assert planned["documents"] == planned["chunks_estimated"] == 7
    assert planned["factory"] == "Flat"
    assert not (tmp_path / "index").exists()
    result = command.run(config)
    json.dumps(result)
    assert result["chunks"] == 7
    assert "7 chunks of 7 documents" in command.render(result)

    asked = parse_config(
        search_command.CommandConfig,
        {"index": tmp_path / "index", "query": "capital of Iceland", "queries": ["yen"], "k": 8},
    )
    assert search_command.plan(asked)["queries"] == 2
    found = search_command.run(asked)
    json.dumps(found)
    text = search_command.render(found)
    assert text.splitlines()[0] == "capital of Iceland"
    assert "1. " in text
    assert "Iceland › Government" in text.splitlines()[1]
    assert "8 asked for, 7 found" in text


def test_what_was_left_out_is_said() -> None:
    result = {
        "index": "x", "version": "v", "factory": "Flat", "dimension": 4, "bytes": 1, "seconds": 1.0,
        "documents": 3, "chunks": 2, "empty": 1, "sentences_cut": 2, "titles_cut": 0,
    }  # fmt: skip
    assert command.render(result).splitlines()[2:] == [
        "  1 documents without text left out",
        "  2 sentences longer than a chunk cut between words",
    ]


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no query"):
        search_command.run(parse_config(search_command.CommandConfig, {"index": tmp_path}))
    with pytest.raises(CorpusError, match="no corpus here"):
        command.plan(parse_config(command.CommandConfig, {"corpus": tmp_path, "out": tmp_path}))
    with pytest.raises(ConfigError, match="did you mean 'factory'"):
        parse_config(command.CommandConfig, {"corpus": "a", "out": "b", "factroy": "Flat"})

"""The commands: a config in, JSON-able results and a few lines of text out."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hinterland.core.config import load_config, parse_config
from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.errors import ConfigError, CorpusError
from hinterland.indexes import command, search_command
from hinterland.indexes.bundle import CHUNKS, open_bundle

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
        "by": "sentences",
    }  # fmt: skip
    assert command.render(result).splitlines()[2:] == [
        "  1 documents without text left out",
        "  2 sentences longer than a chunk cut between words",
    ]


def test_windows_cut_sentences_that_are_short(tmp_path: Path) -> None:
    text = "The capital of Peru is Lima. The yen is the money of Japan. Copper comes from Peru and Chile."
    corpus = write_corpus(tmp_path / "corpus", pa.table({"id": ["one"], "text": [text]}))
    given = {"by": "tokens", "tokens": 12}
    config = parse_config(
        command.CommandConfig, {"corpus": corpus.path, "out": tmp_path / "index", "chunking": given}
    )
    result = command.run(config)
    windows = pq.read_table(open_bundle(tmp_path / "index").folder / CHUNKS)["text"].to_pylist()
    whole = [any(sentence in window for window in windows) for sentence in text.split(". ")]
    assert result["sentences_cut"] == whole.count(False) > 0
    said = f"  {result['sentences_cut']} sentences that no window holds whole"
    assert said in command.render(result).splitlines()


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no query"):
        search_command.run(parse_config(search_command.CommandConfig, {"index": tmp_path}))
    with pytest.raises(CorpusError, match="no corpus here"):
        command.plan(parse_config(command.CommandConfig, {"corpus": tmp_path, "out": tmp_path}))
    with pytest.raises(ConfigError, match="did you mean 'factory'"):
        parse_config(command.CommandConfig, {"corpus": "a", "out": "b", "factroy": "Flat"})

"""`search:` of a build: an index's own way to rank, refused before anything is embedded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from letter_embedder import LetterEmbedder
from ranked_passages import publish_passages

from hinterland.core.cli import cli
from hinterland.core.config import load_config, parse_config
from hinterland.core.corpus import Corpus
from hinterland.core.errors import ConfigError, HinterlandError, ModelSourceError
from hinterland.indexes import command
from hinterland.indexes.build import build_index
from hinterland.indexes.bundle import open_bundle
from hinterland.indexes.embed import SentenceEmbedder
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.search import Index
from hinterland.indexes.search_config import SearchConfig

CONFIGS = Path(command.__file__).parents[1] / "configs"


def uncommented(tmp_path: Path) -> Path:
    """The starter config with its `search:` block switched on."""
    lines = (CONFIGS / "index.yaml").read_text("utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("# search:"))
    block = [line[2:] if line.startswith("# ") or line.startswith("#  ") else line for line in lines[first:]]
    file = tmp_path / "index.yaml"
    file.write_text("\n".join([*lines[:first], *block]), "utf-8")
    return file


def test_the_block_of_the_starter_config(corpus: Corpus, tmp_path: Path) -> None:
    given = [f"corpus={corpus.path}", f"out={tmp_path / 'index'}"]
    config = load_config(command.CommandConfig, uncommented(tmp_path), given)
    how = yaml.safe_load((CONFIGS / "search.yaml").read_text("utf-8"))["how"]
    assert config.search == SearchConfig(**how)
    assert load_config(command.CommandConfig, CONFIGS / "index.yaml", given).search is None

    result = build_index(
        corpus, tmp_path / "index", LetterEmbedder(), lexical=LexicalConfig(), search=config.search
    )
    assert open_bundle(tmp_path / "index").manifest["search"] == {
        **how, "rules": [{"when": "source == 'forum'", "weight": 0.5}, how["rules"][1], {"most": 3}],
    }  # fmt: skip
    index = Index.open(tmp_path / "index", embedder=LetterEmbedder())
    assert index.how == config.search
    (found,) = index.search(["capital of Iceland"], 2)
    assert list(found[0].parts) == ["dense", "bm25", "fused", "mmr"]  # no rule fits these sources

    plain = build_index(corpus, tmp_path / "index", LetterEmbedder(), lexical=LexicalConfig())
    assert plain["version"] != result["version"]
    assert "search" not in open_bundle(tmp_path / "index").manifest


@pytest.mark.parametrize(
    ("search", "words", "error", "message"),
    [
        ({"mode": "hybrid"}, False, ConfigError, "mode hybrid needs words, and bm25 is left out"),
        ({"where": "contry == 'KEN'"}, True, ConfigError, "did you mean 'country'"),
        ({"rules": [{"when": "source =="}]}, True, ConfigError, r"search.rules\[0\].when"),
        ({"rules": [{"decay": {"half_life_years": 1, "now": "soon"}}]}, True, ConfigError, "soon"),
        ({"rerank": {"model": "/no/such/folder"}}, True, ModelSourceError, "no such model"),
    ],
)
def test_a_bad_one_fails_before_embedding(
    corpus: Corpus,
    tmp_path: Path,
    search: dict[str, Any],
    words: bool,
    error: type[HinterlandError],
    message: str,
) -> None:
    letters = LetterEmbedder()
    lexical = LexicalConfig() if words else None
    how = parse_config(SearchConfig, search)
    with pytest.raises(error, match=message):
        build_index(corpus, tmp_path / "index", letters, lexical=lexical, search=how)
    assert letters.seen == 0
    assert not (tmp_path / "index" / "versions").exists()
    config = parse_config(
        command.CommandConfig,
        {"corpus": corpus.path, "out": tmp_path, "search": search, "bm25": {} if words else None},
    )
    with pytest.raises(error, match=message):
        command.plan(config)


def test_the_search_config_on_the_command_line(tmp_path: Path, embedder: SentenceEmbedder) -> None:
    root = publish_passages(tmp_path / "index", embedder)
    given = ["index", "search", str(root), "malaria at night", "--config", str(CONFIGS / "search.yaml")]

    def asked(*more: str) -> dict[str, Any]:
        ran = CliRunner().invoke(cli, [*given, *more, "--json"], catch_exceptions=False)
        assert ran.exit_code == 0
        (found,) = json.loads(ran.output)["results"]
        return dict(found)

    found = asked()
    assert found["query"] == "malaria at night"
    assert len(found["hits"]) == 5  # `k` of the file
    assert list(found["hits"][0]["parts"]) == ["dense", "bm25", "fused", "rules", "mmr"]
    other = asked("--set", "k=3", "--mode", "dense", "--where", "country == 'KEN'", "--set", "how.mmr=null")
    assert {hit["country"] for hit in other["hits"]} == {"KEN"}
    assert list(other["hits"][0]["parts"]) == ["dense", "rules"]
    file = tmp_path / "two.yaml"
    file.write_text("k: 2\n", "utf-8")
    given[-1] = str(file)
    assert len(asked()["hits"]) == 2
    assert len(asked("-k", "4")["hits"]) == 4

"""`hinterland index search`: the config in the starter file, parts and filters in what is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ranked_passages import publish_passages

from hinterland.core.config import load_config
from hinterland.core.errors import ConfigError
from hinterland.indexes import search_command
from hinterland.indexes.embed import SentenceEmbedder

STARTER = Path(search_command.__file__).parents[1] / "configs" / "search.yaml"


def test_the_starter_config(tmp_path: Path, embedder: SentenceEmbedder) -> None:
    root = publish_passages(tmp_path / "index", embedder)
    given = [f"index={root}", "k=4", "where=country == 'KEN'"]
    config = load_config(search_command.CommandConfig, STARTER, given)
    planned = search_command.plan(config)
    assert planned["how"]["mode"] == "hybrid"
    found = search_command.run(config)
    json.dumps(found)
    (result,) = found["results"]
    assert {hit["country"] for hit in result["hits"]} == {"KEN"}
    assert list(result["hits"][0]["parts"]) == ["dense", "bm25", "fused", "rules", "mmr"]
    assert result["hits"][0]["document_id"] == "s1"  # not the old forum post that is likest
    text = search_command.render(found)
    assert "fused 1.000" in text
    assert "science, CC0, 2024-05-01, KEN" in text
    assert "4 asked for, 3 found: the filter leaves 3 chunks" in text

    plain = load_config(search_command.CommandConfig, None, [f"index={root}", "query=x", "how.mode=bm25"])
    assert search_command.run(plain)["results"][0]["note"].endswith("shares a word with the query")
    with pytest.raises(ConfigError, match="did you mean 'country'"):
        search_command.run(
            load_config(search_command.CommandConfig, STARTER, [*given[:2], "where=contry == 'X'"])
        )

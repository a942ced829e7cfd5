"""`hinterland index tune --queries --qrels`: the mix of vectors and words, written into the index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from ranked_passages import publish_passages

from hinterland.core.cli import cli
from hinterland.core.config import parse_config
from hinterland.core.errors import ConfigError, HinterlandError, IndexBundleError
from hinterland.indexes import tune_command
from hinterland.indexes.bundle import open_bundle
from hinterland.indexes.embed import SentenceEmbedder
from hinterland.indexes.search import Index
from hinterland.indexes.search_config import FusionConfig, SearchConfig
from hinterland.indexes.versions import versions

QUERIES = {"a": "malaria mosquitoes at night", "b": "chloroquine", "gone": "volcano", "unjudged": "x"}
QRELS = [("a", "f3", 1), ("a", "f1", 1), ("b", "s2", 2), ("gone", "not there", 1), ("unjudged", "f1", 0)]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    queries, qrels = tmp_path / "queries.jsonl", tmp_path / "test.tsv"
    queries.write_text(
        "".join(json.dumps({"_id": name, "text": text}) + "\n" for name, text in QUERIES.items()), "utf-8"
    )
    lines = ["query-id\tcorpus-id\tscore", *(f"{one}\t{two}\t{grade}" for one, two, grade in QRELS)]
    qrels.write_text("\n".join(lines) + "\n", "utf-8")
    return queries, qrels


def test_the_mix_is_written_and_searched_with(
    tmp_path: Path, embedder: SentenceEmbedder, files: tuple[Path, Path]
) -> None:
    root = publish_passages(tmp_path / "index", embedder, search={"depth": 7, "rules": [{"most": 2}]})
    before = open_bundle(root)
    given = ["index", "tune", str(root), "--queries", str(files[0]), "--qrels", str(files[1]), "--json"]
    dry = CliRunner().invoke(cli, [*given, "--dry-run"], catch_exceptions=False)
    assert (json.loads(dry.output)["judged_queries"], json.loads(dry.output)["weights_tried"]) == (3, 21)
    assert open_bundle(root).version == before.version
    ran = CliRunner().invoke(cli, given, catch_exceptions=False)
    assert ran.exit_code == 0
    result = json.loads(ran.output)

    after = open_bundle(root)
    assert after.manifest["files"] == before.manifest["files"]
    assert [each["version"] for each in versions(root)] == [after.version, before.version]
    made = after.manifest["fusion_tuning"]
    means = {point["dense"]: point["estimate"] for point in made["points"]}
    assert len(means) == 21
    assert (made["metric"], made["queries"], made["left_out"]) == ("ndcg@10", 2, 1)
    best = [weight for weight, mean in means.items() if mean > max(means.values()) - 1e-9]
    chosen = min(best, key=lambda weight: abs(weight - 0.5))
    fusion = FusionConfig(method="convex", dense=chosen)
    assert made["chosen"] == fusion.model_dump(mode="json")
    assert after.manifest["search"] == {
        "mode": "hybrid", "depth": 7, "rules": [{"most": 2}], "fusion": made["chosen"],
    }  # fmt: skip
    assert result["fusion_tuning"] == made
    text = tune_command.render(result)
    assert f"{chosen:g} of vectors is best in ndcg@10 on 2 judged queries" in text
    assert "1 queries left out" in text
    assert sum(line.startswith("* ") for line in text.splitlines()) == 1

    index = Index.open(root, embedder=embedder)
    assert index.how == SearchConfig(mode="hybrid", depth=7, rules=({"most": 2},), fusion=fusion)  # type: ignore[arg-type]
    (found,) = index.search(["chloroquine"], 1)
    assert list(found[0].parts)[:3] == ["dense", "bm25", "fused"]


def test_what_the_user_set_stays(
    tmp_path: Path, embedder: SentenceEmbedder, files: tuple[Path, Path]
) -> None:
    set_by_user = {"mode": "bm25", "fusion": {"method": "rrf", "k": 10}}
    root = publish_passages(tmp_path / "index", embedder, search=set_by_user, factory="HNSW8")
    config = parse_config(
        tune_command.CommandConfig, {"index": root, "recall": 0.5, "queries": files[0], "qrels": files[1]}
    )
    text = tune_command.render(tune_command.run(config))
    assert "the index ranks by mode bm25" in text
    assert "keeps recall@10 of 0.5" in text
    search = open_bundle(root).manifest["search"]
    assert search["mode"] == "bm25"
    assert (search["fusion"]["method"], search["fusion"]["k"]) == ("rrf", 10)
    assert open_bundle(root).manifest["tuning"]["met"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"queries": None}, ConfigError, "qrels without queries"),
        ({"check": True}, ConfigError, "no use for qrels"),
        ({"qrels": "none.tsv"}, ConfigError, "judgements cannot be read"),
        ({"qrels": "other.tsv"}, ConfigError, "none of 4 queries has a relevant document"),
        ({"qrels": "foreign.tsv"}, ConfigError, "none of the relevant documents is in the index"),
        ({"index": "wordless"}, IndexBundleError, r"built without words \(bm25\)"),
    ],
)
def test_what_cannot_be_tuned(
    tmp_path: Path,
    embedder: SentenceEmbedder,
    files: tuple[Path, Path],
    change: dict[str, object],
    error: type[HinterlandError],
    message: str,
) -> None:
    for name, words in (("index", True), ("wordless", False)):
        publish_passages(tmp_path / name, embedder, words=words)
    (tmp_path / "other.tsv").write_text("query-id\tcorpus-id\tscore\nz\tf1\t1\n", "utf-8")
    (tmp_path / "foreign.tsv").write_text("query-id\tcorpus-id\tscore\na\tzz\t1\n", "utf-8")
    values: dict[str, object] = {"index": "index", "queries": files[0].name, "qrels": files[1].name}
    given = {
        key: tmp_path / value if isinstance(value, str) else value
        for key, value in {**values, **change}.items()
    }
    config = parse_config(tune_command.CommandConfig, given)
    version = open_bundle(config.index).version
    with pytest.raises(error, match=message):
        tune_command.run(config)
    assert open_bundle(config.index).version == version

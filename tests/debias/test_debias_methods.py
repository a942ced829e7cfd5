"""``hinterland debias`` by each method, on a corpus on disk: what is written, said and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hinterland.core.config import load_config, parse_config
from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.errors import ConfigError, CorpusError, HinterlandError
from hinterland.core.places import by_iso3, region_of
from hinterland.curate.debias import command
from hinterland.curate.debias.command import CommandConfig

SIZE = 1200
#: What the audits need not look at here.
_FAST = {"locate": None, "curves": [], "examples": 0, "reference": "none"}


def documents(seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    codes = rng.choice([*sorted(by_iso3())[:60], None], SIZE)
    score = rng.random(SIZE)
    keep = score > 0.4
    return pa.table(
        {
            "id": [f"d{i:05d}" for i in range(SIZE)],
            "text": [" ".join(["w"] * int(n)) for n in rng.integers(1, 30, SIZE)],
            "country": pa.array(codes.tolist(), pa.string()),
            "source": rng.choice(["web", "news", "law"], SIZE, p=[0.7, 0.2, 0.1]).tolist(),
            "lang": rng.choice(["eng", "swa"], SIZE, p=[0.9, 0.1]).tolist(),
            "quality.score": score,
            "keep": keep,
            "reasons": pa.array(
                [
                    [] if kept else (["exact_dup.copy"] if i % 7 == 0 else ["quality.low"])
                    for i, kept in enumerate(keep)
                ],
                pa.list_(pa.string()),
            ),
            "weight": keep.astype(float),
        }
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("methods") / "c"
    write_corpus(path, documents(), rows_per_shard=500)
    return path


def run(corpus: Path, out: Path, **values: Any) -> tuple[dict[str, Any], pa.Table, pa.Table]:
    given = {
        "corpus": str(corpus),
        "out": str(out),
        "resamples": 100,
        "groups": ["region"],
        **_FAST,
        **values,
    }
    result = command.run(parse_config(CommandConfig, given))
    json.dumps(result)
    assert command.render(result)
    return result, Corpus.open(corpus).read(), Corpus.open(out / "corpus").read()


def numbers(table: pa.Table, column: str) -> np.ndarray:
    return np.array(table[column].to_pylist())


def test_rake_writes_weights(corpus: Path, tmp_path: Path) -> None:
    result, before, after = run(
        corpus,
        tmp_path / "out",
        method="rake",
        quality="quality.score",
        rake={"margins": {"lang": {"eng": 0.7, "swa": 0.3}, "source": {"web": 2, "news": 1, "law": 1}}},
    )
    weight, kept = numbers(after, "weight"), numbers(before, "keep")
    assert weight.sum() == pytest.approx(kept.sum())
    assert (weight > 0).tolist() == numbers(after, "keep").tolist() == kept.tolist()
    langs = numbers(after, "lang")
    assert weight[langs == "swa"].sum() / weight.sum() == pytest.approx(0.3, abs=1e-5)
    assert after["text"].equals(before["text"])
    assert after["reasons"].to_pylist() == before["reasons"].to_pylist()
    assert result["converged"]
    assert result["cost"]["share_lost"] == 0
    assert result["cost"]["largest_repeat"] > 1
    assert result["cost"]["effective_sample_size"] < kept.sum()
    assert "lang" in result["margins"]
    manifest = Corpus.open(tmp_path / "out" / "corpus").manifest
    assert manifest["debias"]["method"] == "rake"
    assert len(manifest["shards"]) == 3
    folder = tmp_path / "out" / "audit"
    assert (folder / "compare.html").is_file()
    assert json.loads((folder / "debias.json").read_text())["margins"] == result["margins"]
    assert (folder / "debias.txt").read_text().startswith("Weights from 0 to 5")
    # Repeated documents are not "kept" more than once: every one is audited as it was.
    assert result["worst"]["region"][0] == result["worst"]["region"][1]
    assert "each once, whatever its weight" in command.render(result)


def test_rake_to_a_file_and_to_population(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "langs.csv").write_text("lang,share\neng,80\nswa,20\n")
    regions = sorted({region_of(code) for code in by_iso3()})
    rows = "".join(f"{code},{i + 1},0.5\n" for i, code in enumerate(sorted(by_iso3())))
    (tmp_path / "people.csv").write_text("iso3,population,internet_share\n" + rows)
    common = {"method": "rake", "covariates": str(tmp_path / "people.csv")}
    result, _, _ = run(
        corpus,
        tmp_path / "out",
        rake={
            "margins": {"region": "population", "lang": str(tmp_path / "langs.csv")},
            "max_weight": 50,
        },
        **common,
    )
    shares = {row["group"]: row["reference"] for row in result["margins"]["region"]}
    people = dict.fromkeys(regions, 0)
    for i, code in enumerate(sorted(by_iso3())):
        people[region_of(code)] += i + 1
    known = sum(people.values()) - people.get("unknown", 0)
    assert shares["Africa"] == pytest.approx(people["Africa"] / known, rel=1e-6)
    assert {row["group"]: row["after"] for row in result["margins"]["lang"]}["swa"] == pytest.approx(0.2)
    assert any("are in no group of the reference of region" in note for note in result["notes"])
    online, _, _ = run(
        corpus,
        tmp_path / "online",
        rake={"margins": {"region": "internet_users"}, "max_weight": 50},
        **common,
    )
    assert {r["group"]: r["reference"] for r in online["margins"]["region"]}["Africa"] == pytest.approx(
        shares["Africa"]
    )


def test_quota_and_cap_by_source(corpus: Path, tmp_path: Path) -> None:
    result, before, after = run(
        corpus,
        tmp_path / "quota",
        method="quota",
        quality="quality.score",
        quota={"wanted": {"web": 50, "law": 5000}},
    )
    keep, source = numbers(after, "keep"), numbers(after, "source")
    assert keep[source == "web"].sum() == 50
    scores = numbers(after, "quality.score")
    was = numbers(before, "keep")
    assert scores[keep & (source == "web")].min() >= scores[was & ~keep & (source == "web")].max()
    assert list(result["unmet"]) == ["law"]
    gone = after.filter(pa.array(was & ~keep))
    assert set(gone["debias"].to_pylist()) == {"removed"}
    assert {tuple(each) for each in gone["reasons"].to_pylist()} == {("debias.quota",)}
    capped, _, after = run(corpus, tmp_path / "cap", method="cap", cap={"share": 0.45})
    counts = [numbers(after, "keep")[source == name].sum() for name in ("web", "news", "law")]
    assert max(counts) / sum(counts) <= 0.45 + 1 / sum(counts)
    assert capped["cost"]["tokens_removed"] > 0


def test_quota_readmits(corpus: Path, tmp_path: Path) -> None:
    table = Corpus.open(corpus).read()
    harm = np.where(numbers(table, "keep"), 0.0, 1 - numbers(table, "quality.score"))
    write_corpus(tmp_path / "c", table.append_column("harm", pa.array(harm)))
    result, before, after = run(
        tmp_path / "c", tmp_path / "out", method="quota", severity="harm",
        quota={"wanted": {"law": 1000}, "readmit": True},
    )  # fmt: skip
    keep, was = numbers(after, "keep"), numbers(before, "keep")
    law = numbers(after, "source") == "law"
    copies = np.array(["exact_dup.copy" in each for each in before["reasons"].to_pylist()])
    assert keep[law].tolist() == (~copies[law]).tolist()
    assert keep[~law].tolist() == was[~law].tolist()
    assert result["cost"]["documents_readmitted"] == (law & keep & ~was).sum()


def test_pareto_draws(corpus: Path, tmp_path: Path) -> None:
    result, before, after = run(
        corpus, tmp_path / "out", method="pareto", pareto={"alpha": 3, "inverse": True}, seed=1
    )
    keep, weight = numbers(after, "keep"), numbers(after, "weight")
    assert 0 < keep.sum() < numbers(before, "keep").sum()
    scores = numbers(after, "quality.score")
    assert weight[keep] == pytest.approx((2 - scores[keep]) ** 3)
    assert result["settings"] == {"alpha": 3.0, "seed": 1, "inverse": True}
    assert all(row["wanted"] <= row["kept_before"] for row in result["groups"].values())
    write_corpus(tmp_path / "turned", Corpus.open(corpus).read().take(pa.array(np.arange(SIZE)[::-1])))
    _, _, turned = run(
        tmp_path / "turned", tmp_path / "t", method="pareto", pareto={"alpha": 3, "inverse": True}, seed=1
    )
    assert numbers(turned, "keep")[::-1].tolist() == keep.tolist()


def test_a_score_without_rules_or_decisions(tmp_path: Path) -> None:
    table = documents().drop_columns(["keep", "reasons", "weight"])
    write_corpus(tmp_path / "c", table, rows_per_shard=700)
    result, _, after = run(tmp_path / "c", tmp_path / "out", score="quality.score", rate=0.5, mode="rate")
    keep = numbers(after, "keep")
    region = np.array([region_of(code) for code in after["country"].to_pylist()])
    for name in set(region) - {"unknown"}:
        if (region == name).sum() >= 30:
            assert keep[region == name].mean() == pytest.approx(0.5, abs=1 / (region == name).sum())
    assert result["groups"]["Africa"]["score"] > 0
    assert "Thresholds of the score:" in command.render(result)
    change = np.array(after["debias"].to_pylist(), dtype=object)
    assert (change == "removed").sum() == result["cost"]["documents_removed"]
    assert (change == "readmitted").sum() == result["cost"]["documents_readmitted"] > 0
    assert set(map(tuple, after.filter(pa.array(~keep))["reasons"].to_pylist())) == {("debias.equalize",)}
    plan = command.plan(
        parse_config(CommandConfig, {"corpus": str(tmp_path / "c"), "score": "quality.score", "rate": 0.5})
    )
    assert (plan["decided"], plan["rules"], plan["method"]) == (False, 0, "equalize")
    counted, _, _ = run(
        tmp_path / "c", tmp_path / "n", method="cap", cap={"most": 20}, tokens="quality.score"
    )
    assert counted["cost"]["documents_removed"] > 0


def test_a_score_leaves_out_what_other_filters_drop(corpus: Path, tmp_path: Path) -> None:
    result, before, after = run(
        corpus, tmp_path / "out", score="quality.score", threshold=0.4, mode="readmit"
    )
    copies = np.array(["exact_dup.copy" in each for each in before["reasons"].to_pylist()])
    note = f"other filters than quality keep: {copies.sum()} documents that they drop stay out"
    assert any(note in each for each in result["notes"])
    assert not numbers(after, "keep")[copies].any()
    assert (numbers(after, "keep") & ~numbers(before, "keep")).any()


def test_keys_on_the_command_line(corpus: Path) -> None:
    config = load_config(
        CommandConfig,
        None,
        [f"corpus={corpus}", "method=rake", "rake.margins.region=population", "rake.max_weight=3"],
    )
    assert config.rake.margins == {"region": "population"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"method": "rake"}, "method rake needs rake.margins"),
        ({"method": "quota"}, "method quota needs either"),
        ({"method": "cap"}, "method cap needs"),
        ({"method": "weigh"}, "Input should be 'equalize'"),
        ({"score": "x"}, "either rate"),
        ({"rate": 0.5}, "go with score"),
        ({"score": "x", "rate": 0.5, "quality": "y"}, "stands for severity and quality"),
        ({"method": "rake", "rake": {"margns": {}}}, "did you mean 'margins'"),
    ],
)
def test_bad_configs(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(CommandConfig, {"corpus": "c", **values})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"method": "rake", "rake": {"margins": {"region": "populaton"}}}, "did you mean 'population'"),
        (
            {"method": "rake", "rake": {"margins": {"langg": {"eng": 1}}}},
            r"no grouping 'langg' \(rake\.margins\)\n.*did you mean 'lang'",
        ),
        ({"method": "cap", "cap": {"by": "publisher", "most": 3}}, r"'publisher' \(cap\.by\)"),
        (
            {"method": "quota", "quota": {"by": "publisher", "wanted": {"a": 3}}},
            r"'publisher' \(quota\.by\)",
        ),
        (
            {"group": "regoin", "score": "quality.score", "rate": 0.5},
            r"'regoin' \(group\)\n.*did you mean 'region'",
        ),
        ({"method": "rake", "rake": {"margins": {"lang": {"deu": 1}}}}, "no group with documents"),
        ({"method": "rake", "rake": {"margins": {"lang": "population"}}}, "not made of countries"),
        ({"method": "pareto", "pareto": {"column": "nope"}}, "no column 'nope'"),
        ({"method": "pareto", "pareto": {"column": "source"}}, "holds no numbers"),
        ({"method": "cap", "cap": {"share": 0.2}}, "cannot each have at most"),
        ({"method": "quota", "quota": {"wanted": {"wbe": 1}}}, "did you mean 'web'"),
        ({"method": "cap", "cap": {"most": 1}, "tokens": "n"}, "no column 'n'"),
        ({"method": "cap", "cap": {"most": 1}, "clusters": "n"}, "no column 'n'"),
    ],
)
def test_what_a_corpus_has_not(corpus: Path, tmp_path: Path, values: dict[str, Any], message: str) -> None:
    people = "iso3,population\nKEN,5\nPER,3\nUSA,9\n"
    (tmp_path / "people.csv").write_text(people)
    with pytest.raises(HinterlandError, match=message):
        run(corpus, tmp_path / "out", covariates=str(tmp_path / "people.csv"), **values)
    assert not (tmp_path / "out" / "corpus" / "manifest.json").exists()


def test_no_place_none_kept_and_nothing_there(tmp_path: Path) -> None:
    table = documents()
    nowhere = table.set_column(table.column_names.index("country"), "country", pa.nulls(SIZE, pa.string()))
    write_corpus(tmp_path / "nowhere", nowhere)
    scored = {"score": "quality.score", "rate": 0.5}
    result, _, _ = run(tmp_path / "nowhere", tmp_path / "o1", **scored)
    assert "No document has a known region" in command.render(result)
    none = table.set_column(
        table.column_names.index("keep"), "keep", pa.array(np.zeros(SIZE, bool))
    ).set_column(table.column_names.index("weight"), "weight", pa.array(np.zeros(SIZE)))
    write_corpus(tmp_path / "none", none)
    with pytest.raises(CorpusError, match="weights sum to 0"):
        run(tmp_path / "none", tmp_path / "o2", method="rake", rake={"margins": {"lang": {"eng": 1}}})
    capped, _, _ = run(tmp_path / "none", tmp_path / "o3", method="cap", cap={"most": 5})
    assert capped["cost"]["tokens_after"] == 0
    write_corpus(tmp_path / "empty", table.slice(0, 0))
    empty, _, after = run(tmp_path / "empty", tmp_path / "o4", **scored)
    assert after.num_rows == 0
    assert "There is no document." in command.render(empty)


@pytest.mark.parametrize("decided", [True, False])
def test_documents_without_a_country_are_placed_first(tmp_path: Path, decided: bool) -> None:
    hosts = ["ke"] * 60 + ["pe"] * 40
    table = pa.table(
        {
            "id": [f"d{i:03d}" for i in range(100)],
            "text": ["some words here"] * 100,
            "url": [f"https://www.example.co.{tld}/{i}" for i, tld in enumerate(hosts)],
            "quality.score": np.linspace(0, 1, 100),
        }
    )
    if decided:
        table = table.append_column("keep", pa.array([True] * 100))
        table = table.append_column("reasons", pa.array([[]] * 100, pa.list_(pa.string())))
    # Several shards are placed side by side, a single one here.
    write_corpus(tmp_path / "c", table, rows_per_shard=40 if decided else 100)
    result, _, after = run(
        tmp_path / "c", tmp_path / "out", locate={}, method="rake",
        rake={"margins": {"region": {"Africa": 1, "Americas": 1}}},
    )  # fmt: skip
    assert set(after["country"].to_pylist()) == {"KEN", "PER"}
    assert numbers(after, "weight")[60:].sum() == pytest.approx(50)
    assert set(after["geo_from"].to_pylist()) != {None}
    assert {row["group"]: row["after"] for row in result["margins"]["region"]}["Africa"] == pytest.approx(0.5)
    assert Corpus.open(tmp_path / "out" / "corpus").manifest["cards"]["places"] == {"by": "debias"}

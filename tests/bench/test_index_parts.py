"""The parts of bench/index.py that need no peer: texts, rankings, ratios, missing data."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import index
import pytest
from index_parts.building import FLOOR, Builds, ratio
from index_parts.collection import (
    Collection,
    MissingDataError,
    document_of,
    ranked_documents,
    read_collection,
)
from index_parts.searching import Searches, search_row
from index_parts.systems import OURS, PEER_SETTINGS, PEERS, kit

from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder
from hinterland.indexes.tokens import FastTokenizer


@pytest.fixture(scope="module")
def tokenizer() -> FastTokenizer:
    return SentenceEmbedder(EmbedConfig(dtype="float32", device="cpu")).tokenizer


def write(folder: Path, documents: int = 30, queries: int = 6) -> Path:
    """Write a collection whose query i is answered by document i."""
    (folder / "qrels").mkdir(parents=True)
    rows = [
        {"_id": str(i), "title": f"Title {i}", "text": f"Sentence {i} of words. " * (1 + 40 * (i == 3))}
        for i in range(documents)
    ]
    with gzip.open(folder / "corpus.jsonl.gz", "wt", encoding="utf-8") as handle:
        handle.writelines(json.dumps(row) + "\n" for row in rows)
    asked = [{"_id": f"q{i}", "text": f"words {i}"} for i in range(queries)]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    lines = [f"q{i}\t{i}\t1\n" for i in range(queries)] + ["q0\t9\t0\n"]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines))
    return folder


def test_documents_are_cut_into_passages_that_fit(tokenizer: FastTokenizer, tmp_path: Path) -> None:
    found = read_collection(write(tmp_path / "c"), tokenizer, budget=64)
    assert found.documents == 30
    assert found.texts[0] == "Title 0\nSentence 0 of words."
    cut = [key for key in found.ids if document_of(key) == "3"]
    assert cut == [f"3#{number}" for number in range(len(cut))]
    assert len(cut) > 2
    assert max(len(spans) for spans in tokenizer.token_spans(found.texts)) <= 64 - tokenizer.overhead
    assert found.relevance["q0"] == {"0": 1.0}  # a relevance of 0 is none
    again = found.write(tmp_path / "passages.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in again] == list(found.texts)


def test_a_part_holds_the_answers_of_its_queries(tokenizer: FastTokenizer, tmp_path: Path) -> None:
    folder = write(tmp_path / "c")
    found = read_collection(folder, tokenizer, budget=64, documents=9)
    there = {document_of(key) for key in found.ids}
    assert len(there) == found.documents == 9
    assert len(found.queries) == 3  # a third of the documents are answers
    assert all(set(answers) <= there for answers in found.relevance.values())
    assert read_collection(folder, tokenizer, budget=64, documents=9) == found


def test_missing_files_are_named(
    tokenizer: FastTokenizer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "retrieval" / "scifact")
    (folder / "queries.jsonl").unlink()
    with pytest.raises(MissingDataError, match=r"lacks queries\.jsonl"):
        read_collection(folder, tokenizer, budget=64)
    assert index.main(["--data", str(tmp_path), "--quick"]) == 2
    assert "queries.jsonl" in capsys.readouterr().err


def test_a_document_stands_where_its_first_passage_does() -> None:
    assert ranked_documents(["a#1", "b#0", "a#0", "c#12"]) == ["a", "b", "c"]


def test_a_search_row_by_hand() -> None:
    collection = Collection(3, (), (), {"q": "?", "r": "?"}, {"q": {"b": 1.0}, "r": {"c": 1.0}})
    times = {
        "total": [10.0, 14.0],
        "encoder": [8.0, 9.0],
        "faiss": [0.5, 0.5],
        "search": [0.75, 1.25],
    }
    row = search_row("it", collection, [["a#0", "a#1", "b#0"], ["a#0"]], times)
    assert row["nDCG@10"] == pytest.approx((1 / math.log2(3) + 0) / 2)
    assert row["total p50"] == 12
    assert row["above p50"] == pytest.approx((1.5 + 4.5) / 2)
    assert row["search above FAISS p50"] == pytest.approx((0.25 + 0.75) / 2)


def test_ratios_are_of_the_same_turn() -> None:
    assert ratio([2.0, 30.0, 9.0], [1.0, 10.0, 3.0]) == 3.0
    assert ratio([1.0], None) is None


def test_a_summary_says_whether_quality_is_equal() -> None:
    builds = Builds()
    for name, walls in ((FLOOR, (1.0, 1.0)), (OURS, (2.0, 4.0)), ("txtai", (6.0, 10.0))):
        for wall in walls:
            builds.note(name, {"wall": wall, "cpu": wall / 2})
    blank = dict.fromkeys(
        ("total p50", "total p95", "above p50", "search above FAISS p50", "queries/s at once", "load s")
    )
    searches = Searches(
        [{"tool": OURS, "nDCG@10": 0.650, **blank}, {"tool": "txtai", "nDCG@10": 0.640, **blank}]
    )
    found = index.summary(builds, searches)
    assert found["txtai"]["build_ratio"] == pytest.approx((3 + 2.5) / 2)
    assert found["txtai"]["build_min_s"] == 6
    assert not found["txtai"]["equal"]
    assert found[OURS]["equal"]
    assert found[FLOOR]["ndcg"] is None
    table = builds.table(kit(tokens=64), passages=9, threads=2).markdown()
    assert "| txtai " in table


def test_every_peer_has_settings_and_a_program() -> None:
    folder = Path(index.__file__).parent / "index_parts"
    assert {peer.name for peer in PEERS} == set(PEER_SETTINGS)
    assert all((folder / peer.program).is_file() for peer in PEERS)


def test_quick_is_one_turn_over_a_few_documents() -> None:
    given = index.parsed(["--data", "x", "--quick"])
    assert (given.documents, given.turns) == (index.QUICK, 1)

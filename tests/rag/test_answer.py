"""Systems: the protocol, citations and fingerprints, over a scripted endpoint and a real index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hinterland.core.system import Passage, System
from hinterland.indexes.search import Index
from hinterland.rag.answer import CitationCounts, ClosedBook, RetrievalAugmented, cite
from hinterland.rag.prompt import CITING, PromptConfig

QUESTION = "What is the capital of Kenya?"


@pytest.fixture(scope="module")
def index(index_root: Path) -> Index:
    return Index.open(index_root)


def say(endpoint: Any, text: str) -> None:
    endpoint.replies = [endpoint.reply({"choices": [{"message": {"content": text}}]})]


def test_closed_book(endpoint: Any, make_client: Any) -> None:
    say(endpoint, "The capital of Kenya is Nairobi [1].")
    system = ClosedBook(make_client())
    assert isinstance(system, System)
    answer = system.answer(QUESTION)
    assert (answer.text, answer.passages, answer.citations) == ("Nairobi", (), ())
    assert system.name == "closed-book"


def test_retrieval_shows_and_cites(endpoint: Any, make_client: Any, index: Index) -> None:
    say(endpoint, "Nairobi [1], not Lima [9].")
    system = RetrievalAugmented(make_client(), index, k=2)
    assert isinstance(system, System)
    answer = system.answer(QUESTION)
    assert answer.text == "Nairobi, not Lima"
    assert answer.citations == (0,)
    assert answer.passages[0].document_id == "ken"
    assert (answer.passages[0].source, answer.passages[0].license) == ("Factbook", "public domain")
    prompt = endpoint.requests[0][2]["messages"][-1]["content"]
    assert "[1] Kenya › Government: The capital of Kenya is Nairobi." in prompt
    assert "[3]" not in prompt
    expected = {"answers": 1, "marked": 1, "out_of_range": 1, "attributed": 0, "uncited": 0}
    assert system.citation_counts == expected


def test_without_marks_the_passage_that_holds_the_answer_is_cited(
    endpoint: Any, make_client: Any, index: Index
) -> None:
    system = RetrievalAugmented(make_client(), index, k=4)
    say(endpoint, "Lima")
    answer = system.answer(QUESTION)
    assert [answer.passages[number].document_id for number in answer.citations] == ["per"]
    say(endpoint, "Atlantis")
    assert system.answer(QUESTION).citations == ()
    counts = system.citation_counts
    assert (counts["attributed"], counts["uncited"]) == (1, 1)


def test_only_what_fits_is_shown_and_citable(endpoint: Any, make_client: Any, index: Index) -> None:
    say(endpoint, "x [2]")
    system = RetrievalAugmented(make_client(), index, k=4, prompt=PromptConfig(passage_characters=100))
    answer = system.answer(QUESTION)
    assert len(answer.passages) == 1
    assert answer.citations == ()
    assert system.citation_counts["out_of_range"] == 1


def test_a_filter_keeps_documents_out(endpoint: Any, make_client: Any, index: Index) -> None:
    system = RetrievalAugmented(make_client(), index, k=4, allow={"per", "isl"})
    assert {passage.document_id for passage in system.retrieve(QUESTION)} == {"per", "isl"}
    nothing = RetrievalAugmented(make_client(), index, allow=[])
    assert nothing.answer(QUESTION).passages == ()
    assert "(no passages were found)" in endpoint.requests[-1][2]["messages"][-1]["content"]


def test_fingerprints_change_with_what_answers_depend_on(make_client: Any, index: Index) -> None:
    client = make_client()
    systems = [
        ClosedBook(client),
        ClosedBook(client, prompt=PromptConfig(closed_user="{question}?")),
        ClosedBook(make_client(model="other")),
        RetrievalAugmented(client, index),
        RetrievalAugmented(client, index, k=4),
        RetrievalAugmented(client, index, prompt=CITING),
        RetrievalAugmented(client, index, allow={"ken"}),
        RetrievalAugmented(client, index, allow={"per"}),
    ]
    prints = [system.fingerprint for system in systems]
    assert len(set(prints)) == len(prints)
    assert ClosedBook(client, name="other name").fingerprint == prints[0]
    assert RetrievalAugmented(client, index, allow=["ken"]).fingerprint == prints[6]


def test_cite_by_hand() -> None:
    shown = [Passage("a", "a", "one", 1.0), Passage("b", "b", "two", 0.9)]
    counts = CitationCounts()
    assert cite((2, 1), "x", "q", shown, counts) == (1, 0)
    assert cite((0, 3), "two", "q", shown, counts) == (1,)
    assert cite((), "three", "q", shown, counts) == ()
    assert counts == CitationCounts(answers=3, marked=2, out_of_range=2, attributed=1, uncited=1)

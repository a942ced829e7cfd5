"""Questions: read from facts, asked about held-out places only."""

from __future__ import annotations

import pytest

from hinterland.core.places import region_of
from hinterland.demo.factbook import Entry, load_entries, sections
from hinterland.demo.questions import FACTS, hold_out, questions

READ = {fact.name: fact.answers for fact in FACTS}


@pytest.mark.parametrize(
    ("relation", "text", "answers"),
    [
        ("capital", "Nairobi", ("Nairobi",)),
        ("capital", "Amsterdam; note - The Hague is the seat of government", ("Amsterdam",)),
        ("capital", "none", ()),
        ("official language", "English (official), Kiswahili (official), others", ("English", "Kiswahili")),
        ("official language", "Portuguese 98%", ()),
        (
            "currency",
            "Kenyan shillings (KES) per US dollar -",
            ("Kenyan shillings", "Kenyan shilling", "KES"),
        ),
        ("highest point", "Mount Kenya 5,199 m", ("Mount Kenya",)),
        ("highest point", "unnamed elevation 5 m", ()),
        ("highest point", "200 m NNW of lighthouse 85 m", ()),
        ("adjective", "Kenyan", ("Kenyan",)),
        ("internet domain", ".ke", (".ke",)),
    ],
)
def test_answers_are_read(relation: str, text: str, answers: tuple[str, ...]) -> None:
    assert READ[relation](text) == answers


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return load_entries()


def test_the_hold_out_takes_its_share_of_every_region(entries: list[Entry]) -> None:
    held_out = hold_out(entries, share=0.25, seed=0)
    assert held_out == sorted(set(held_out))
    assert held_out == hold_out(entries, share=0.25, seed=0)
    assert held_out != hold_out(entries, share=0.25, seed=1)
    assert {region_of(code) for code in held_out} >= {"Africa", "Americas", "Asia", "Europe", "Oceania"}


def test_questions_are_about_held_out_places_and_have_a_gold_document(entries: list[Entry]) -> None:
    written = {(e.code, s.name): s.text for e in entries for s in sections(e) if s.text}
    ids = {(code, name): f"{code}/{name}" for code, name in written}
    texts = {ids[place]: text for place, text in written.items()}
    held_out = set(hold_out(entries, share=0.25, seed=0))
    asked = questions(entries, countries=held_out, document_ids=ids, texts=texts)
    assert len(asked) >= 200
    assert len({q.id for q in asked}) == len(asked)
    assert {q.groups["country"] for q in asked} <= held_out
    found = [any(answer in texts[q.gold_documents[0]] for answer in q.answers) for q in asked]
    assert sum(found) == len(found), "a gold document must hold its answer"

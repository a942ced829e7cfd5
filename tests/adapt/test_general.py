from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from hinterland.adapt.general import (
    documents_of_file,
    general_documents,
    prose_paragraphs,
    reference_documents,
)
from hinterland.core.corpus import write_corpus
from hinterland.core.errors import CorpusError

PROSE = (
    "A *block* is a piece of Python program text that is executed as a **unit**. The following are blocks,\n"
    "as one can see: a module, a ``function`` body, and a class definition. Each of them is one unit of text."
)


def test_prose_is_kept_unwrapped_and_the_rest_is_not() -> None:
    text = "\n\n".join(
        [
            "Blocks\n******",
            PROSE,
            "   " + PROSE.replace("\n", "\n   "),
            "* " + PROSE,
            "Changed in version 3.2: " + PROSE,
            "assignment ::= target " + PROSE,
            "Too short.",
            PROSE.rstrip(".") + ":",
            "x = [1, 2, 3] + (4,) ** 5 % 6 == 7 and {8: 9}; " * 5 + ".",
        ]
    )
    assert prose_paragraphs(text) == [
        "A block is a piece of Python program text that is executed as a unit. The following are blocks, "
        "as one can see: a module, a function body, and a class definition. Each of them is one unit of text."
    ]


def test_topics_that_repeat_a_paragraph_give_it_once() -> None:
    other = PROSE.replace("Python", "any")
    found = reference_documents({"b": PROSE + "\n\n" + other, "a": PROSE}, size=10)
    assert [item.id for item in found] == ["python-a-0", "python-b-0"]
    assert "any program" in found[1].text


def test_python_has_enough_prose_with_it() -> None:
    found = reference_documents()
    assert len(found) > 60
    assert sum(len(item.text) for item in found) > 50_000
    assert len({item.id for item in found}) == len(found)
    assert not any("::=" in item.text or "\n " in item.text for item in found)


def test_a_choice_depends_on_the_seed_alone() -> None:
    first = general_documents(None, count=5, seed=1)
    assert len(first) == 5
    assert first == general_documents(None, count=5, seed=1) != general_documents(None, count=5, seed=2)


def test_a_file_or_a_corpus_of_the_users(tmp_path: Path) -> None:
    file = tmp_path / "news.txt"
    file.write_text("One line.\n\n\nAnother, longer line.\n\nA third.\n", encoding="utf-8")
    assert [item.text for item in documents_of_file(file, size=20)] == [
        "One line.\n\nAnother, longer line.",
        "A third.",
    ]
    assert len(general_documents(file, count=9, seed=0)) == 1
    corpus = write_corpus(tmp_path / "c", pa.table({"id": ["a", "b"], "text": ["some text", " "]}))
    assert [item.id for item in general_documents(corpus.path, count=9, seed=0)] == ["a"]


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot read the general text: No such file"):
        general_documents(tmp_path / "none.txt", count=1, seed=0)
    binary = tmp_path / "binary.txt"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CorpusError, match="not UTF-8"):
        general_documents(binary, count=1, seed=0)
    empty = tmp_path / "empty.txt"
    empty.write_text(" \n\n ", encoding="utf-8")
    with pytest.raises(CorpusError, match="empty"):
        general_documents(empty, count=1, seed=0)

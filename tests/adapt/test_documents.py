from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from hinterland.adapt.documents import (
    Document,
    choose_countries,
    hash_documents,
    read_documents,
    sample_documents,
    split_documents,
)
from hinterland.core.corpus import write_corpus
from hinterland.core.errors import ConfigError, CorpusError
from hinterland.core.places import subregion_of


def corpus(path: Path, **columns: list[object]) -> Path:
    table = pa.table({"id": ["a", "b", "c"], "text": ["one", "two", "three"], **columns})
    return write_corpus(path, table).path


def test_weights_and_decisions_are_read(tmp_path: Path) -> None:
    from hinterland.core.corpus import Corpus

    path = corpus(
        tmp_path / "c", weight=[0.5, 2.0, 1.0], keep=[True, True, False], country=["KEN", None, "PER"]
    )
    assert read_documents(Corpus.open(path)) == [
        Document("a", "one", 0.5, "KEN"),
        Document("b", "two", 2.0, None),
        Document("c", "three", 0.0, "PER"),
    ]
    plain = read_documents(Corpus.open(corpus(tmp_path / "plain")))
    assert [item.weight for item in plain] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), None])
def test_a_bad_weight_is_refused(tmp_path: Path, weight: float | None) -> None:
    from hinterland.core.corpus import Corpus

    path = corpus(tmp_path / "c", weight=[1.0, weight, 1.0])
    with pytest.raises(CorpusError, match="document b has weight"):
        read_documents(Corpus.open(path))


def test_held_out_by_id_and_country_with_what_was_left_out_counted(documents: list[Document]) -> None:
    twin = Document("twin", documents[0].text, 1.0, "JPN")
    extra = [twin, Document("off", "some text", 0.0, "PER"), Document("blank", "  \n", 1.0, "PER")]
    split = split_documents([*documents, *extra], ids=["d1"], countries=["KEN"])
    assert {item.id for item in split.held_out} == {"d0", "d4", "d8", "d1"}
    assert not {item.country for item in split.train} & {"KEN"}
    assert (split.duplicates, split.unweighted, split.empty) == (1, 1, 1)
    assert len(split.train) == len(documents) - 4


def test_a_hold_out_that_names_nothing_is_refused(documents: list[Document]) -> None:
    with pytest.raises(ConfigError, match="no document has document id 'd99'") as caught:
        split_documents(documents, ids=["d99"])
    assert "did you mean 'd9'" in str(caught.value)
    with pytest.raises(ConfigError, match="country 'FRA'"):
        split_documents(documents, countries=["FRA"])
    with pytest.raises(CorpusError):
        split_documents(documents, countries=["XXX"])
    with pytest.raises(ConfigError, match="no document is left to train on"):
        split_documents(documents, countries=["KEN", "PER", "ISL", "JPN"])


def test_chosen_countries_take_turns_between_subregions() -> None:
    codes = ["KEN", "TZA", "UGA", "RWA", "PER", "CHL", "ISL", "NOR", "JPN", "KOR"]
    documents = [Document(code, code, 1.0, code) for code in codes]
    groups = {subregion_of(code) for code in codes}
    chosen = choose_countries(documents, len(groups), seed=3)
    assert {subregion_of(code) for code in chosen} == groups
    assert chosen == choose_countries(documents[::-1], len(groups), seed=3)
    assert len({choose_countries(documents, 3, seed=seed) for seed in range(9)}) > 1
    assert choose_countries(documents, 99, seed=0) == set(codes)


def test_a_sample_gives_every_country_its_turn() -> None:
    documents = [Document(f"k{number}", "x", 1.0, "KEN") for number in range(50)]
    documents += [Document("p", "x", 1.0, "PER"), Document("n", "x", 1.0, None)]
    chosen = sample_documents(documents, 6, seed=1)
    assert [item.id for item in chosen if not item.id.startswith("k")] == ["p", "n"]
    assert len(chosen) == 6
    assert chosen == sample_documents(documents, 6, seed=1)
    assert len(sample_documents(documents, 500, seed=1)) == 52


def test_the_hash_covers_ids_texts_weights_and_order(documents: list[Document]) -> None:
    whole = hash_documents(documents)
    assert whole == hash_documents(list(documents))
    assert whole != hash_documents(documents[::-1])
    assert whole != hash_documents([Document("d0", documents[0].text, 9.0), *documents[1:]])

"""The broken corpus: everything in it is accounted for, and what is good beside the damage survives."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import damage
import pytest

from hinterland.core.corpus import Corpus
from hinterland.core.engine import LocalEngine
from hinterland.core.errors import CorpusError
from hinterland.curate.read import ReadConfig, ReadResult, read_corpus

CONFIG = ReadConfig(max_document_bytes=damage.MAX_DOCUMENT_BYTES)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("damage") / "broken"
    damage.write_all(folder)
    return folder


@pytest.fixture(scope="module")
def result(broken: Path) -> ReadResult:
    out = broken.with_name("out")
    return read_corpus([broken], out, CONFIG, engine=LocalEngine(), work=out / "work")


def _kind(folder: Path, file: str) -> str:
    return Path(file).relative_to(folder).parts[0]


def test_there_are_at_least_fifty_kinds_of_damage() -> None:
    assert len(damage.KINDS) >= 50
    assert len({kind.name for kind in damage.KINDS}) == len(damage.KINDS)


def test_each_damage_is_in_the_ledger_for_what_it_is(broken: Path, result: ReadResult) -> None:
    ledger = [json.loads(line) for line in result.rejects.read_text().splitlines()]
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in ledger:
        found[_kind(broken, entry["file"])][entry["reason"]] += 1
    expected = {kind.name: kind.reasons for kind in damage.KINDS if kind.reasons and damage.possible(kind)}
    assert {name: dict(reasons) for name, reasons in found.items()} == expected
    assert Counter(entry["reason"] for entry in ledger) == result.reasons


def test_nothing_disappears(result: ReadResult) -> None:
    ledger = [json.loads(line) for line in result.rejects.read_text().splitlines()]
    corpus = Corpus.open(result.corpus)
    assert result.counts["in"] == result.counts["read"] + result.counts["rejected"]
    assert result.counts["rejected"] == sum(entry["documents"] for entry in ledger)
    assert result.counts["read"] == len(corpus) == corpus.read().num_rows
    assert corpus.manifest["counts"] == result.counts


@pytest.mark.parametrize("kind", damage.KINDS, ids=lambda kind: str(kind.name))
def test_what_is_good_survives(kind: damage.Kind, tmp_path: Path) -> None:
    if not damage.possible(kind):
        pytest.skip("root may read everything")
    (tmp_path / "in").mkdir()
    kind.write(tmp_path / "in")
    result = read_corpus([tmp_path / "in"], tmp_path, CONFIG, engine=LocalEngine(), work=tmp_path / "work")
    table = Corpus.open(result.corpus).read()
    texts = table["text"].to_pylist()
    assert [text[: len(start)] for text, start in zip(texts, kind.texts, strict=False)] == kind.texts
    assert len(texts) == len(kind.texts)


def test_strict_stops_at_the_first(broken: Path, tmp_path: Path) -> None:
    strict = ReadConfig(strict=True)
    with pytest.raises(CorpusError, match=r"not_json .*\n?.*a.jsonl, position 2"):
        read_corpus([broken / "cut_line"], tmp_path, strict, engine=LocalEngine(), work=tmp_path / "work")
    kept = read_corpus(
        [broken / "wrong_country"], tmp_path, strict, engine=LocalEngine(), work=tmp_path / "w"
    )
    assert kept.reasons == {"unknown_country": 1}

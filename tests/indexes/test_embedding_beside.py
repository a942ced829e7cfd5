"""What is removed while somebody embeds is removed at once, and does not come back with the build."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from numpy.typing import NDArray
from tests.support.changing_index import EMBEDDER, build, documents
from tests.support.letter_embedder import LetterEmbedder

from hinterland.core.corpus import Corpus, write_corpus
from hinterland.core.errors import IndexBundleError, StorageError
from hinterland.indexes.build import build_index
from hinterland.indexes.change import add_documents, compact, remove
from hinterland.indexes.change_state import State, state_of
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.removal_receipt import check_receipt
from hinterland.indexes.removal_rules import Rule
from hinterland.indexes.residue import scan
from hinterland.indexes.residue_traces import Traces
from hinterland.indexes.search import Index
from hinterland.indexes.tune import tune
from hinterland.indexes.version import passages_of

WEB = Rule.make(columns={"source": ["web"]})
WORDS = LexicalConfig()


class Interrupted(LetterEmbedder):
    """Does something once, after it has embedded ``limit`` passages; then it goes on or is killed."""

    def __init__(self, act: Callable[[], Any], *, after: int = 1, killed: bool = False) -> None:
        super().__init__()
        self.act: Callable[[], Any] | None = act
        self.after, self.killed, self.result = after, killed, None

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        found = super().passages(texts)
        if self.act is not None and self.seen >= self.after:
            act, self.act = self.act, None
            self.result = act()
            if self.killed:
                raise KeyboardInterrupt
        return found


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return build(tmp_path / "index")


def traces_of(state: State) -> Traces:
    web = pc.equal(state.chunks["source"], "web")
    removed, kept = state.chunks.filter(web), state.chunks.filter(pc.invert(web))
    return Traces.of(removed, kept, lexical=WORDS, vectors=EMBEDDER.queries(passages_of(removed)))


def rebuild(corpus: Corpus, root: Path, embedder: LetterEmbedder) -> dict[str, Any]:
    """Cut otherwise, so that everything has to be embedded."""
    return build_index(corpus, root, embedder, chunk_tokens=40, lexical=WORDS)


def sources(root: Path) -> set[str]:
    return set(state_of(root).chunks["source"].to_pylist())


def test_a_removal_does_not_wait_for_a_build(corpus: Corpus, tmp_path: Path) -> None:
    root = tmp_path / "index"
    rebuild(corpus, tmp_path / "other", EMBEDDER)
    traces = [traces_of(state_of(root)), traces_of(state_of(tmp_path / "other"))]
    embedder = Interrupted(lambda: (remove(root, WEB), sources(root)))
    built = rebuild(corpus, root, embedder)
    assert embedder.result is not None
    receipt, served = embedder.result
    assert receipt["complete"]
    assert receipt["residue"]["embedding_beside"] is True
    assert served == {"books"}  # at once, while the build was on its way
    assert (built["withheld"], sources(root)) == (4, {"books"})
    assert check_receipt(Path(receipt["receipt"]))["complete"]
    for each in traces:
        assert scan(root, each).as_dict()["found"] == []
    whole = build_index(corpus, tmp_path / "index", EMBEDDER, chunk_tokens=40, lexical=WORDS)
    assert whole["version"] == built["version"]
    assert not list(root.glob(".vectors/.stale"))


def test_a_build_that_is_killed_after_a_removal_leaves_nothing_of_it(tmp_path: Path) -> None:
    table = pa.concat_tables([documents(0, 6, source="books"), documents(6, 80)])
    corpus, root = write_corpus(tmp_path / "corpus", table), tmp_path / "index"
    build_index(corpus, root, EMBEDDER, lexical=WORDS)
    rebuild(corpus, tmp_path / "other", EMBEDDER)
    traces = traces_of(state_of(tmp_path / "other"))
    with pytest.raises(KeyboardInterrupt):
        rebuild(corpus, root, Interrupted(lambda: remove(root, WEB), after=300, killed=True))
    assert list(root.glob(".vectors/*/pending/*.vectors"))
    assert {each["what"] for each in scan(root, traces).as_dict()["found"]} == {"a cached vector", "a vector"}
    compact(root)  # any next writer
    assert scan(root, traces).as_dict()["found"] == []
    assert not (root / ".vectors" / ".stale").exists()
    assert sources(root) == {"books"}


def test_an_add_keeps_what_came_meanwhile(corpus: Corpus, tmp_path: Path) -> None:
    root = tmp_path / "index"
    embedder = Interrupted(lambda: remove(root, WEB))
    told = add_documents(root, documents(20, 24, source="next"), embedder)
    assert told["added"] == 4
    assert sources(root) == {"books", "next"}
    index = Index.open(root, embedder=EMBEDDER)
    chunks = state_of(root).chunks
    for passage, name, source in zip(
        passages_of(chunks), chunks["id"].to_pylist(), chunks["source"].to_pylist(), strict=True
    ):
        (hit,) = index.search([passage], 1)[0]  # each chunk has its own vector
        assert (hit.chunk_id, hit.source) == (name, source)
    assert len(index.search(["quokka7x3 whispers"], 3, where="source == 'web'")[0]) == 0


def test_an_add_of_what_is_removed_meanwhile_is_withheld(corpus: Corpus, tmp_path: Path) -> None:
    root = tmp_path / "index"
    told = add_documents(root, documents(20, 24), Interrupted(lambda: remove(root, WEB)))
    assert (told["withheld"], told["added"], told["published"]) == (4, 0, False)
    assert sources(root) == {"books"}


def test_only_one_embeds(corpus: Corpus, tmp_path: Path) -> None:
    root = tmp_path / "index"

    def others() -> list[str]:
        found = []
        for act in (
            lambda: rebuild(corpus, root, LetterEmbedder()),
            lambda: add_documents(root, documents(20, 24), EMBEDDER),
            lambda: tune(root, embedder=EMBEDDER),
        ):
            with pytest.raises(StorageError) as caught:
                act()
            found.append(caught.value.found)
        return found

    embedder = Interrupted(others)
    rebuild(corpus, root, embedder)
    assert embedder.result == ["another process is embedding for this index"] * 3


def test_a_tuning_of_what_was_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "index"
    build(root, factory="IVF4,SQ8")
    for path in root.glob(".vectors/*/*.vectors"):
        path.unlink()  # so that tuning embeds the chunks
    with pytest.raises(IndexBundleError, match="changed while it was measured"):
        tune(root, embedder=Interrupted(lambda: remove(root, WEB)), recall=0.9)
    assert sources(root) == {"books"}
    assert "tuning" not in state_of(root).bundle.manifest

"""Chunks and vectors of one version that are not of each other."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from published_vectors import publish_vectors

from hinterland.core.errors import IndexBundleError
from hinterland.indexes.bundle import open_bundle
from hinterland.indexes.change_state import state_of
from hinterland.indexes.search import Index
from hinterland.indexes.version import dense_rows, read_parts

VECTORS = np.eye(4, dtype=np.float32)


@pytest.mark.parametrize(
    ("live", "chunks"), [([0, 4], 2), ([-1, 2], 2), ([1, 2, 1], 3)], ids=["beyond", "before", "twice"]
)
def test_rows_that_are_not_there(tmp_path: Path, live: list[int], chunks: int) -> None:
    publish_vectors(tmp_path, VECTORS, "Flat", live=np.asarray(live, np.int64))
    embedder: Any = SimpleNamespace(dimension=4, space="none")
    for opened in (lambda: state_of(tmp_path), lambda: Index.open(tmp_path, embedder=embedder)):
        with pytest.raises(IndexBundleError, match=f"4 vectors of 4 numbers for {chunks} chunks"):
            opened()


def test_live_rows_in_any_order(tmp_path: Path) -> None:
    publish_vectors(tmp_path, VECTORS, "Flat", live=np.array([3, 0], np.int64))
    chunks, backend = read_parts(open_bundle(tmp_path))
    assert (backend.size, dense_rows(chunks).tolist()) == (4, [3, 0])
    np.testing.assert_array_equal(backend.reconstruct(dense_rows(chunks)), VECTORS[[3, 0]])

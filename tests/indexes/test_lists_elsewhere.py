"""An index may not have a file elsewhere mapped into memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hinterland.core.errors import IndexBundleError
from hinterland.core.imports import require_faiss
from hinterland.indexes.faiss_backend import FaissType
from hinterland.indexes.faiss_disk import LISTS


def test_lists_elsewhere_are_refused(tmp_path: Path) -> None:
    faiss = require_faiss()
    index = faiss.index_factory(8, "IVF1,Flat", faiss.METRIC_INNER_PRODUCT)
    vectors = np.eye(8, dtype=np.float32)
    index.train(vectors)
    elsewhere = tmp_path / "elsewhere"
    lists = faiss.OnDiskInvertedLists(index.nlist, index.code_size, str(elsewhere))
    index.replace_invlists(lists, True)
    lists.this.disown()
    index.add(vectors)
    dense = tmp_path / "version" / "dense.faiss"
    dense.parent.mkdir()
    faiss.write_index(index, str(dense))
    with pytest.raises(IndexBundleError, match=f"another file than {LISTS}"):
        FaissType().load(dense, settings={})

"""Reading rows: as `pyarrow.Table.take`, however the columns are cut into pieces."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.indexes.chunk_reader import ChunkReader


@settings(deadline=None)
@given(
    texts=st.lists(st.lists(st.none() | st.text(max_size=3), max_size=4), min_size=1, max_size=5),
    places=st.lists(st.integers(0, 10**6), max_size=12),
)
def test_as_take(texts: list[list[str | None]], places: list[int]) -> None:
    flat = [each for piece in texts for each in piece]
    table = pa.table(
        {
            "text": pa.chunked_array(texts, pa.string()),
            "number": pa.array(range(len(flat)), pa.int64()),  # one piece
            "other": ["unread"] * len(flat),
        }
    )
    rows = np.array([place % len(flat) for place in places] if flat else [], dtype=np.int64)
    expected = table.take(pa.array(rows)).to_pydict()
    reader = ChunkReader(table, ["text", "number"])
    assert reader.read(["number", "text"], rows) == [expected["number"], expected["text"]]
    assert reader.read([], rows) == []

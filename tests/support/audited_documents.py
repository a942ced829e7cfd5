"""Documents that several tests of audits share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from hinterland.core.corpus import conform
from hinterland.core.places import by_iso3
from hinterland.curate.decide import decide
from hinterland.curate.rule import Rule

__all__ = ["CODES", "RULE", "SIZE", "documents"]

CODES = sorted(by_iso3())
SIZE = 240
RULE = Rule("length.words", "length.short", low=10)


def documents(**other: Any) -> pa.Table:
    """Return decided documents, with some columns replaced or left out (null)."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 40, SIZE)
    columns = {
        "id": [f"d{row:03d}" for row in range(SIZE)],
        "text": ["word " * int(length) for length in lengths],
        "country": [CODES[row % len(CODES)] for row in range(SIZE)],
        "source": [f"s{row % 17}" for row in range(SIZE)],
        "length.words": lengths,
        "good": rng.random(SIZE),
    }
    table = conform(decide(pa.table(columns), [RULE]))
    for name, values in other.items():
        if values is None:
            table = table.drop_columns([name])
        elif name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, values)
        else:
            table = table.append_column(name, values)
    return table

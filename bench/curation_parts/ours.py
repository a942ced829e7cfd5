"""The kit's scoring, run in a process bound to one core; see `serve` for the protocol."""

from __future__ import annotations

import pyarrow as pa
from serve import documents, serve, timed

from hinterland.curate.kernels.minhash import MinHash
from hinterland.curate.scoring import score_shard

FILTERS = ("gopher_quality", "gopher_repetition", "c4", "fineweb")
TABLES: list[pa.Table] = []


def load(path: str) -> int:
    """Read the documents into one Arrow table; return how many there are."""
    rows = list(documents(path))
    TABLES[:] = [
        pa.table({"id": [key for key, _ in rows], "text": pa.array([text for _, text in rows], pa.string())})
    ]
    return len(rows)


def score() -> None:
    """Score every document by all four filters and sign it, as ``hinterland curate`` does per shard."""
    for table in TABLES:
        score_shard(table, filters=FILTERS, minhash=MinHash())


if __name__ == "__main__":
    serve({"load": load, "warm": score, "time": lambda least: timed(score, least=least)})

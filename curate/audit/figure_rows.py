"""Small tables of figures that a user gives: covariates, references."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from hinterland.core.errors import CorpusError

__all__ = ["figure_rows"]


def figure_rows(path: Path, what: str, *, cure: str) -> list[dict[str, Any]]:
    """Return all rows of a CSV or Parquet file.

    CSV cells stay text, so that no code, such as Namibia's "NA", is taken for a missing value.

    Args:
        path: The file.
        what: What it holds, for the error ("the covariates").
        cure: What to give instead.

    Raises:
        CorpusError: The file cannot be read.
    """
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            import pyarrow.parquet as pq

            rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
            return rows
        with path.open(encoding="utf-8-sig", newline="") as handle:
            return list(csv.DictReader(handle, restval=""))
    except (OSError, ValueError, csv.Error) as error:  # pyarrow's errors are ValueErrors or OSErrors
        raise CorpusError(f"{what} cannot be read: {error}", where=str(path), cure=cure) from error

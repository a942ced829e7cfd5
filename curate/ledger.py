"""The ledger of what could not be read: one JSON object a line."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

__all__ = ["Reject"]


@dataclass(frozen=True, slots=True)
class Reject:
    """Something that could not be read as it is.

    Attributes:
        file: The file it is in.
        position: Line, row, record or page, from 1; 0 is the file as a whole.
        reason: A name such as ``not_json``, ``empty_text``, ``unknown_country``.
        detail: What was found.
        kept: Whether the document is kept all the same (without the unknown country).
        documents: How many documents are lost by it; 0 if it is kept, or held none.
    """

    file: str
    position: int
    reason: str
    detail: str = ""
    kept: bool = False
    documents: int = 1

    def line(self) -> str:
        """Return the entry as a line of JSON, in ASCII."""
        return json.dumps(asdict(self)) + "\n"

"""The record: one document, its origin, and one column per score."""

from __future__ import annotations

import hashlib

import pyarrow as pa

__all__ = ["BASE_SCHEMA", "DECISION_FIELDS", "content_id", "empty_column"]

#: The columns every corpus has, in this order. Scores follow as further columns.
BASE_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # content hash unless given
        pa.field("text", pa.string(), nullable=False),
        pa.field("source", pa.string()),
        pa.field("url", pa.string()),
        pa.field("date", pa.string()),  # ISO 8601
        pa.field("license", pa.string()),
        pa.field("lang", pa.string()),  # BCP 47
        pa.field("country", pa.string()),  # ISO 3166-1 alpha-3; null is unknown
        pa.field("admin1", pa.string()),
        pa.field("lat", pa.float64()),
        pa.field("lon", pa.float64()),
        pa.field("geo_from", pa.string()),  # the rule that placed the document
        pa.field("geo_confidence", pa.float64()),  # 0 to 1
        pa.field("meta", pa.string()),  # JSON
    ]
)

#: What a decision adds, apart from the scores it rests on.
DECISION_FIELDS = [
    pa.field("keep", pa.bool_(), nullable=False),
    pa.field("reasons", pa.list_(pa.string()), nullable=False),  # all that apply
    pa.field("weight", pa.float64(), nullable=False),  # 0 where not kept
]


def content_id(text: str) -> str:
    """Return the identity of a text: the first 16 bytes of its SHA-256, as hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def empty_column(field: pa.Field, rows: int) -> pa.Array:
    """Return ``rows`` nulls of the field's type."""
    return pa.nulls(rows, field.type)

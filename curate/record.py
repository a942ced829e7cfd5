"""From a row of any source to a record: types checked, ids made unique, the rest into ``meta``."""

from __future__ import annotations

import json
import math
from typing import Any

import pyarrow as pa

from hinterland.core.places import by_iso3
from hinterland.core.record import BASE_SCHEMA, content_id

__all__ = ["TEXT_COLUMNS", "RecordBuilder", "Unreadable"]

#: Where the text is looked for, in this order.
TEXT_COLUMNS = ("text", "content", "raw_content")
_BOUNDS = {"lat": 90.0, "lon": 180.0, "geo_confidence": 1.0}


class Unreadable(Exception):  # noqa: N818 - a reason, caught and counted, never shown as an error
    """Why a row, or the rest of a file, cannot be read.

    Args:
        reason: A name for counting.
        detail: What was found.
        position: Where a file breaks off; 0 is the file as a whole.
    """

    def __init__(self, reason: str, detail: str = "", *, position: int = 0) -> None:
        self.reason, self.detail, self.position = reason, detail[:200], position
        super().__init__(reason)


class RecordBuilder:
    """Collects rows as records of the base schema."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._ids: set[str] = set()

    def add(self, row: dict[str, Any]) -> list[tuple[str, str]]:
        """Add a row; return notes (reason, detail) on what was set to null or renamed.

        Raises:
            Unreadable: The row has no usable text; it is not added.
        """
        text, column = _text(row)
        notes: list[tuple[str, str]] = []
        record: dict[str, Any] = {"text": text}
        for field in BASE_SCHEMA:
            if field.name not in ("id", "text", "meta"):
                record[field.name] = _value(field, row.get(field.name), notes)
        country = record["country"]
        if country is not None and country not in by_iso3():
            notes.append(("unknown_country", country))
            record["country"] = None
        extra = {key: value for key, value in row.items() if key not in BASE_SCHEMA.names and key != column}
        record["meta"] = _meta(row.get("meta"), extra)
        record["id"] = self._unique(_value(BASE_SCHEMA.field("id"), row.get("id"), notes), text, notes)
        self._rows.append(record)
        return notes

    def _unique(self, given: str | None, text: str, notes: list[tuple[str, str]]) -> str:
        """Return an id that is not taken, made from the given one and the text alone if possible."""
        identity = given or content_id(text)
        if identity in self._ids:
            if given:
                notes.append(("id_taken", given))
            base = identity = f"{given}-{content_id(text)[:8]}" if given else identity
            number = 2
            while identity in self._ids:
                identity, number = f"{base}-{number}", number + 1
        self._ids.add(identity)
        return identity

    def table(self) -> pa.Table:
        """Return the records."""
        return pa.Table.from_pylist(self._rows, schema=BASE_SCHEMA)


def _text(row: dict[str, Any]) -> tuple[str, str]:
    """Return the row's text and the column it stands in."""
    column = next((name for name in TEXT_COLUMNS if name in row), None)
    if column is None:
        raise Unreadable("no_text_column", f"found: {', '.join(map(str, list(row)[:8])) or 'nothing'}")
    text = row[column]
    if text is None:
        raise Unreadable("null_text")
    if not isinstance(text, str):
        raise Unreadable("text_not_a_string", f"{type(text).__name__}: {text}")
    if not text.strip():
        raise Unreadable("empty_text")
    if not _is_unicode(text):
        raise Unreadable("lone_surrogate", "the text is not valid Unicode")
    return text, column


def _value(field: pa.Field, value: Any, notes: list[tuple[str, str]]) -> Any:
    """Return a base column's value; one of a wrong kind becomes null, with a note."""
    if value is None or value == "":
        return None
    if field.type == pa.float64():
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if abs(number) <= _BOUNDS[field.name]:
            return number
    elif isinstance(value, str) and _is_unicode(value):
        return value
    elif not isinstance(value, str | dict | list | float):
        return str(value)  # whole numbers and dates
    notes.append((f"bad_{field.name}", ascii(value)[:200]))
    return None


def _meta(given: Any, extra: dict[str, Any]) -> str | None:
    """Return ``meta`` as JSON: the row's own, with columns the schema does not have beside it."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            given = {"meta": given}
    own = given if isinstance(given, dict) else {} if given is None else {"meta": given}
    merged = {**own, **{str(key): value for key, value in extra.items()}}
    return json.dumps(merged, default=str, sort_keys=True) if merged else None


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text) if not text.isascii() else True

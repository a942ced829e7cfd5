"""Columns of values of any kind onto the record schema's types; what does not fit becomes null."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hinterland.core.places import by_iso3
from hinterland.curate.readers.base import Unreadable

__all__ = ["Misfits", "as_column", "as_texts", "content_ids", "dump", "has_nul", "listed"]

_BOUNDS = {"lat": 90.0, "lon": 180.0, "geo_confidence": 1.0}
#: Names people write that the table of places does not have.
#: The reason of a value in a country column that is no country; the value stays in ``meta``.
UNKNOWN_COUNTRY = "unknown_country"
_SECONDS, _MILLISECONDS = (1e8, 1e10), (1e11, 1e13)

#: Row, reason and detail of values that became null.
Misfits = list[tuple[int, str, str]]


def as_texts(
    values: Sequence[Any] | pa.Array,
) -> tuple[pa.Array | pa.ChunkedArray, dict[int, Unreadable]]:
    """Return texts as strings, valid UTF-8, in chunks if over 2 GB, and why some of them became null."""
    if isinstance(values, pa.Array):
        plain = _plain_strings(values)
        if plain is not None:
            return plain, {}
        values = listed(values)
    try:
        return pa.array(values, pa.string()), {}
    except (pa.ArrowException, UnicodeEncodeError):
        bad: dict[int, Unreadable] = {}
        good: list[str | None] = []
        for row, value in enumerate(values):
            try:
                good.append(_text(value))
            except Unreadable as problem:
                bad[row] = problem
                good.append(None)
        return pa.array(good, pa.string()), bad


def _plain_strings(array: pa.Array) -> pa.Array | None:
    """Return an Arrow column of strings or bytes as strings; None if one is not UTF-8, or of other types."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    if array.type not in {pa.string_view(), pa.binary_view()} and not any(kind(array.type) for kind in kinds):
        return None
    try:
        plain = array.cast(pa.string())
        plain.validate(full=True)
    except pa.ArrowException:
        return None
    return plain


def listed(array: pa.Array) -> list[Any]:
    """Return an Arrow column's values as Python's; strings that are not UTF-8 stay bytes."""
    try:
        return list(array.to_pylist())
    except UnicodeDecodeError:
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
            return list(array.cast(pa.large_binary()).to_pylist())
    except (ValueError, OverflowError, pa.ArrowException):  # dates outside of Python's years, zones it lacks
        pass
    try:
        return list(array.cast(pa.string()).to_pylist())
    except (ValueError, pa.ArrowException):
        return [None] * len(array)


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise Unreadable("not_utf8", f"byte {error.start}") from error
    if value is not None and not isinstance(value, str):
        raise Unreadable("text_not_a_string", f"{type(value).__name__}: {str(value)[:200]}")
    if value is not None and not _is_unicode(value):
        raise Unreadable("lone_surrogate", "the text is not valid Unicode")
    return value


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def has_nul(texts: pa.Array | pa.ChunkedArray) -> bool:
    """Whether any text holds a NUL character."""
    for data, offsets in _buffers(texts):
        part = data[offsets[0] : offsets[-1]]
        if np.count_nonzero(part) < len(part):
            return True
    return False


def content_ids(texts: pa.Array | pa.ChunkedArray) -> list[str]:
    """Return `hinterland.core.record.content_id` of each text; none may be null."""
    ids: list[str] = []
    for data, offsets in _buffers(texts):
        view = memoryview(data)  # type: ignore[arg-type]  # NumPy arrays are buffers
        ids += [hashlib.sha256(view[start:end]).hexdigest()[:32] for start, end in pairwise(offsets.tolist())]
    return ids


def _buffers(
    texts: pa.Array | pa.ChunkedArray,
) -> Iterator[tuple[np.ndarray[Any, np.dtype[np.uint8]], np.ndarray[Any, np.dtype[np.int32]]]]:
    """Yield the bytes and the offsets of each chunk; more than 2 GB of text come in several."""
    for chunk in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
        _, offsets, data = chunk.buffers()
        ends = np.frombuffer(offsets, np.int32) if offsets else np.zeros(1, np.int32)
        content = np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8)
        yield content, ends[chunk.offset : chunk.offset + len(chunk) + 1]


def as_column(field: pa.Field, values: Sequence[Any] | pa.Array) -> tuple[pa.Array, Misfits]:
    """Return a column of the record schema; values of a wrong kind become null, with the reason."""
    if isinstance(values, pa.Array):
        values = listed(values)
    kinds = set(map(type, values))
    misfits: Misfits = []
    if field.type == pa.float64():
        if not kinds <= {int, float, type(None)} or not _within(values, _BOUNDS[field.name]):
            values = [_number(field.name, value, row, misfits) for row, value in enumerate(values)]
        return pa.array(values, pa.float64()), misfits
    if not kinds <= {str, type(None)} or "" in values or field.name == "date":
        values = [_string(field.name, value, row, misfits) for row, value in enumerate(values)]
    try:
        array = pa.array(values, pa.string())
    except UnicodeEncodeError:
        values = [_string(field.name, value, row, misfits, check=True) for row, value in enumerate(values)]
        array = pa.array(values, pa.string())
    if field.name == "country" and not pc.all(pc.is_in(array, _codes(), skip_nulls=True)).as_py():
        array = pa.array(
            [_country(value, row, misfits) for row, value in enumerate(array.to_pylist())], pa.string()
        )
    return array, misfits


def _within(values: Sequence[Any], bound: float) -> bool:
    try:
        return all(value is None or -bound <= value <= bound for value in values)
    except TypeError:
        return False


def _number(name: str, value: Any, row: int, misfits: Misfits) -> float | None:
    if value is None or value == "":
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if abs(number) <= _BOUNDS[name]:
        return number
    misfits.append((row, f"bad_{name}", ascii(value)[:200]))
    return None


def _string(name: str, value: Any, row: int, misfits: Misfits, *, check: bool = False) -> str | None:  # noqa: PLR0911
    if value is None or value == "":
        return None
    if isinstance(value, str):
        if not check or _is_unicode(value):
            return value
    elif isinstance(value, dt.date | dt.time):
        return value.isoformat()
    elif isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            pass
    elif name == "date" and isinstance(value, int | float) and not isinstance(value, bool):
        moment = _moment(value)
        if moment is not None:
            return moment
    elif isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    misfits.append((row, f"bad_{name}", ascii(value)[:200]))
    return None


def _moment(value: float) -> str | None:
    """Return a year, or seconds or milliseconds since 1970, as ISO 8601."""
    if isinstance(value, int) and 0 < value < 10_000:
        return f"{value:04d}"
    for (low, high), scale in ((_SECONDS, 1), (_MILLISECONDS, 1000)):
        if low <= value < high:
            return dt.datetime.fromtimestamp(value / scale, dt.UTC).isoformat().replace("+00:00", "Z")
    return None


@cache
def _codes() -> pa.Array:
    return pa.array([*by_iso3(), None], pa.string())


@lru_cache(maxsize=100_000)
def _country_code(value: str) -> str | None:
    from hinterland.curate.geo.countries import country_code

    return country_code(value).iso3


def _country(value: str | None, row: int, misfits: Misfits) -> str | None:
    if value is None:
        return None
    code = _country_code(value)
    if code is None:
        misfits.append((row, UNKNOWN_COUNTRY, value[:200]))
    return code


def dump(content: dict[str, Any]) -> str:
    """Return JSON in ASCII with sorted keys; what JSON has no word for becomes null or text."""
    try:
        return _encode(content)
    except (ValueError, TypeError):
        return json.dumps(_clean(content), sort_keys=True, default=_foreign)


def _foreign(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"  # an image has no place in a corpus of texts
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


_encode = json.JSONEncoder(sort_keys=True, allow_nan=False, default=_foreign).encode


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

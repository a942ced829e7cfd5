"""Dataclasses to JSON-able values and back; what is not a number is null there."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

__all__ = ["plain", "revive"]

T = TypeVar("T")


def plain(value: Any) -> Any:
    """Return JSON-able values; a number that is not finite becomes null."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def revive(kind: type[T], value: Mapping[str, Any]) -> T:
    """Return the dataclass that `plain` was given.

    Args:
        kind: A dataclass whose fields are numbers, words, other such dataclasses, and
            tuples and dicts of these.
        value: What `plain` returned, perhaps through JSON.

    Raises:
        TypeError: A field is missing or unknown.
    """
    hints = _hints(kind)  # type: ignore[arg-type]
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{key: _as(hints.get(key), each) if key in known else each for key, each in value.items()})


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _as(hint: Any, value: Any) -> Any:
    """Return ``value`` as a field of the type ``hint`` holds it."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is float:
        return math.nan if value is None else float(value)
    if origin in (Union, types.UnionType):
        return None if value is None else _as(next(each for each in inner if each is not type(None)), value)
    if isinstance(hint, type) and is_dataclass(hint):
        return revive(hint, value)
    if origin is tuple:
        of = [inner[0]] * len(value) if len(inner) == 2 and inner[1] is Ellipsis else inner
        return tuple(_as(kind, each) for kind, each in zip(of, value, strict=True))
    if origin is dict:
        return {key: _as(inner[1], each) for key, each in value.items()}
    return value

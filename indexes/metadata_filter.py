"""Conditions on a passage's metadata: as a mapping, or as a text over its keys.

A mapping is written as vector stores have it: ``{"source": "web", "year": {"$gte": 2020}}``.

- ``key: value`` is equality, ``key: [a, b]`` is any of them; several keys must all hold.
- ``$eq $ne $in $nin $gt $gte $lt $lte`` compare, ``$exists`` asks whether a key is there.
- ``$and`` and ``$or`` take a list of mappings, ``$not`` one.
- ``a.b`` is the key ``a.b``, or ``b`` inside ``a``. A list in the metadata stands for each of
  its items: ``{"tags": "law"}`` finds ``{"tags": ["law", "tax"]}``.

As in `core.expressions`, what is missing is unequal to nothing: ``$ne`` and ``$nin`` do not hold
where the key is missing or null; ``{"key": None}`` finds those. Numbers and strings do not
compare, and ``True`` is not 1.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.core.columns import TableValues
from hinterland.core.errors import ConfigError, nearest
from hinterland.core.expressions import parse

__all__ = ["MetadataColumns", "compile_filter", "metadata_mask"]

Metadata = Mapping[str, Any]
Test = Callable[[Metadata], bool]

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
_OPERATORS = (*_ORDER, "$eq", "$ne", "$in", "$nin", "$exists")
_JOINS = ("$and", "$or", "$not")


def _look_up(metadata: Metadata, key: str) -> Any:
    """Return the value under a key, or under a path of keys; ``None`` where there is none."""
    if key in metadata:
        return metadata[key]
    first, dot, rest = key.partition(".")
    inner = metadata.get(first) if dot else None
    return _look_up(inner, rest) if isinstance(inner, Mapping) else None


def _same(found: Any, wanted: Any) -> bool:
    return isinstance(found, bool) == isinstance(wanted, bool) and bool(found == wanted)


def _equal(found: Any, wanted: Any) -> bool:
    if isinstance(found, list) and not isinstance(wanted, list):
        return any(_same(item, wanted) for item in found)
    return _same(found, wanted)


def _any_of(found: Any, wanted: Sequence[Any]) -> bool:
    return any(_equal(found, each) for each in wanted)


def _ordered(found: Any, wanted: Any, compare: Callable[[Any, Any], bool]) -> bool:
    comparable = isinstance(found, str) == isinstance(wanted, str)
    plain = all(
        isinstance(each, str | int | float) and not isinstance(each, bool) for each in (found, wanted)
    )
    return comparable and plain and compare(found, wanted)


def _comparison(key: str, name: str, wanted: Any) -> Test:
    """Return the test of one operator on one key."""
    if name in _ORDER:
        compare = _ORDER[name]
        if isinstance(wanted, bool) or not isinstance(wanted, str | int | float):
            raise _wrong(f"{name} needs a number or a string, found {wanted!r}", key)

        def order(metadata: Metadata) -> bool:
            found = _look_up(metadata, key)
            items = found if isinstance(found, list) else [found]
            return any(_ordered(item, wanted, compare) for item in items)

        return order
    if name == "$exists":
        if not isinstance(wanted, bool):
            raise _wrong(f"$exists needs true or false, found {wanted!r}", key)
        return lambda metadata: (_look_up(metadata, key) is not None) == wanted
    if name in ("$in", "$nin"):
        if not isinstance(wanted, list | tuple | set | frozenset):
            raise _wrong(f"{name} needs a list, found {wanted!r}", key)
        values = list(wanted)
        if name == "$in":
            return lambda metadata: _any_of(_look_up(metadata, key), values)
        return lambda metadata: (found := _look_up(metadata, key)) is not None and not _any_of(found, values)
    if name == "$eq":
        return lambda metadata: _equal(_look_up(metadata, key), wanted)
    if name == "$ne":
        return lambda metadata: (found := _look_up(metadata, key)) is not None and not _equal(found, wanted)
    raise ConfigError(f"unknown operator {name!r}", where=f"filter: {key}", cure=nearest(name, _OPERATORS))


def _wrong(found: str, key: str) -> ConfigError:
    return ConfigError(found, where=f"filter: {key}", cure="correct the value")


def _all(tests: Sequence[Test]) -> Test:
    return lambda metadata: all(test(metadata) for test in tests)


def _any(tests: Sequence[Test]) -> Test:
    return lambda metadata: any(test(metadata) for test in tests)


def _join(name: str, value: Any) -> Test:
    if name == "$not":
        inner = compile_filter(value)
        return lambda metadata: not inner(metadata)
    if not isinstance(value, list | tuple) or not value:
        raise _wrong(f"{name} needs a list of mappings, found {value!r}", name)
    tests = [compile_filter(each) for each in value]
    return _all(tests) if name == "$and" else _any(tests)


def compile_filter(conditions: Mapping[str, Any]) -> Test:
    """Return a function that says whether a passage's metadata fits.

    Args:
        conditions: The mapping; an empty one fits everything.

    Raises:
        ConfigError: An operator is unknown, or a value is of the wrong kind.

    >>> recent = compile_filter({"source": ["web", "news"], "year": {"$gte": 2020}})
    >>> recent({"source": "web", "year": 2021}), recent({"source": "web"})
    (True, False)
    """
    if not isinstance(conditions, Mapping):
        raise _wrong(f"a filter is a mapping, found {conditions!r}", "")
    tests: list[Test] = []
    for key, value in conditions.items():
        if not isinstance(key, str):
            raise _wrong(f"a key of metadata is a string, found {key!r}", "")
        if key.startswith("$"):
            if key not in _JOINS:
                known = (*_JOINS, *_OPERATORS)
                raise ConfigError(
                    f"unknown operator {key!r}",
                    where="filter",
                    cure=f"operators stand under a key, {{'year': {{'$gt': 1}}}}; {nearest(key, known)}",
                )
            tests.append(_join(key, value))
        elif isinstance(value, Mapping) and any(str(name).startswith("$") for name in value):
            tests.extend(_comparison(key, name, wanted) for name, wanted in value.items())
        elif isinstance(value, list | tuple | set | frozenset):
            tests.append(_comparison(key, "$in", value))
        else:
            tests.append(_comparison(key, "$eq", value))
    return _all(tests)


class MetadataColumns:
    """Metadata as columns for `core.expressions`; a table's columns where metadata has no such key.

    Keys inside keys have dotted names. A key is numbers if all its values are; else its strings
    count and all other values are missing.

    Args:
        metadata: Of each passage.
        table: The passages' other columns.
    """

    def __init__(self, metadata: Sequence[Metadata], table: pa.Table) -> None:
        self._rows = [_flat(each) for each in metadata]
        self._keys = {key for row in self._rows for key in row}
        self._table = TableValues(table)

    @property
    def names(self) -> Sequence[str]:
        """See `core.columns.NamedColumns.names`."""
        return sorted(self._keys | set(self._table.names))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """See `core.columns.NamedColumns.__getitem__`."""
        if name not in self._keys:
            return self._table[name]
        values = [row.get(name) for row in self._rows]
        if all(value is None or isinstance(value, bool | int | float) for value in values):
            return np.asarray([np.nan if value is None else float(value) for value in values])
        return np.array([value if isinstance(value, str) else None for value in values], dtype=object)


def _flat(metadata: Metadata, before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in metadata.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{key}.")
        elif not isinstance(value, list):
            flat[f"{before}{key}"] = value
    return flat


def metadata_mask(
    conditions: Mapping[str, Any] | str, metadata: Sequence[Metadata], table: pa.Table
) -> NDArray[np.bool_]:
    """Return which passages fit, shape (passages,).

    Args:
        conditions: A mapping, or a condition of `core.expressions` over metadata and columns.
        metadata: Of each passage.
        table: Their other columns.

    Raises:
        ConfigError: The condition cannot be read, or (a text) names what is nowhere.
    """
    if isinstance(conditions, str):
        return parse(conditions, where="filter").holds(MetadataColumns(metadata, table))[0]
    fits = compile_filter(conditions)
    return np.fromiter((fits(each) for each in metadata), dtype=np.bool_, count=len(metadata))

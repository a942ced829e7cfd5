"""A filter object of datatrove: ``filter(document)`` returns True to keep, or (False, reason)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import pyarrow as pa

from hinterland.core.errors import ConfigError, MissingDependencyError
from hinterland.curate.audit.adapters.base import Judged
from hinterland.curate.audit.adapters.config import DatatroveFilter
from hinterland.curate.audit.adapters.function import EachDocument
from hinterland.curate.audit.adapters.resolve import resolve

__all__ = ["DatatroveAdapter"]

_CURE = "pip install 'datatrove[processing]'"
_METADATA = ("url", "source", "date", "lang", "meta")


@dataclass
class _Document:
    """datatrove's document, for filters of its shape where datatrove is not installed."""

    text: str
    id: str
    media: list[Any] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)


class DatatroveAdapter(EachDocument):
    """See the module. Texts that a filter changes on the way are counted; the change is not kept.

    Args:
        name: The filter's name.
        config: The filter.

    Raises:
        ConfigError: It has no method ``filter``, or cannot be made.
        MissingDependencyError: datatrove, or something that the filter needs, is not installed.
    """

    columns = ("id", "text")
    may_have = _METADATA

    def __init__(self, name: str, config: DatatroveFilter) -> None:
        super().__init__(name, None)
        self._filter = _make(config, where=f"filters.{name}")
        self._document = _document_class()
        self._edited = 0

    def judge(self, batch: pa.RecordBatch) -> Judged:
        """See `Adapter.judge`."""
        names = [each for each in _METADATA if each in batch.schema.names]
        rows = batch.select(["id", "text", *names]).to_pylist()
        return self.results([row["id"] for row in rows], [self._one(row) for row in rows])

    def _one(self, row: dict[str, Any]) -> Any:
        try:
            document = self._document(text=row["text"], id=row["id"], metadata=_metadata(row))
            result = self._filter.filter(document)
        except Exception as error:
            return error
        self._edited += document.text != row["text"]
        return result

    def finish(self) -> dict[str, Any]:
        """See `Adapter.finish`."""
        found = super().finish()
        return found | {"edited": self._edited} if self._edited else found


def _metadata(row: dict[str, Any]) -> dict[str, Any]:
    """Return what datatrove's filters look for (``url``, ``language``), over what ``meta`` holds."""
    try:
        meta = json.loads(row.get("meta") or "{}")
    except ValueError:
        meta = {}
    known = {key: row[key] for key in ("url", "source", "date") if row.get(key) is not None}
    if row.get("lang") is not None:
        known["language"] = row["lang"]
    return (meta if isinstance(meta, dict) else {}) | known


def _make(config: DatatroveFilter, *, where: str) -> Any:
    given = config.datatrove
    try:
        found = resolve(given, where=where) if isinstance(given, str) else given
        if isinstance(found, type) or not hasattr(found, "filter"):
            if not callable(found):
                raise ConfigError(
                    f"{given!r} has no method filter", where=where, cure="give a filter of datatrove"
                )
            found = found(**config.options)
    except MissingDependencyError as error:
        cure = _CURE if "datatrove" in error.found else error.cure
        raise MissingDependencyError(error.found, where=error.where, cure=cure) from error
    except ImportError as error:  # datatrove asks for what single filters need when they are made
        raise MissingDependencyError(f"the filter needs more: {error}", where=where, cure=_CURE) from error
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(
            f"the filter cannot be made: {type(error).__name__}: {error}",
            where=where,
            cure="check its options",
        ) from error
    if not callable(getattr(found, "filter", None)):
        raise ConfigError(
            f"{type(found).__name__} has no method filter", where=where, cure="give a filter of datatrove"
        )
    return found


def _document_class() -> Any:
    try:
        return import_module("datatrove.data").Document
    except ImportError:
        return _Document

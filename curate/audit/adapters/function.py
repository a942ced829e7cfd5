"""A Python function as a filter: text → bool, number or dict, or a list of texts → a list of these."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from hinterland.core.errors import ConfigError, CorpusError
from hinterland.curate.audit.adapters.base import Bound, Judged, Tally, Unusable, read_result
from hinterland.curate.audit.adapters.config import CallableFilter
from hinterland.curate.audit.adapters.resolve import resolve

__all__ = ["EachDocument", "FunctionAdapter"]


class EachDocument:
    """Judges documents one after the other and counts those for which that fails.

    Args:
        name: The filter's name, for errors.
        bound: What makes a number a decision.
    """

    def __init__(self, name: str, bound: Bound | None) -> None:
        self._name, self._bound = name, bound
        self._tally = Tally()
        self._scored = self._decides = False

    @property
    def bound(self) -> Bound | None:
        """See `Adapter.bound`; known once a number was seen that nothing else decided on."""
        return self._bound if self._scored and not self._decides else None

    def results(self, ids: Sequence[Any], results: Sequence[Any]) -> Judged:
        """Read what the filter returned for a batch; an exception stands for its failure.

        Raises:
            ConfigError: A number is to decide and there is no bound.
        """
        keep, scores = np.ones(len(results), dtype=bool), np.full(len(results), math.nan)
        for at, (document, result) in enumerate(zip(ids, results, strict=True)):
            if isinstance(result, Exception):
                self._tally.fail(document, result)
                continue
            try:
                keep[at], score, reason = read_result(result, self._bound, where=f"filters.{self._name}")
            except Unusable as error:
                self._tally.fail(document, error)
                continue
            if score is not None:
                scores[at] = score
                self._scored = True
                self._tally.unmeasured += math.isnan(score)
            self._decides |= isinstance(result, Mapping) and result.get("keep") is not None
            if reason:
                self._tally.reasons[reason] += 1
        self._tally.documents += len(results)
        return Judged(keep, scores if self._scored else None)

    def finish(self) -> dict[str, Any]:
        """See `Adapter.finish`.

        Raises:
            CorpusError: It failed on every document.
        """
        tally = self._tally
        if tally.failed and tally.failed == tally.documents:
            assert tally.first is not None  # noqa: S101 - set with the first failure
            raise CorpusError(
                f"the filter failed on all {tally.failed} documents, first on {tally.first['id']!r}:"
                f" {tally.first['error']}",
                where=f"filters.{self._name}",
                cure="try it on one text",
            )
        return tally.info()


class FunctionAdapter(EachDocument):
    """See the module.

    Args:
        name: The filter's name.
        config: The function and its bound.

    Raises:
        ConfigError: The function is not there, or cannot be called.
        MissingDependencyError: Its module is not there.
    """

    columns = ("id", "text")
    may_have: tuple[str, ...] = ()

    def __init__(self, name: str, config: CallableFilter) -> None:
        super().__init__(name, config.bound)
        where = f"filters.{name}"
        given = config.callable
        function = resolve(given, where=where) if isinstance(given, str) else given
        if not callable(function):
            raise ConfigError(f"{given!r} cannot be called", where=where, cure="give a function of a text")
        self._function: Callable[..., Any] = function
        self._batch = config.batch

    def judge(self, batch: pa.RecordBatch) -> Judged:
        """See `Adapter.judge`."""
        texts = batch.column("text").to_pylist()
        return self.results(batch.column("id").to_pylist(), self._call(texts))

    def _call(self, texts: list[str]) -> list[Any]:
        if not self._batch:
            return [self._one(text) for text in texts]
        try:
            found = list(self._function(texts))
        except Exception as error:
            return [error] if len(texts) == 1 else [self._alone(text) for text in texts]
        if len(found) != len(texts):
            raise CorpusError(
                f"the filter returned {len(found)} results for {len(texts)} texts",
                where=f"filters.{self._name}",
                cure="return one for each text, or set batch: false",
            )
        return found

    def _one(self, text: str) -> Any:
        try:
            return self._function(text)
        except Exception as error:
            return error

    def _alone(self, text: str) -> Any:
        """Call a function of many texts with one, to see which of them it fails on."""
        try:
            found = list(self._function([text]))
        except Exception as error:
            return error
        return found[0] if len(found) == 1 else Unusable(f"it returned {len(found)} results for one text")

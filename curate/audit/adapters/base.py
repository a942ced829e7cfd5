"""What every adapter gives: a decision for each document, and a score where the filter has one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError

__all__ = ["Adapter", "Audited", "Bound", "Judged", "Tally", "Unusable", "read_result"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Audited:
    """A filter's decisions on a corpus.

    Attributes:
        name: What it is called.
        keep: Which documents it keeps, shape (documents,). What it could not judge is kept, as
            in deciding, and counted in `info`.
        score: Its score, shape (documents,), NaN where there is none; ``None`` for a filter
            without scores.
        keep_side: ">=" or "<=": on which side of the threshold a document is kept; "" without one.
        threshold: The threshold; NaN without one.
        info: What else is known: ``kind``, counts of documents not judged, the first failure.
    """

    name: str
    keep: Bools
    score: Floats | None
    keep_side: str
    threshold: float
    info: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """An adapter's decisions on a batch; see `Audited`."""

    keep: Bools
    score: Floats | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """On which side of a threshold a document is kept.

    Attributes:
        side: ">=" or "<=".
        threshold: The threshold.
    """

    side: str
    threshold: float

    def keep(self, scores: Floats) -> Bools:
        """Return which scores are kept; NaN, which is no score, is."""
        with np.errstate(invalid="ignore"):
            inside = scores >= self.threshold if self.side == ">=" else scores <= self.threshold
        return np.asarray(inside | np.isnan(scores))


class Adapter(Protocol):
    """Judges documents in batches, in the corpus' order."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it must have."""
        ...

    @property
    def may_have(self) -> tuple[str, ...]:
        """Further columns that it looks at where there are any."""
        ...

    @property
    def bound(self) -> Bound | None:
        """The threshold on its score, where it has one."""
        ...

    def judge(self, batch: pa.RecordBatch) -> Judged:
        """Judge a batch that has the columns."""
        ...

    def finish(self) -> dict[str, Any]:
        """Return what is to be said after the last batch.

        Raises:
            CorpusError: It judged no document at all.
        """
        ...


class Unusable(Exception):  # noqa: N818 - what a filter returned, counted as a failure
    """A filter returned what is neither a decision nor a score."""


@dataclass
class Tally:
    """Counts documents that a filter could not judge, and keeps the first failure.

    Attributes:
        documents: Documents seen.
        failed: Those for which the filter raised an error.
        unmeasured: Those whose score is missing (NaN).
        reasons: Why documents are dropped, where the filter says it.
        first: The first failure: the document's id and the error.
    """

    documents: int = 0
    failed: int = 0
    unmeasured: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] | None = None

    def fail(self, document: Any, error: BaseException) -> None:
        """Count a failure."""
        self.failed += 1
        if self.first is None:
            said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            self.first = {"id": str(document), "error": said}

    def info(self) -> dict[str, Any]:
        """Return the counts that are not zero."""
        found: dict[str, Any] = {}
        if self.failed:
            found |= {"failed": self.failed, "first_failure": self.first}
        if self.unmeasured:
            found["unmeasured"] = self.unmeasured
        if self.reasons:
            found["reasons"] = dict(sorted(self.reasons.items(), key=lambda item: (-item[1], item[0])))
        return found


def read_result(result: Any, bound: Bound | None, *, where: str) -> tuple[bool, float | None, str]:
    """Return what a filter's result on one document says: keep, score (``None`` without), reason.

    Args:
        result: A bool, a number, (bool, reason), or a dict with ``keep`` or ``score`` or both, and
            perhaps ``reason``.
        bound: What makes a number a decision.
        where: The filter, for errors.

    Raises:
        ConfigError: A number is to decide and there is no bound.
        Unusable: It is none of these.
    """
    if isinstance(result, bool | np.bool_):
        return bool(result), None, ""
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[0], bool | np.bool_):
        return bool(result[0]), None, "" if result[0] else str(result[1] or "")
    keep, score, reason = None, result, ""
    if isinstance(result, Mapping):
        keep, score, reason = result.get("keep"), result.get("score"), str(result.get("reason") or "")
    if keep is not None and not isinstance(keep, bool | np.bool_):
        raise Unusable(f"keep is {keep!r}, not True or False")
    if score is None and keep is not None:
        return bool(keep), None, "" if keep else reason
    if isinstance(score, bool | np.bool_) or not isinstance(score, int | float | np.number):
        raise Unusable(
            f"it returned {str(result)[:80]!r} ({type(result).__name__}), not a bool, number or dict"
        )
    if keep is None:
        if bound is None:
            raise ConfigError(
                f"the filter returns numbers ({float(score):g}) and no threshold is set",
                where=where,
                cure="set at_least or at_most",
            )
        keep = bool(bound.keep(np.array([float(score)]))[0])
    return bool(keep), float(score), "" if keep else reason

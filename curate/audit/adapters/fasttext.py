"""A fastText classifier as a filter: the probability of one label against a threshold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hinterland.core.errors import ConfigError, ModelSourceError, nearest
from hinterland.core.imports import require
from hinterland.curate.audit.adapters.base import Bound, Judged
from hinterland.curate.audit.adapters.config import FastTextFilter
from hinterland.curate.audit.adapters.fasttext_file import fasttext_labels

__all__ = ["FastTextAdapter"]

_CURE = "pip install 'hinterland[curate]'"


class FastTextAdapter:
    """See the module. A text is one line to fastText: line breaks become spaces.

    Args:
        name: The filter's name.
        config: The model and its label.

    Raises:
        ConfigError: The model has no such label.
        MissingDependencyError: fastText is not installed.
        ModelSourceError: The file is not a whole classifier.
    """

    columns = ("id", "text")
    may_have: tuple[str, ...] = ()

    def __init__(self, name: str, config: FastTextFilter) -> None:
        where = f"filters.{name}"
        labels = fasttext_labels(config.fasttext, where=where)
        if config.label not in labels:
            raise ConfigError(
                f"the model has no label {config.label!r}", where=where, cure=nearest(config.label, labels)
            )
        fasttext = require("fasttext", cure=_CURE)
        try:
            self._model = fasttext.load_model(str(config.fasttext)).f
        except (ValueError, RuntimeError, MemoryError) as error:
            raise ModelSourceError(
                f"fastText cannot load the model: {error}",
                where=f"{where}: {config.fasttext}",
                cure="check it",
            ) from error
        self._name = name
        self._label, self._labels = config.label, labels
        self._unmeasured = 0
        self._bound: Bound | None = config.bound

    @property
    def bound(self) -> Bound | None:
        """See `Adapter.bound`."""
        return self._bound

    def judge(self, batch: pa.RecordBatch) -> Judged:
        """See `Adapter.judge`."""
        assert self._bound is not None  # noqa: S101 - the config asks for it
        lines = pc.replace_substring_regex(batch.column("text"), r"[\r\n]+", " ").to_pylist()
        scores = np.fromiter((self._score(line) for line in lines), dtype=np.float64, count=len(lines))
        self._unmeasured += int(np.isnan(scores).sum())
        return Judged(self._bound.keep(scores), scores)

    def _score(self, line: str) -> float:
        """Return the label's probability; NaN for a text of which the model knows nothing."""
        try:
            found = self._model.predict(f"{line}\n", len(self._labels), -1.0, "strict")
        except (RuntimeError, ValueError) as error:  # numbers in the model that are not finite
            raise ModelSourceError(
                f"fastText cannot use the model: {error}",
                where=f"filters.{self._name}",
                cure="check the model",
            ) from error
        return next((chance for chance, label in found if label == self._label), math.nan)

    def finish(self) -> dict[str, Any]:
        """See `Adapter.finish`."""
        return {"label": self._label, **({"unmeasured": self._unmeasured} if self._unmeasured else {})}

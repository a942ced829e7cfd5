"""Read query and passage together: a cross-encoder (Nogueira and Cho 2019, arXiv:1901.04085)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import ModelSourceError
from hinterland.core.models import find_model
from hinterland.indexes.loading import loading
from hinterland.indexes.search_config import RerankConfig

__all__ = ["CrossEncoderReranker"]

Floats = NDArray[np.float64]


class CrossEncoderReranker:
    """A sentence-transformers cross-encoder with one output. It is loaded when it is first used.

    Args:
        config: Which model, and how it is used.

    Raises:
        ModelSourceError: There is no such model.
    """

    def __init__(self, config: RerankConfig) -> None:
        self.config, self._source = config, find_model(config.model)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the model's files."""
        return self._source.fingerprint()

    @cached_property
    def _model(self) -> Any:
        import torch
        from sentence_transformers import CrossEncoder

        device = self.config.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        with loading("the cross-encoder", self.config.model):
            model = CrossEncoder(self._source.location, device=device, activation_fn=torch.nn.Identity())
        if model.num_labels != 1:
            raise ModelSourceError(
                f"the model gives {model.num_labels} numbers for a pair, a reranker gives one",
                where=self.config.model,
                cure="give a cross-encoder that was trained to rank",
            )
        return model

    def scores(self, query: str, passages: Sequence[str]) -> Floats:
        """Return how well each passage answers the query, 0 to 1 (the logistic of the model's logit).

        Args:
            query: The query.
            passages: Passages, read as far as the model reads.

        Raises:
            ModelSourceError: The model cannot be loaded, or gives numbers that are not finite.
        """
        if not passages:
            return np.zeros(0)
        pairs = [(query, passage) for passage in passages]
        logits = self._model.predict(pairs, batch_size=self.config.batch_size, show_progress_bar=False)
        found = np.asarray(logits, dtype=np.float64).reshape(-1)
        if not np.isfinite(found).all():
            raise ModelSourceError(
                "the cross-encoder gave numbers that are not finite",
                where=self.config.model,
                cure="use another model",
            )
        return np.asarray(1 / (1 + np.exp(-found)))

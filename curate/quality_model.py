"""The saved quality classifier: a folder with ``model.json`` and ``weights.safetensors``.

No pickle: the weights are a plain array, and the description names the hash of its file
and the version of the hashing that gives its features.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import CorpusError, ModelSourceError
from hinterland.core.files import hash_file, write_json
from hinterland.curate.textfiles import Stamp, stamp

__all__ = ["QualityModel", "find_quality_model", "load_quality_model"]

DESCRIPTION, WEIGHTS = "model.json", "weights.safetensors"
_KIND, _FORMAT = "hinterland-quality-classifier", 1
_CURE = "give the folder that curate train-quality wrote"
_DECIMALS = 6


@dataclass(frozen=True, eq=False)
class QualityModel:
    """Logistic regression on hashed unigrams and bigrams, each row scaled to length 1.

    Attributes:
        weights: One per feature, float32, shape (FEATURES,).
        intercept: The log odds of a text without known words.
        damped: Whether a count c enters as 1 + log c, or as it is.
    """

    weights: NDArray[np.float32]
    intercept: float
    damped: bool

    def probability(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return each text's probability of being a positive, 6 decimals, shape (texts,).

        NaN for a text without a word.
        """
        from hinterland.curate.hashing import words
        from hinterland.curate.kernels.hashed import linear

        return self.from_margin(linear(words(texts), self.weights, damped=self.damped))

    def from_margin(self, products: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probabilities for rows' products with the weights, shape (rows,)."""
        margin = products + self.intercept
        small = np.exp(-np.abs(margin))
        chance = np.where(margin >= 0, 1, small) / (1 + small)
        return np.asarray(np.round(chance, _DECIMALS), dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write the model into ``folder``.

        Raises:
            StorageError: The folder cannot be written.
        """
        from safetensors.numpy import save

        from hinterland.core.files import atomic_path
        from hinterland.curate.hashing import VERSION

        with atomic_path(folder / WEIGHTS) as temporary:
            temporary.write_bytes(save({"weights": self.weights}))
        write_json(
            folder / DESCRIPTION,
            {
                "kind": _KIND,
                "format": _FORMAT,
                "hashing": VERSION,
                "features": len(self.weights),
                "intercept": self.intercept,
                "damped": self.damped,
                "sha256": hash_file(folder / WEIGHTS),
            },
        )


def find_quality_model(path: str | Path) -> Path:
    """Return the model's folder: ``path`` itself, or ``model`` in it (a run's folder).

    Raises:
        ModelSourceError: Neither holds a model.
    """
    path = Path(path).expanduser()
    for folder in (path, path / "model"):
        if (folder / DESCRIPTION).is_file():
            return folder
    raise ModelSourceError(
        f"no quality classifier here: {DESCRIPTION} is missing", where=str(path), cure=_CURE
    )


def load_quality_model(path: str | Path) -> QualityModel:
    """Return the model at ``path``; read once in a process unless a file changes.

    Raises:
        ModelSourceError: There is none, it is damaged, or it is for another hashing.
    """
    folder = find_quality_model(path)
    try:
        return _load(folder, stamp(folder / DESCRIPTION), stamp(folder / WEIGHTS))
    except CorpusError as error:
        raise ModelSourceError(error.found, where=error.where, cure=_CURE) from error


@cache
def _load(folder: Path, _description: Stamp, _weights: Stamp) -> QualityModel:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    from hinterland.curate.hashing import VERSION
    from hinterland.curate.kernels.hashed import FEATURES

    described = _described(folder / DESCRIPTION)
    if described.get("kind") != _KIND or described.get("format") != _FORMAT:
        raise ModelSourceError("not a quality classifier of this version", where=str(folder), cure=_CURE)
    if described.get("hashing") != VERSION:
        raise ModelSourceError(
            f"made for the word hashing {described.get('hashing')!r}, this is {VERSION!r}",
            where=str(folder),
            cure="train it again with curate train-quality",
        )
    if hash_file(folder / WEIGHTS) != described.get("sha256"):
        raise ModelSourceError("the weights are not those of model.json", where=str(folder), cure=_CURE)
    try:
        weights = load((folder / WEIGHTS).read_bytes())["weights"]
        intercept = float(described["intercept"])
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelSourceError(f"the model cannot be read: {error}", where=str(folder), cure=_CURE) from error
    sound = weights.shape == (FEATURES,) and weights.dtype == np.float32 and np.isfinite(weights).all()
    if not sound or not math.isfinite(intercept):
        raise ModelSourceError("the weights are not numbers of this format", where=str(folder), cure=_CURE)
    return QualityModel(weights, intercept, bool(described.get("damped")))


def _described(path: Path) -> dict[str, Any]:
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelSourceError(f"not readable as JSON: {error}", where=str(path), cure=_CURE) from error
    return described if isinstance(described, dict) else {}

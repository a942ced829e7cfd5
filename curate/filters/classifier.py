"""GPT-3's quality filter: a classifier that likes what resembles chosen texts.

Brown et al. (2020, arXiv:2005.14165, appendix A) train logistic regression on hashed words
to tell WebText, books and Wikipedia from Common Crawl. What it takes for quality is what
those texts are like: Gururangan et al. (2022, arXiv:2201.10474) find that it prefers school
newspapers of larger, richer, urban schools. There is no default rule, and no default model:
train one with ``hinterland curate train-quality`` and read its card.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from hinterland.core.errors import ConfigError
from hinterland.core.files import hash_file
from hinterland.core.run import fingerprint
from hinterland.curate.filter import FILTERS, Scores
from hinterland.curate.quality_model import DESCRIPTION, WEIGHTS, find_quality_model, load_quality_model
from hinterland.curate.rule import Rule

__all__ = ["Quality"]


@FILTERS.register("quality")
@dataclass(frozen=True)
class Quality:
    """The probability that a text is one of the classifier's positives.

    Column: ``quality.score`` (0 to 1; NaN for a text without a word). GPT-3's rule on it
    is a probability of keeping, (2 − score)^−9, and is part of deciding.

    Args:
        model: The folder that ``curate train-quality`` wrote.
    """

    name: ClassVar[str] = "quality"
    variant: ClassVar[str] = "gpt3"
    rules: ClassVar[tuple[Rule, ...]] = ()
    model: str | None = None

    def content(self) -> str:
        """Return a hash of the model's files.

        Raises:
            ConfigError: No model is given.
            ModelSourceError: There is none at that place.
        """
        folder = find_quality_model(self._model())
        files = [folder / DESCRIPTION, folder / WEIGHTS]
        return fingerprint(*(hash_file(file) if file.is_file() else "" for file in files))

    def score(self, texts: Sequence[str]) -> Scores:
        """See `Filter.score`.

        Raises:
            ConfigError: No model is given.
            ModelSourceError: There is none at that place, or it is damaged.
        """
        return {"quality.score": load_quality_model(self._model()).probability(texts)}

    def _model(self) -> str:
        if not self.model:
            raise ConfigError(
                "no quality classifier is given",
                where="quality.model",
                cure="train one with hinterland curate train-quality, then "
                "give options: {quality: {model: FOLDER}}",
            )
        return self.model

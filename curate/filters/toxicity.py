"""The probability that a text is toxic, by a bundled classifier or one that is named.

No default rule drops by it. Such classifiers take words for meaning: they flag African
American English about twice as often (Sap et al. 2019, "The Risk of Racial Bias in Hate
Speech Detection"; Davidson et al. 2019, arXiv:1905.12516) and neutral mentions of
minorities, so that filters which drop by word lists or scores remove their texts first
(Dodge et al. 2021, arXiv:2104.08758). A model trained on text filtered so is also worse at
recognising toxic text (Longpre et al. 2023, arXiv:2305.13169: sampling against the filter
can serve better). So the score is a column, which deciding can sample by, and auditing can
break down by place and source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hinterland.core.errors import ConfigError
from hinterland.core.models import find_model
from hinterland.core.run import fingerprint
from hinterland.curate.filter import FILTERS, Scores
from hinterland.curate.rule import Rule

__all__ = ["Toxicity"]

#: Names by which classifiers call the label, where none is given.
USUAL_LABELS = ("toxic", "toxicity", "hate", "hateful", "offensive", "label_1")
_DECIMALS = 6


@FILTERS.register("toxicity")
@dataclass(frozen=True)
class Toxicity:
    """One column, ``toxicity.score``: 0 to 1, NaN for a text without a word.

    The bundled classifier (alt-profanity-check, English) reads the whole text as a bag of
    words: it sees swearing, not contempt in polite words, and a curse in a long text
    weighs less than in a short one. Measured by bench/toxicity.py, it finds web sentences
    that Perspective calls toxic with an AUC of 0.88, and on HateCheck, whose words mislead
    on purpose, is no better than chance: it flags 84 % of the sentences there that name
    gay people without hate.

    Args:
        model: A text-classification model of transformers by hub id or folder; none given
            is the bundled one.
        label: The label that counts; a usual name ("toxic", "hate") if none is given.
        max_tokens: Where a named model's texts are cut.
        device: Where a named model runs ("cpu", "cuda").
        batch_size: Texts of equal length that a named model reads at once; with more than
            one, a score's last digit can depend on what stands beside it.

    Raises:
        ConfigError: An option is out of range.
    """

    name: ClassVar[str] = "toxicity"
    variant: ClassVar[str] = "ours"
    rules: ClassVar[tuple[Rule, ...]] = ()
    model: str | None = None
    label: str | None = None
    max_tokens: int = 512
    device: str = "cpu"
    batch_size: int = 1

    def __post_init__(self) -> None:
        if self.max_tokens < 3:
            raise ConfigError(f"max_tokens is {self.max_tokens}", where=self.name, cure="give 3 or more")
        if self.batch_size < 1:
            raise ConfigError(f"batch_size is {self.batch_size}", where=self.name, cure="give 1 or more")
        if self.label is not None and self.model is None:
            raise ConfigError(
                "a label without a model: the bundled classifier has one score",
                where="toxicity.label",
                cure="give toxicity.model too, or leave label out",
            )

    def content(self) -> str:
        """Return a hash of the classifier; errors as `score`."""
        if self.model:
            return fingerprint(find_model(self.model).fingerprint())
        from hinterland.curate.bundled_toxicity import bundled_content

        return bundled_content()

    def score(self, texts: Sequence[str]) -> Scores:
        """See `Filter.score`.

        Raises:
            ConfigError: The model has no such label.
            MissingDependencyError: alt-profanity-check is not installed.
            ModelSourceError: The model cannot be had or read.
        """
        if self.model is None:
            from hinterland.curate.bundled_toxicity import bundled_scores

            return {"toxicity.score": np.round(bundled_scores(texts), _DECIMALS)}
        from hinterland.curate.text_classifier import label_index, label_probabilities, load_text_classifier

        model, tokenizer = load_text_classifier(self.model, self.device)
        index = label_index(model, self.label, USUAL_LABELS, where="toxicity.label")
        scores = label_probabilities(
            model, tokenizer, texts, index, max_tokens=self.max_tokens, batch_size=self.batch_size
        )
        return {"toxicity.score": scores}

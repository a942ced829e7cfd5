"""How well a language model predicts each document, in bits per byte.

CCNet sorts web pages by perplexity under a model of Wikipedia (Wenzek et al. 2020,
arXiv:1911.00359). Bits per byte is the same measure per byte of text in place of token, so
that it can be compared between models (perplexity per byte is 2 to its power). A low value
means like what the model was trained on, which also favours the places and dialects in it
(Lucy et al. 2024, arXiv:2401.06408); there is no default rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from hinterland.core.errors import ConfigError
from hinterland.core.models import find_model
from hinterland.curate.filter import FILTERS, Scores
from hinterland.curate.rule import Rule

__all__ = ["Perplexity"]


@cache
def _loaded(spec: str, device: str) -> tuple[Any, Any]:
    """Return the model and its tokenizer; loaded once in a process."""
    from hinterland.curate.perplexity import load_causal_lm

    model, tokenizer = load_causal_lm(spec)
    return model.to(device), tokenizer


@FILTERS.register("perplexity")
@dataclass(frozen=True)
class Perplexity:
    """Bits per byte of every document's beginning under a language model.

    Column: ``perplexity.bits_per_byte`` (NaN for fewer than two tokens). Every document is
    read: a model of 135 million parameters takes one core about a second for each 1,000
    characters. ``quality.model`` of the config measures a sample and predicts the rest.

    Args:
        model: A causal language model: hub id, folder, GGUF file or ``pypi:PACKAGE``.
        max_tokens: The tokens read of each document.
        device: Where the model runs ("cpu", "cuda").
        batch_size: Texts of equal length read at once; with more than one, a value's last
            digit can depend on what stands beside it.

    Raises:
        ConfigError: An option is out of range.
    """

    name: ClassVar[str] = "perplexity"
    variant: ClassVar[str] = "ours"
    rules: ClassVar[tuple[Rule, ...]] = ()
    model: str | None = None
    max_tokens: int = 256
    device: str = "cpu"
    batch_size: int = 1

    def __post_init__(self) -> None:
        for option, least in (("max_tokens", 2), ("batch_size", 1)):
            if getattr(self, option) < least:
                raise ConfigError(
                    f"{option} is {getattr(self, option)}", where=self.name, cure=f"give {least} or more"
                )

    def content(self) -> str:
        """Return a hash of the model's files; errors as `score`."""
        return find_model(self._model()).fingerprint()

    def score(self, texts: Sequence[str]) -> Scores:
        """See `Filter.score`.

        Raises:
            ConfigError: No model is given.
            ModelSourceError: The model cannot be had or loaded.
        """
        from hinterland.curate.perplexity import bits_per_byte

        model, tokenizer = _loaded(self._model(), self.device)
        clean = [text.encode("utf-8", "replace").decode() for text in texts]  # no lone surrogates
        values = bits_per_byte(
            model, tokenizer, clean, max_tokens=self.max_tokens, batch_size=self.batch_size, label=None
        )
        return {"perplexity.bits_per_byte": values}

    def _model(self) -> str:
        if not self.model:
            raise ConfigError(
                "no language model is given",
                where="perplexity.model",
                cure="give options: {perplexity: {model: ID or FOLDER}}",
            )
        return self.model

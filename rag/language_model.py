"""The user's language model as a helper of retrieval: it writes queries and scores continuations.

An OpenAI-compatible endpoint gives log-probabilities of what it says, not of a text it is
handed. llama.cpp's server takes a grammar; one that allows a single text makes the model say
just that, and the log-probabilities are those before the grammar. So a given continuation is
scored in one call. Where an endpoint ignores the grammar, its answer is another text, and is
refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from pydantic import Field

from hinterland.core.config import Config, parse_config
from hinterland.core.errors import EndpointError
from hinterland.rag.client import ChatClient, EndpointConfig
from hinterland.rag.local import LocalModelConfig, serve_local

__all__ = ["EndpointLanguageModel", "LanguageModelConfig", "open_language_model"]


class LanguageModelConfig(Config):
    """Which model is asked.

    Attributes:
        endpoint: Any OpenAI-compatible endpoint; ``null`` serves ``local``.
        local: The model that is served on this machine where no endpoint is given.
    """

    endpoint: EndpointConfig | None = None
    local: LocalModelConfig = Field(default_factory=LocalModelConfig)


class EndpointLanguageModel:
    """A model behind an endpoint, as `hinterland.indexes.adapt_retriever` asks it."""

    def __init__(self, client: ChatClient) -> None:
        self._client = client

    @property
    def fingerprint(self) -> str:
        """A hash of the model and the settings that its answers depend on."""
        return self._client.fingerprint

    def generate(self, prompt: str) -> str:
        """Return the model's answer to one message.

        Raises:
            EndpointError: It does not answer.
        """
        return self._client.chat([{"role": "user", "content": prompt}]).text

    def log_probability(self, context: str, continuation: str) -> float:
        """Return the mean natural log-probability of the continuation's tokens after ``context``.

        The tokens are those that the model would choose to say this text with.

        Raises:
            EndpointError: It does not answer, gives no log-probabilities, or does not keep to
                a grammar, as others than llama.cpp's server do not.
        """
        if not continuation:
            return float("nan")
        settings = self._client.config
        answer = self._client.post(
            "/completions",
            {
                **settings.extra_body,
                "model": settings.model,
                "prompt": context,
                "grammar": f"root ::= {_literal(continuation)}",
                "max_tokens": 4 * len(continuation.encode()),
                "temperature": 0,
                "logprobs": 1,
                "stream": False,
            },
        )
        said, logs = _said(answer)
        if said != continuation or not logs:
            raise EndpointError(
                f"the endpoint scores no given text: it said {said[:70]!r}, {len(logs)} log-probabilities",
                where=settings.base_url,
                cure="serve the model with llama.cpp, or set language_model.provider: transformers",
            )
        return sum(logs) / len(logs)


def _literal(text: str) -> str:
    r"""Return a text as a string of GBNF, which knows fewer escapes than JSON.

    >>> print(_literal('a "b"\f'))
    "a \"b\"\x0C"
    """
    quoted = "".join(
        f"\\{each}" if each in '"\\' else f"\\x{ord(each):02X}" if ord(each) < 32 else each for each in text
    )
    return f'"{quoted}"'


def _said(answer: Mapping[str, Any]) -> tuple[str, list[float]]:
    """Return the text of a completion, and the log-probabilities of its tokens."""
    try:
        choice = answer["choices"][0]
        tokens = (choice.get("logprobs") or {}).get("content") or []
        # The last token ends the text, and is no part of it.
        return str(choice["text"]), [float(token["logprob"]) for token in tokens if token["bytes"]]
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        return "", []


@contextmanager
def open_language_model(settings: Mapping[str, Any]) -> Iterator[EndpointLanguageModel]:
    """Open the endpoint, or serve the local model, for as long as the context lasts.

    Raises:
        ConfigError: The settings are not those of `LanguageModelConfig`.
        EndpointError: The key is not set, or the local server did not come up.
    """
    config = parse_config(LanguageModelConfig, settings, where="language_model")
    with ExitStack() as stack:
        endpoint = config.endpoint or stack.enter_context(serve_local(config.local))
        yield EndpointLanguageModel(stack.enter_context(ChatClient(endpoint)))

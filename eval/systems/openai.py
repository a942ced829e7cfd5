"""A model alone, behind any OpenAI-compatible chat endpoint."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from hinterland.core.config import Config, parse_config
from hinterland.core.errors import EndpointError
from hinterland.core.run import fingerprint
from hinterland.core.system import Answer, Usage
from hinterland.eval.systems.base import SYSTEMS

if TYPE_CHECKING:
    import httpx

__all__ = ["OpenAIConfig", "OpenAISystem"]

_AGAIN = {408, 409, 429, 500, 502, 503, 504}


class OpenAIConfig(Config):
    """Options of the kind ``openai``.

    Attributes:
        base_url: Up to and including ``/v1``.
        model: The model's name there.
        prompt: What is sent; ``{question}`` stands for the question.
        system_prompt: Sent before it, if not empty.
        max_tokens: The longest answer.
        temperature: 0 takes the likeliest word each time.
        api_key_env: The environment variable that holds the key; never written anywhere.
        timeout: Seconds to wait for an answer.
        retries: Further tries after a busy or broken connection.
        wait: Seconds before the first further try; doubled each time.
        revision: Names the weights. Answers are remembered by address and model name, or,
            if this is given, by it alone, so that a server may move to another port.
    """

    base_url: str
    model: str
    prompt: str = "{question}"
    system_prompt: str = "Answer with the bare fact: a name, a number or a few words. No sentence."
    max_tokens: int = Field(default=48, ge=1)
    temperature: float = Field(default=0.0, ge=0.0)
    api_key_env: str = "OPENAI_API_KEY"
    timeout: float = Field(default=120.0, gt=0)
    retries: int = Field(default=3, ge=0)
    wait: float = Field(default=1.0, ge=0)
    revision: str = ""


class OpenAISystem:
    """Closed-book: the model sees the question and nothing else.

    Args:
        name: The name in tables.
        config: Where and how to ask.
    """

    def __init__(self, name: str, config: OpenAIConfig) -> None:
        self.name, self.config = name, config
        self._http: httpx.Client | None = None

    @property
    def fingerprint(self) -> str:
        """A hash of the model, where it is, the prompts and the sampling."""
        config = self.config
        which = config.revision or f"{config.base_url.rstrip('/')} {config.model}"
        return fingerprint(
            "openai", which, config.prompt, config.system_prompt, config.max_tokens, config.temperature
        )

    def _client(self) -> httpx.Client:
        if self._http is None:
            import httpx

            key = os.environ.get(self.config.api_key_env, "") if self.config.api_key_env else ""
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            self._http = httpx.Client(headers=headers, timeout=self.config.timeout)
        return self._http

    def answer(self, question: str) -> Answer:
        """Ask the endpoint.

        Raises:
            EndpointError: It cannot be reached, refuses, or answers with something else.
        """
        config, start = self.config, time.perf_counter()
        messages = [{"role": "user", "content": config.prompt.replace("{question}", question)}]
        if config.system_prompt:
            messages.insert(0, {"role": "system", "content": config.system_prompt})
        reply = self._post(
            {
                "model": config.model,
                "messages": messages,
                "max_tokens": config.max_tokens,
                "temperature": config.temperature,
            }
        )
        try:
            text = reply["choices"][0]["message"]["content"] or ""
            usage = reply.get("usage") or {}
            tokens = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            raise self._error("the reply is no chat completion", "give the address up to /v1") from error
        if not isinstance(text, str):
            raise self._error("the reply's content is no text", "give a chat model")
        return Answer(text.strip(), usage=Usage(*tokens, seconds=time.perf_counter() - start))

    def _post(self, body: dict[str, Any]) -> Any:
        """Send a request, again while the endpoint is busy, and return its JSON."""
        import httpx

        url = f"{self.config.base_url.rstrip('/')}/chat/completions"
        for attempt in range(self.config.retries + 1):
            if attempt:
                time.sleep(self.config.wait * 2 ** (attempt - 1))
            try:
                response = self._client().post(url, json=body)
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise self._error(f"not an address: {error}", "write http://host:port/v1") from error
            except httpx.TimeoutException as error:
                problem = self._error(f"no answer within {self.config.timeout:g} s", "raise timeout", error)
            except httpx.HTTPError as error:
                problem = self._error(f"cannot reach the endpoint: {error}", "see that it is up", error)
            else:
                if response.is_success:
                    try:
                        return response.json()
                    except ValueError as error:
                        raise self._error("the reply is not JSON", "give the address up to /v1") from error
                problem = self._error(
                    f"HTTP {response.status_code}: {' '.join(response.text.split())[:200]}",
                    f"set {self.config.api_key_env}" if response.status_code in (401, 403) else "",
                )
                if response.status_code not in _AGAIN:
                    break
        raise problem

    def _error(self, found: str, cure: str, cause: Exception | None = None) -> EndpointError:
        error = EndpointError(found, where=self.config.base_url, cure=cure)
        error.__cause__ = cause
        return error


@SYSTEMS.register("openai")
def _openai(name: str, options: Mapping[str, Any]) -> OpenAISystem:
    return OpenAISystem(name, parse_config(OpenAIConfig, options, where=f"system {name!r}"))

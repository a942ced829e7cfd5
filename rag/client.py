"""Ask any OpenAI-compatible endpoint; every failure ends in one message that names the cure."""

from __future__ import annotations

import ipaddress
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, field_validator

from hinterland.core.config import Config
from hinterland.core.errors import EndpointError
from hinterland.core.run import fingerprint
from hinterland.core.system import Usage

if TYPE_CHECKING:
    import httpx

__all__ = ["ChatClient", "Completion", "EndpointConfig", "Message"]

#: One turn: ``{"role": "user", "content": "…"}``.
Message = Mapping[str, str]

_RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_LONGEST_WAIT = 30.0  # seconds between two tries, also where the server asks for more


class EndpointConfig(Config):
    """Where a model answers, and how it is asked.

    Attributes:
        base_url: The address up to and with ``/v1``.
        model: The name the endpoint knows the model by.
        api_key_env: The environment variable that holds the key; keys are never in files.
        temperature: ``null`` leaves it out, for models that refuse it.
        seed: ``null`` leaves it out.
        max_tokens: The longest answer, in tokens.
        max_tokens_field: What the endpoint calls that (``max_completion_tokens``, for some).
        timeout: Seconds for one try.
        retries: Further tries after overload, server errors and broken connections.
        backoff: Seconds before the second try; each further wait is twice as long.
        extra_body: Further keys of the request.
        identity: What the model is, where its address does not say (a local server's port
            changes with every start); part of a system's fingerprint.
    """

    base_url: str
    model: str
    api_key_env: str | None = None
    temperature: float | None = 0.0
    seed: int | None = 0
    max_tokens: int = Field(default=64, ge=1)
    max_tokens_field: str = "max_tokens"
    timeout: float = Field(default=120.0, gt=0)
    retries: int = Field(default=4, ge=0, le=20)
    backoff: float = Field(default=0.5, ge=0)
    extra_body: dict[str, Any] = Field(default_factory=dict)
    identity: str = ""

    @field_validator("base_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        try:
            whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # the port is no number
            whole = False
        if not whole:
            raise ValueError("give an address such as https://api.example.com/v1")
        if parts.username or parts.password:
            raise ValueError("no user or password in an address: name a variable in api_key_env")
        return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), parts.query, ""))

    @property
    def is_loopback(self) -> bool:
        """Whether the address is this machine's own."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model said.

    Attributes:
        text: Its words.
        usage: Tokens and seconds.
        finish_reason: ``stop``, or ``length`` where the answer was cut off.
        model: The model that answered, as the endpoint names it.
    """

    text: str
    usage: Usage
    finish_reason: str = ""
    model: str = ""


class ChatClient:
    """A client for one model behind an OpenAI-compatible endpoint.

    Args:
        config: The endpoint.
        sleep: Waits between tries.

    Raises:
        EndpointError: The variable that should hold the key is not set.
    """

    def __init__(self, config: EndpointConfig, *, sleep: Callable[[float], None] = time.sleep) -> None:
        import httpx

        self.config = config
        self._sleep = sleep
        self._key = ""
        headers = {}
        if config.api_key_env:
            self._key = os.environ.get(config.api_key_env, "").strip()
            if not self._key:
                raise EndpointError(
                    f"the environment variable {config.api_key_env} is not set",
                    where=config.base_url,
                    cure=f"export {config.api_key_env}=…",
                )
            headers["Authorization"] = f"Bearer {self._key}"
        self._http = httpx.Client(
            headers=headers,
            timeout=httpx.Timeout(config.timeout, connect=min(config.timeout, 10.0)),
            trust_env=not config.is_loopback,  # a proxy cannot reach this machine's own address
            follow_redirects=False,  # a redirect would carry the key elsewhere
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __repr__(self) -> str:
        return f"ChatClient({self.config.base_url!r}, {self.config.model!r})"

    @property
    def fingerprint(self) -> str:
        """A hash of the model and the settings that answers depend on; no key, no timeouts."""
        config = self.config
        return fingerprint(
            config.identity or config.base_url,
            config.model,
            config.temperature,
            config.seed,
            config.max_tokens,
            config.extra_body,
        )

    def chat(self, messages: Sequence[Message], **settings: Any) -> Completion:
        """Return the model's answer to ``messages``.

        Args:
            messages: The turns so far.
            settings: Keys of the request that win over the config's (``stop``, ``max_tokens``).

        Raises:
            EndpointError: The endpoint cannot be reached, refuses, or answers with
                something that is not a chat completion.
        """
        config = self.config
        body: dict[str, Any] = {"model": config.model, "messages": [dict(turn) for turn in messages]}
        body[config.max_tokens_field] = config.max_tokens
        body["stream"] = False  # said, because some servers stream unless told not to
        if config.temperature is not None:
            body["temperature"] = config.temperature
        if config.seed is not None:
            body["seed"] = config.seed
        body.update(config.extra_body)
        body.update(settings)
        start = time.perf_counter()
        answer = self._json(self._send("POST", "/chat/completions", body))
        return self._completion(answer, time.perf_counter() - start)

    def models(self) -> list[str]:
        """Return the models that the endpoint lists.

        Raises:
            EndpointError: It cannot be reached, or does not list any.
        """
        listed = self._json(self._send("GET", "/models"))
        entries = listed.get("data")
        if not isinstance(entries, list):
            raise EndpointError("the endpoint lists no models", where=self._address("/models"))
        return [str(entry["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry]

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the endpoint's JSON answer to a request of another kind, such as ``/completions``.

        Raises:
            EndpointError: It cannot be reached, refuses, or answers with something else.
        """
        return self._json(self._send("POST", path, body))

    def _address(self, path: str) -> str:
        parts = urlsplit(self.config.base_url)
        return urlunsplit((parts.scheme, parts.netloc, parts.path + path, parts.query, ""))

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Send a request, again after failures that may pass."""
        import httpx

        address = self._address(path)
        tries = self.config.retries + 1
        for attempt in range(tries):
            last = attempt + 1 == tries
            try:
                response = self._http.request(method, address, json=body)
            except httpx.HTTPError as error:
                if last:
                    raise self._unreachable(error, address, tries) from error
                self._sleep(self._wait(attempt, ""))
                continue
            if response.is_success:
                return response
            if response.status_code not in _RETRIED or last:
                raise self._refused(response, address, attempt + 1)
            self._sleep(self._wait(attempt, response.headers.get("retry-after", "")))
        raise AssertionError("unreachable: the last try returns or raises")

    def _wait(self, attempt: int, asked: str) -> float:
        """Return the seconds to wait: what the server asks for, else twice as long each time."""
        try:
            wanted = float(asked)
        except ValueError:  # absent, or a date
            wanted = self.config.backoff * 2.0**attempt
        return min(max(wanted, 0.0), _LONGEST_WAIT)

    def _unreachable(self, error: Exception, address: str, tries: int) -> EndpointError:
        import httpx

        if isinstance(error, httpx.ConnectTimeout):
            found, cure = "no connection within the time", "check the address and the network"
        elif isinstance(error, httpx.TimeoutException):
            found = f"no answer within {self.config.timeout:g} s"
            cure = "raise timeout, or lower max_tokens"
        elif isinstance(error, httpx.ConnectError):
            found, cure = f"cannot connect: {error}", "check base_url, and that the server runs"
        else:
            found, cure = f"the connection broke: {error or type(error).__name__}", "try again"
        return EndpointError(self._clean(f"{found} ({tries} tries)"), where=address, cure=cure)

    def _refused(self, response: httpx.Response, address: str, tries: int) -> EndpointError:
        status = response.status_code
        said = self._clean(_complaint(response))
        variable = self.config.api_key_env
        if status in (401, 403):
            cure = (
                f"set the environment variable {variable} to a valid key"
                if variable
                else "name the variable that holds the key in api_key_env"
            )
        elif status == 404:
            cure = self._known_models()
        elif status == 429:
            cure = "wait, or raise retries; the account may have no quota left"
        elif 300 <= status < 400:
            cure = f"set base_url to where it points: {response.headers.get('location', '?')}"
        elif status >= 500:
            cure = "the server failed: try again, or look into its log"
        else:
            cure = "change what the endpoint complains of; extra_body and max_tokens_field may help"
        times = f" ({tries} tries)" if tries > 1 else ""
        return EndpointError(f"status {status}{times}: {said}", where=address, cure=cure)

    def _known_models(self) -> str:
        """Return the cure for a 404: the wrong model, or the wrong address."""
        try:
            listed = self._json(self._http.get(self._address("/models"))).get("data", [])
            names = [str(entry["id"]) for entry in listed]
        except Exception:  # whatever goes wrong here, the 404 is what the user should read
            names = []
        if names and self.config.model not in names:
            return f"there is no model {self.config.model!r}; the endpoint lists: {', '.join(names[:20])}"
        return "check base_url: it ends in /v1 for most endpoints"

    def _json(self, response: httpx.Response) -> dict[str, Any]:
        try:
            value = response.json()
        except ValueError:
            value = None
        if not isinstance(value, dict):
            shown = self._clean(" ".join(response.text[:200].split()))
            raise EndpointError(
                f"the answer is not JSON: {shown!r}",
                where=str(response.url),
                cure="check base_url: this may be a web page",
            )
        return value

    def _completion(self, answer: dict[str, Any], seconds: float) -> Completion:
        try:
            choice = answer["choices"][0]
            text = choice["message"].get("content")
            used = answer.get("usage") or {}
            return Completion(
                text=str(text) if text is not None else "",
                usage=Usage(
                    int(used.get("prompt_tokens") or 0), int(used.get("completion_tokens") or 0), seconds
                ),
                finish_reason=str(choice.get("finish_reason") or ""),
                model=str(answer.get("model") or ""),
            )
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            raise EndpointError(
                f"the answer is not a chat completion: {self._clean(str(answer)[:200])}",
                where=self._address("/chat/completions"),
                cure="check base_url and model",
            ) from error

    def _clean(self, text: str) -> str:
        """Return ``text`` without the key, should an endpoint repeat it."""
        return text.replace(self._key, "***") if self._key else text


def _complaint(response: httpx.Response) -> str:
    """Return what an error response says, in a line."""
    try:
        value: Any = response.json()
    except ValueError:
        value = response.text
    if isinstance(value, dict):
        value = value.get("error", value.get("detail", value))
    if isinstance(value, dict):
        value = value.get("message", value)
    line = " ".join(str(value).split())[:300]
    return line or response.reason_phrase or "no reason given"

"""The client over a real socket: what it sends, what it retries, what it says of failures."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from hinterland.core.config import parse_config
from hinterland.core.errors import ConfigError, EndpointError
from hinterland.rag.client import ChatClient, EndpointConfig

QUESTION = [{"role": "user", "content": "What is the capital of Kenya?"}]


def test_a_completion(endpoint: Any, make_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-secret")
    client = make_client(api_key_env="TEST_KEY", extra_body={"top_p": 0.5})
    with client:
        said = client.chat(QUESTION, stop=["\n"])
    assert (said.text, said.finish_reason, said.model) == ("Nairobi [1]", "stop", "scripted-1")
    assert (said.usage.prompt_tokens, said.usage.completion_tokens) == (7, 2)
    assert said.usage.seconds > 0
    path, headers, body = endpoint.requests[0]
    assert path == "/v1/chat/completions"
    assert headers["authorization" if "authorization" in headers else "Authorization"] == "Bearer sk-secret"
    assert body == {
        "model": "scripted-1",
        "messages": QUESTION,
        "max_tokens": 64,
        "stream": False,
        "temperature": 0.0,
        "seed": 0,
        "top_p": 0.5,
        "stop": ["\n"],
    }
    assert "sk-secret" not in repr(client) + repr(client.config) + client.fingerprint


def test_what_an_endpoint_refuses_can_be_left_out(endpoint: Any, make_client: Any) -> None:
    make_client(temperature=None, seed=None, max_tokens_field="max_completion_tokens").chat(QUESTION)
    body = endpoint.requests[0][2]
    assert set(body) == {"model", "messages", "max_completion_tokens", "stream"}


def test_models(endpoint: Any, make_client: Any) -> None:
    client = make_client()
    assert client.models() == ["scripted-1", "other"]
    endpoint.models = endpoint.reply({"object": "list"})
    with pytest.raises(EndpointError, match="lists no models"):
        client.models()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again(endpoint: Any, make_client: Any, status: int) -> None:
    endpoint.replies = [
        endpoint.reply({"error": "busy"}, status),
        endpoint.reply("", status),
        endpoint.reply(),
    ]
    client = make_client()
    assert client.chat(QUESTION).text == "Nairobi [1]"
    assert client.waits == [0.5, 1.0]


def test_the_server_says_how_long_to_wait_within_reason(endpoint: Any, make_client: Any) -> None:
    endpoint.replies = [
        endpoint.reply("", 429, {"retry-after": "7"}),
        endpoint.reply("", 429, {"retry-after": "86400"}),
        endpoint.reply("", 429, {"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}),
        endpoint.reply(),
    ]
    client = make_client()
    client.chat(QUESTION)
    assert client.waits == [7.0, 30.0, 2.0]


def test_tries_are_bounded(endpoint: Any, make_client: Any) -> None:
    endpoint.replies = [endpoint.reply({"error": {"message": "quota used up"}}, 429)]
    with pytest.raises(EndpointError, match=r"status 429 \(3 tries\): quota used up") as error:
        make_client(retries=2).chat(QUESTION)
    assert "no quota left" in error.value.cure
    assert error.value.where == f"{endpoint.url}/chat/completions"
    assert len(endpoint.requests) == 3


@pytest.mark.parametrize(
    ("reply", "found", "cure"),
    [
        (
            {"body": {"error": {"message": "bad key"}}, "status": 401},
            "401: bad key",
            "TEST_KEY to a valid key",
        ),
        ({"body": {"detail": "forbidden"}, "status": 403}, "403: forbidden", "TEST_KEY"),
        ({"body": "", "status": 404}, "404: Not Found", "base_url"),
        ({"body": {"error": "no seed"}, "status": 400}, "400: no seed", "extra_body"),
        ({"body": "moved", "status": 308, "headers": {"location": "https://x/v1"}}, "308", "https://x/v1"),
        ({"body": "<html>" * 99, "status": 500}, "500", "server failed"),
    ],
)
def test_refusals_name_their_cure(
    endpoint: Any, make_client: Any, monkeypatch: pytest.MonkeyPatch, reply: dict, found: str, cure: str
) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-secret")
    endpoint.replies = [endpoint.reply(**reply)]
    with pytest.raises(EndpointError, match=found) as error:
        make_client(api_key_env="TEST_KEY", retries=0).chat(QUESTION)
    assert cure in error.value.cure
    assert len(str(error.value)) < 600


def test_a_wrong_model_is_told_the_right_ones(endpoint: Any, make_client: Any) -> None:
    endpoint.replies = [endpoint.reply({"error": {"message": "no such model"}}, 404)]
    with pytest.raises(EndpointError) as error:
        make_client(model="scripted-9").chat(QUESTION)
    assert error.value.cure == "there is no model 'scripted-9'; the endpoint lists: scripted-1, other"
    endpoint.models = endpoint.reply("not JSON")
    with pytest.raises(EndpointError) as error:
        make_client(model="scripted-9").chat(QUESTION)
    assert "base_url" in error.value.cure


def test_without_a_key_the_cure_is_to_name_one(endpoint: Any, make_client: Any) -> None:
    endpoint.replies = [endpoint.reply("", 401)]
    with pytest.raises(EndpointError) as error:
        make_client().chat(QUESTION)
    assert "api_key_env" in error.value.cure


def test_an_unset_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_KEY", raising=False)
    with pytest.raises(EndpointError, match="TEST_KEY is not set"):
        ChatClient(EndpointConfig(base_url="https://example.com/v1", model="m", api_key_env="TEST_KEY"))


def test_a_key_that_is_repeated_is_not_shown(
    endpoint: Any, make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-secret")
    endpoint.replies = [endpoint.reply({"error": {"message": "the key sk-secret is wrong"}}, 401)]
    with pytest.raises(EndpointError, match=r"the key \*\*\* is wrong"):
        make_client(api_key_env="TEST_KEY").chat(QUESTION)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("<html>hello</html>", "not JSON: '<html>hello</html>'"),
        ("[1, 2]", "not JSON"),
        ("", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ('{"choices": []}', "not a chat completion"),
        ('{"choices": [{"message": null}]}', "not a chat completion"),
        ('{"choices": 3}', "not a chat completion"),
        ('{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": "x"}}', "not a chat"),
    ],
)
def test_garbage(endpoint: Any, make_client: Any, body: str | bytes, found: str) -> None:
    endpoint.replies = [endpoint.reply(body)]
    with pytest.raises(EndpointError, match=found):
        make_client().chat(QUESTION)


def test_what_may_be_missing(endpoint: Any, make_client: Any) -> None:
    endpoint.replies = [endpoint.reply({"choices": [{"message": {"content": None}}], "usage": None})]
    said = make_client().chat(QUESTION)
    assert (said.text, said.usage.prompt_tokens, said.finish_reason) == ("", 0, "")


def test_timeouts_and_broken_connections(endpoint: Any, make_client: Any) -> None:
    endpoint.replies = [endpoint.reply(delay=1.0)]
    with pytest.raises(EndpointError, match=r"no answer within 0.2 s \(2 tries\)"):
        make_client(timeout=0.2, retries=1).chat(QUESTION)
    endpoint.replies = [endpoint.reply(hang_up=True), endpoint.reply()]
    client = make_client()
    assert client.chat(QUESTION).text == "Nairobi [1]"
    assert client.waits == [0.5]
    endpoint.replies = [endpoint.reply(hang_up=True)]
    with pytest.raises(EndpointError, match="connection broke"):
        make_client(retries=0).chat(QUESTION)


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    config = EndpointConfig(base_url=f"http://127.0.0.1:{port}/v1", model="m", retries=1)
    with ChatClient(config, sleep=lambda _: None) as client, pytest.raises(EndpointError) as error:
        client.chat(QUESTION)
    assert "cannot connect" in error.value.found
    assert "the server runs" in error.value.cure


def test_loopback_is_never_reached_through_a_proxy(make_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://192.0.2.1:9")
    assert make_client(retries=0, timeout=5).chat(QUESTION).text == "Nairobi [1]"


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost:1/v1", True),
        ("http://127.9.9.9/v1", True),
        ("http://[::1]:80/v1", True),
        ("https://api.example.com/v1/", False),
        ("http://10.0.0.1/v1", False),
    ],
)
def test_addresses(url: str, loopback: bool) -> None:
    config = EndpointConfig(base_url=url, model="m")
    assert config.is_loopback == loopback
    assert config.base_url.endswith("/v1")


@pytest.mark.parametrize(
    "url", ["api.example.com", "ftp://x/v1", "https://me:secret@example.com/v1", "http://", "http://x:80v1"]
)
def test_addresses_that_cannot_be(url: str) -> None:
    with pytest.raises(ConfigError, match="address"):
        parse_config(EndpointConfig, {"base_url": url, "model": "m"})


def test_fingerprints_tell_models_apart_and_not_ports() -> None:
    def of(**settings: Any) -> str:
        with ChatClient(
            EndpointConfig(**{"base_url": "http://127.0.0.1:1/v1", "model": "m", **settings})
        ) as c:
            return c.fingerprint

    assert of() != of(model="other")
    assert of() != of(base_url="http://127.0.0.1:2/v1")
    assert of(identity="x") == of(identity="x", base_url="http://127.0.0.1:2/v1")
    assert of() == of(timeout=1, retries=0)


def test_many_threads_share_a_client(endpoint: Any, make_client: Any) -> None:
    client = make_client()
    said: list[str] = []
    threads = [threading.Thread(target=lambda: said.append(client.chat(QUESTION).text)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == ["Nairobi [1]"] * 8

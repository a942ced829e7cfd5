from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hinterland.core.errors import ConfigError, EndpointError, RegistryError, StorageError
from hinterland.core.system import System
from hinterland.eval.runner import UnansweredError
from hinterland.eval.systems import SYSTEMS, OpenAIConfig, OpenAISystem, PredictionsSystem, build_system

Reply = tuple[int, Any]


def completion(text: str | None) -> dict[str, Any]:
    return {
        "choices": [{"message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 2},
    }


@contextmanager
def endpoint(*replies: Reply) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A real HTTP server on loopback that gives these replies, the last for ever."""
    seen: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append({"path": self.path, "key": self.headers.get("Authorization"), **body})
            status, reply = replies[min(len(seen), len(replies)) - 1]
            data = reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def system(url: str, **options: Any) -> OpenAISystem:
    built = build_system("openai", "m", {"base_url": url, "model": "tiny", "wait": 0.01, **options}, {})
    assert isinstance(built, OpenAISystem)
    return built


def close(asked: OpenAISystem) -> None:
    if asked._http is not None:
        asked._http.close()


def test_openai_asks_and_reads_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sesame")
    with endpoint((200, completion("  Nairobi \n"))) as (url, seen):
        asked = system(url, api_key_env="MY_KEY", prompt="Q: {question} {x}", max_tokens=7)
        answer = asked.answer("Capital of {question}?")
        close(asked)
    assert answer.text == "Nairobi"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (11, 2)
    assert answer.usage.seconds > 0
    (request,) = seen
    assert request["path"] == "/v1/chat/completions"
    assert request["key"] == "Bearer sesame"
    assert request["messages"][1] == {"role": "user", "content": "Q: Capital of {question}? {x}"}
    assert (request["model"], request["max_tokens"], request["temperature"]) == ("tiny", 7, 0.0)
    assert isinstance(asked, System)


def test_openai_tries_again_while_the_endpoint_is_busy() -> None:
    with endpoint((503, "busy"), (429, "slow down"), (200, completion(None))) as (url, seen):
        asked = system(url, system_prompt="")
        assert asked.answer("Q?").text == ""
        close(asked)
    assert len(seen) == 3
    assert len(seen[0]["messages"]) == 1
    assert seen[0]["key"] is None


@pytest.mark.parametrize(
    ("reply", "message", "calls"),
    [
        ((401, "bad key"), r"HTTP 401: bad key.*\n  → set OPENAI_API_KEY", 1),
        ((500, "x" * 999), r"HTTP 500: x{200} ", 3),
        ((200, "<html>"), "the reply is not JSON", 1),
        ((200, {"choices": []}), "no chat completion", 1),
        ((200, []), "no chat completion", 1),
        ((200, completion(None) | {"usage": {"prompt_tokens": "many"}}), "no chat completion", 1),
        ((200, {"choices": [{"message": {"content": [1]}}]}), "content is no text", 1),
    ],
)
def test_openai_says_what_is_wrong(reply: Reply, message: str, calls: int) -> None:
    with endpoint(reply) as (url, seen):
        asked = system(url, retries=2)
        with pytest.raises(EndpointError, match=message):
            asked.answer("Q?")
        close(asked)
    assert len(seen) == calls


def test_openai_names_an_endpoint_that_is_not_there() -> None:
    with endpoint((200, {})) as (url, _):
        pass
    for address, message in (
        (url, "cannot reach"),
        ("nonsense", "not an address"),
        ("http://a:b/v1", "not an address"),
    ):
        asked = system(address, retries=1)
        with pytest.raises(EndpointError, match=message):
            asked.answer("Q?")
        close(asked)


def test_openai_does_not_wait_for_ever() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        asked = system(f"http://127.0.0.1:{silent.getsockname()[1]}/v1", timeout=0.2, retries=0)
        with pytest.raises(EndpointError, match=r"no answer within 0\.2 s"):
            asked.answer("Q?")
        close(asked)


def test_openai_fingerprint_follows_all_that_matters() -> None:
    base = OpenAIConfig(base_url="http://a/v1", model="m")
    marks = {OpenAISystem("x", base).fingerprint, OpenAISystem("y", base).fingerprint}
    assert len(marks) == 1
    for change in (
        {"model": "n"},
        {"base_url": "http://b/v1"},
        {"prompt": "?"},
        {"max_tokens": 1},
        {"revision": "r"},
    ):
        marks.add(OpenAISystem("x", base.model_copy(update=change)).fingerprint)
    assert len(marks) == 6
    named = base.model_copy(update={"revision": "weights-1"})
    moved = named.model_copy(update={"base_url": "http://b/v1"})
    assert OpenAISystem("x", named).fingerprint == OpenAISystem("x", moved).fingerprint


def test_predictions_are_looked_up_by_id(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(
        '{"id": "a", "answer": "x", "documents": ["d2", "d1"]}\n'
        '{"id": "b", "answer": ""}\n'
        '{"id": "a", "answer": "second"}\n'
        '{"id": 3, "answer": "y"}\n'
        '{"id": "c", "answer": "y", "documents": "d"}\n'
    )
    built = build_system("predictions", "p", {"path": str(path)}, {"A?": "a", "B?": "b", "C?": "c"})
    assert isinstance(built, PredictionsSystem)
    answer = built.answer("A?")
    assert answer.text == "x"
    assert [passage.document_id for passage in answer.passages] == ["d2", "d1"]
    assert built.answer("B?").text == ""
    assert [line.reason for line in built.bad_lines] == [
        "a second answer to 'a'",
        "'id' and 'answer' are texts",
        "'documents' is not a list of ids",
    ]
    with pytest.raises(UnansweredError, match="no answer to 'c'"):
        built.answer("C?")
    with pytest.raises(UnansweredError, match="no answer to 'D"):
        built.answer("D?")
    before = built.fingerprint
    path.write_text('{"id": "a", "answer": "z"}\n')
    assert PredictionsSystem("p", path).fingerprint != before
    with pytest.raises(StorageError, match="No such file"):
        PredictionsSystem("p", tmp_path / "none")


def test_unknown_kinds_and_options_name_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="did you mean 'openai'"):
        build_system("opnai", "x", {}, {})
    with pytest.raises(ConfigError, match=r"unknown key 'modle'.*\(system 'x'\)\n.*did you mean 'model'"):
        build_system("openai", "x", {"base_url": "u", "model": "m", "modle": "m"}, {})
    with pytest.raises(ConfigError, match="path"):
        build_system("predictions", "x", {}, {})
    assert {"openai", "predictions"} <= set(SYSTEMS)


def test_a_dotted_path_leads_into_installed_packages_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sneaky.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(RegistryError, match="not in an installed package"):
        build_system("sneaky:build", "x", {}, {})
    for path, message in (
        ("hinterland.nowhere:build", "cannot be loaded"),
        ("hinterland.eval.systems.base:nothing", "cannot be loaded"),
        ("hinterland:__version__", "not a function"),
        (":build", "not in an installed package"),
    ):
        with pytest.raises(RegistryError, match=message):
            build_system(path, "x", {}, {})
    with pytest.raises(ConfigError, match="built a Answer, which is not a system"):
        build_system("hinterland.core.system:Answer", "x", {}, {})
    (tmp_path / "p.jsonl").write_text('{"id": "a", "answer": "x"}\n')
    built = build_system(
        "hinterland.eval.systems.predictions:_predictions",
        "p",
        {"path": str(tmp_path / "p.jsonl")},
        {"A?": "a"},
    )
    assert built.answer("A?").text == "x"

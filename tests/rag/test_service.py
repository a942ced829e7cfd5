"""The service on a real socket, and the commands."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hinterland.core.config import load_config, parse_config
from hinterland.core.errors import ConfigError, EndpointError, IndexBundleError
from hinterland.indexes.search import Index
from hinterland.rag import command, serve_command
from hinterland.rag.answer import RetrievalAugmented
from hinterland.rag.service import create_app

STARTER = Path(command.__file__).parents[1] / "configs" / "ask.yaml"


@pytest.fixture
def service(make_client: Any, index_root: Path) -> Iterator[httpx.Client]:
    import uvicorn

    system = RetrievalAugmented(make_client(retries=0), Index.open(index_root), k=2)
    app = create_app(system, max_body=20_000)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
            while not server.started:
                time.sleep(0.01)
            yield client
        server.should_exit = True
        thread.join()


def test_ask(service: httpx.Client) -> None:
    answer = service.post("/ask", json={"question": "What is the capital of Kenya?"}).json()
    assert (answer["answer"], answer["citations"]) == ("Nairobi", [1])
    assert answer["passages"][0]["document_id"] == "ken"
    assert answer["passages"][0]["number"] == 1
    assert answer["usage"]["prompt_tokens"] == 7


def test_health_and_models(service: httpx.Client) -> None:
    health = service.get("/health").json()
    assert (health["status"], health["system"]) == ("ok", "retrieval")
    assert [model["id"] for model in service.get("/v1/models").json()["data"]] == ["retrieval"]


@pytest.mark.parametrize(
    "content", ["What is the capital of Kenya?", [{"type": "text", "text": "What is the capital of Kenya?"}]]
)
def test_chat_completions(service: httpx.Client, content: Any) -> None:
    body = {
        "model": "any",
        "temperature": 0.3,
        "messages": [{"role": "system", "content": "x"}, {"role": "user", "content": content}],
    }
    reply = service.post("/v1/chat/completions", json=body).json()
    assert reply["object"] == "chat.completion"
    assert reply["choices"][0]["message"]["content"] == "Nairobi [1]"
    assert reply["choices"][0]["finish_reason"] == "stop"
    assert reply["usage"] == {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
    assert reply["hinterland"]["citations"] == [1]
    assert reply["hinterland"]["passages"][0]["document_id"] == "ken"


def test_the_kits_own_client_talks_to_the_service(service: httpx.Client) -> None:
    from hinterland.rag.client import ChatClient, EndpointConfig

    with ChatClient(
        EndpointConfig(base_url=f"{str(service.base_url).rstrip(chr(47))}/v1", model="retrieval")
    ) as client:
        assert client.chat([{"role": "user", "content": "Capital of Kenya?"}]).text == "Nairobi [1]"
        assert client.models() == ["retrieval"]


USER = [{"role": "user", "content": "x"}]


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/ask", {}, 400, "question: Field required"),
        ("/ask", {"question": "  "}, 400, "question"),
        ("/ask", {"question": "x" * 8001}, 400, "at most 8000"),
        ("/ask", {"question": "x", "other": 1}, 400, "other"),
        ("/ask", {"question": 3}, 400, "question"),
        ("/ask", {"question": "x" * 30_000}, 413, "over 20000 bytes"),
        ("/v1/chat/completions", {"messages": []}, 400, "messages"),
        ("/v1/chat/completions", {"messages": USER, "stream": True}, 400, "stream"),
        ("/v1/chat/completions", {"messages": USER, "n": 2}, 400, "only one answer"),
        ("/v1/chat/completions", {"messages": [{"role": "system", "content": "x"}]}, 400, "no user turn"),
        ("/v1/chat/completions", {"messages": [{"role": "bot", "content": "x"}]}, 400, "messages.0.role"),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": None}]}, 400, "no user turn"),
    ],
)
def test_bad_bodies(service: httpx.Client, path: str, body: Any, status: int, message: str) -> None:
    reply = service.post(path, json=body)
    assert reply.status_code == status
    assert message in reply.json()["error"]["message"]


def test_bodies_that_are_not_json_or_come_in_pieces(service: httpx.Client) -> None:
    headers = {"content-type": "application/json"}
    assert service.post("/ask", content=b"{not json", headers=headers).status_code == 400

    def pieces() -> Iterator[bytes]:
        for _ in range(30):
            yield b"x" * 1000

    assert service.post("/ask", content=pieces(), headers=headers).status_code == 413
    whole = iter([b'{"question": ', b'"capital of Kenya?"}'])
    assert service.post("/ask", content=whole, headers=headers).json()["answer"] == "Nairobi"
    assert service.get("/nothing").status_code == 404


def test_a_model_that_fails_is_a_bad_gateway(service: httpx.Client, endpoint: Any) -> None:
    endpoint.replies = [endpoint.reply({"error": "broken"}, 500)]
    reply = service.post("/ask", json={"question": "x"})
    assert reply.status_code == 502
    assert "status 500: broken" in reply.json()["error"]["message"]


def test_ask_command(endpoint: Any, index_root: Path) -> None:
    given = [f"index={index_root}", f"endpoint.base_url={endpoint.url}", "endpoint.model=scripted-1"]
    config = load_config(command.CommandConfig, STARTER, given)
    plan = command.plan(config)
    assert (plan["chunks"], plan["endpoint"], plan["calls"]) == (4, endpoint.url, 1)
    assert not endpoint.requests
    result = command.run(config)
    json.dumps(result)
    text = command.render(result)
    assert text.splitlines()[0] == "Nairobi [1]"
    assert "*[1] Kenya › Government" in text
    assert " [2] " in text
    assert "Factbook, public domain" in text


def test_ask_without_an_index(endpoint: Any) -> None:
    endpoint.replies = [endpoint.reply({"choices": [{"message": {"content": ""}}]})]
    config = parse_config(
        command.CommandConfig,
        {"question": "Why?", "endpoint": {"base_url": endpoint.url, "model": "scripted-1"}},
    )
    assert command.plan(config)["index"] is None
    assert command.render(command.run(config)).splitlines()[0] == "(the model said nothing)"


def test_bad_configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="no question"):
        command.run(parse_config(command.CommandConfig, {}))
    with pytest.raises(IndexBundleError, match="no index here"):
        command.plan(parse_config(command.CommandConfig, {"question": "x", "index": tmp_path}))
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    vendor = {"base_url": "https://api.example.com/v1", "model": "m", "api_key_env": "NO_SUCH_KEY"}
    with pytest.raises(EndpointError, match="NO_SUCH_KEY"):
        command.run(parse_config(command.CommandConfig, {"question": "x", "endpoint": vendor}))


def test_serve_command_until_interrupted(endpoint: Any, index_root: Path) -> None:
    given = {
        "index": str(index_root),
        "port": 0,
        "endpoint": {"base_url": endpoint.url, "model": "scripted-1"},
    }
    program = (
        "import json, sys; from hinterland.rag import serve_command as c;"
        "from hinterland.core.config import parse_config as p;"
        "print(c.render(c.run(p(c.CommandConfig, json.loads(sys.argv[1])))))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, json.dumps(given)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert process.stderr is not None
    assert process.stdout is not None
    try:
        line = process.stderr.readline()
        address = line.split(" at ")[1].split()[0]
        for _ in range(200):
            try:
                reply = httpx.post(f"{address}/ask", json={"question": "x"}, trust_env=False, timeout=30)
                break
            except httpx.ConnectError:
                time.sleep(0.05)
        assert reply.json()["answer"] == "Nairobi"
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert out.strip() == f"served 1 requests with retrieval at {address}"
    assert process.returncode == 0


def test_the_starter_of_serve(index_root: Path) -> None:
    starter = STARTER.with_name("serve.yaml")
    plan = serve_command.plan(load_config(serve_command.CommandConfig, starter, [f"index={index_root}"]))
    assert (plan["address"], plan["chunks"]) == ("http://127.0.0.1:8000", 4)


def test_a_port_that_is_taken() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        config = parse_config(serve_command.CommandConfig, {"port": port})
        assert serve_command.plan(config)["address"] == f"http://127.0.0.1:{port}"
        with pytest.raises(ConfigError, match="cannot listen there"):
            serve_command.run(config)
    elsewhere = parse_config(serve_command.CommandConfig, {"host": "192.0.2.1", "port": 0})
    with pytest.raises(ConfigError, match="cannot listen"):
        serve_command.run(elsewhere)

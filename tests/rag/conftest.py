"""A scripted endpoint on a real socket, a small real index, and the real local model."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from hinterland.core.corpus import write_corpus
from hinterland.indexes.build import build_index
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder
from hinterland.rag.client import ChatClient, EndpointConfig
from hinterland.rag.local import LocalModelConfig, serve_local

DOCUMENTS = [
    ("ken", "Kenya › Government", "The capital of Kenya is Nairobi. Kenya is a presidential republic."),
    ("per", "Peru › Government", "Lima is the capital of Peru. Peru has 25 regions."),
    ("isl", "Iceland › Government", "Reykjavik is the capital of Iceland."),
    ("jpn", "Japan › Economy", "The currency of Japan is the yen."),
]


def completion(text: str) -> dict[str, Any]:
    return {
        "model": "scripted-1",
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2},
    }


@dataclass
class Reply:
    """What the endpoint says to one request."""

    body: bytes | str | dict[str, Any] = field(default_factory=lambda: completion("Nairobi [1]"))
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hang_up: bool = False


class Endpoint:
    """An HTTP server that says what it is told to, then repeats the last of it."""

    reply = Reply

    def __init__(self) -> None:
        self.replies: list[Reply] = [Reply()]
        self.models: Reply = Reply({"object": "list", "data": [{"id": "scripted-1"}, {"id": "other"}]})
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(outer.models, None)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                reply = outer.replies.pop(0) if len(outer.replies) > 1 else outer.replies[0]
                self.answer(reply, body)

            def answer(self, reply: Reply, body: Any) -> None:
                outer.requests.append((self.path, dict(self.headers), body))
                time.sleep(reply.delay)
                if reply.hang_up:
                    self.close_connection = True
                    return
                data = reply.body
                if isinstance(data, dict):
                    data = json.dumps(data)
                raw = data.encode() if isinstance(data, str) else data
                try:
                    self.send_response(reply.status)
                    for name, value in {**reply.headers, "content-length": str(len(raw))}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(raw)
                except (BrokenPipeError, ConnectionResetError):
                    pass

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    yield server
    server.close()


MakeClient = Callable[..., ChatClient]


@pytest.fixture
def make_client(endpoint: Endpoint) -> Iterator[MakeClient]:
    made: list[ChatClient] = []

    def make(**settings: Any) -> ChatClient:
        waits: list[float] = []
        config = EndpointConfig(**{"base_url": endpoint.url, "model": "scripted-1", **settings})
        client = ChatClient(config, sleep=waits.append)
        client.waits = waits  # type: ignore[attr-defined]
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture(scope="session")
def index_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rag")
    ids, titles, texts = zip(*DOCUMENTS, strict=True)
    table = pa.table(
        {
            "id": ids,
            "text": texts,
            "source": ["Factbook"] * len(ids),
            "license": ["public domain"] * len(ids),
            "meta": [json.dumps({"title": title}) for title in titles],
        }
    )
    embedder = SentenceEmbedder(EmbedConfig(dtype="float32", device="cpu"))
    build_index(write_corpus(folder / "corpus", table), folder / "index", embedder)
    return folder / "index"


@pytest.fixture(scope="session")
def local_model() -> Iterator[EndpointConfig]:
    pytest.importorskip("xllamacpp")
    # One thread: others may be using the cores.
    with serve_local(LocalModelConfig(threads=1)) as config:
        yield config.model_copy(update={"max_tokens": 24})

"""The stand-in for a closed model: a real server in its own process, that never outlives us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from hinterland.core.errors import EndpointError, ModelSourceError
from hinterland.indexes.search import Index
from hinterland.rag.answer import ClosedBook, RetrievalAugmented
from hinterland.rag.client import ChatClient, EndpointConfig
from hinterland.rag.local import LocalModelConfig, gguf_file, serve_local

CAPITAL = [{"role": "user", "content": "What is the capital of France? Answer in one word."}]

HOLDER = """
import sys, time
from hinterland.rag.local import LocalModelConfig, serve_local
with serve_local(LocalModelConfig(threads=1)) as endpoint:
    print(endpoint.base_url, flush=True)
    time.sleep(60)
"""


def alive(base_url: str) -> bool:
    try:
        return httpx.get(f"{base_url}/models", trust_env=False, timeout=5).is_success
    except httpx.HTTPError:
        return False


def test_answers_like_a_vendor_and_the_same_every_time(local_model: EndpointConfig) -> None:
    with ChatClient(local_model) as client:
        assert client.models() == [local_model.model]
        first = client.chat(CAPITAL)
        assert "Paris" in first.text
        assert first.usage.prompt_tokens > 5
        client.chat([{"role": "user", "content": "Something else."}], max_tokens=4)
        assert client.chat(CAPITAL).text == first.text


def test_systems_over_the_real_model_and_index(local_model: EndpointConfig, index_root: Path) -> None:
    with ChatClient(local_model) as client:
        system = RetrievalAugmented(client, Index.open(index_root), k=2)
        answer = system.answer("What is the capital of Peru?")
        assert "Lima" in answer.text
        assert [answer.passages[number].document_id for number in answer.citations] == ["per"]
        assert ClosedBook(client).answer("What is the capital of France?").usage.completion_tokens > 0


def test_too_long_a_prompt_is_one_clear_error(local_model: EndpointConfig) -> None:
    with ChatClient(local_model) as client, pytest.raises(EndpointError, match="context size"):
        client.chat([{"role": "user", "content": "word " * 3000}])


def test_the_server_is_gone_after_the_context(local_model: EndpointConfig) -> None:
    seen = []

    def fail_inside() -> None:
        with serve_local(LocalModelConfig(threads=1)) as config:
            seen.append((alive(config.base_url), config))
            raise RuntimeError("from inside")

    with pytest.raises(RuntimeError, match="from inside"):
        fail_inside()
    ((was_alive, config),) = seen
    assert was_alive
    assert not alive(config.base_url)
    # Only the address differs between starts.
    assert config.identity == local_model.identity


def test_the_server_ends_with_a_killed_parent(local_model: EndpointConfig) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    address = holder.stdout.readline().strip()
    assert alive(address)
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    until = time.monotonic() + 10
    while alive(address) and time.monotonic() < until:
        time.sleep(0.1)
    assert not alive(address)


def test_files_that_cannot_be_served(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF but no more")
    with (
        pytest.raises(EndpointError, match="did not start") as error,
        serve_local(LocalModelConfig(model=str(broken))),
    ):
        pass
    assert "broken.gguf" in error.value.where
    with pytest.raises(ModelSourceError, match="hub id"):
        gguf_file(LocalModelConfig(model="some/model"))


def test_a_server_that_is_not_ready_in_time() -> None:
    slow = LocalModelConfig(threads=1, ready_within=0.01)
    with pytest.raises(EndpointError, match=r"not ready within 0\.01 s"), serve_local(slow):
        pass


@pytest.mark.slow
def test_q8_weights_are_converted_once_and_served() -> None:
    config = LocalModelConfig(weights="q8_0", threads=1)
    file = gguf_file(config)
    written = file.stat().st_mtime_ns
    assert gguf_file(config).stat().st_mtime_ns == written
    with serve_local(config) as endpoint, ChatClient(endpoint) as client:
        assert "Paris" in client.chat(CAPITAL, max_tokens=24).text

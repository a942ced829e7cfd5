"""A model behind an endpoint that scores given texts; one that cannot is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from hinterland.core.errors import ConfigError, EndpointError
from hinterland.rag.client import ChatClient, EndpointConfig
from hinterland.rag.language_model import EndpointLanguageModel, _literal, open_language_model

CONTEXT = "Kenya is a country in Africa. The capital of Kenya is"


@pytest.fixture
def model(local_model: EndpointConfig) -> Any:
    with ChatClient(local_model.model_copy(update={"max_tokens": 16})) as client:
        yield EndpointLanguageModel(client)


def raw(model: Any, prompt: str, **body: Any) -> tuple[str, list[float]]:
    """Return what the real model says by itself, with its log-probabilities."""
    client = model._client
    asked = {"model": client.config.model, "prompt": prompt, "temperature": 0, "logprobs": 1, **body}
    answer = client.post("/completions", {**asked, "cache_prompt": False})
    choice = answer["choices"][0]
    return choice["text"], [token["logprob"] for token in choice["logprobs"]["content"]]


def test_what_it_says_by_itself_is_scored_as_it_said_it(model: Any) -> None:
    text, logs = raw(model, CONTEXT, max_tokens=4)
    assert model.log_probability(CONTEXT, text) == pytest.approx(sum(logs) / len(logs), abs=0.02)


def test_log_probabilities_add_up_by_the_chain_rule(model: Any) -> None:
    # One token each: " Nairobi", ",", " which".
    whole = 3 * model.log_probability(CONTEXT, " Nairobi, which")
    parts = [
        model.log_probability(CONTEXT, " Nairobi"),
        model.log_probability(CONTEXT + " Nairobi", ","),
        model.log_probability(CONTEXT + " Nairobi,", " which"),
    ]
    assert whole == pytest.approx(sum(parts), abs=0.06)


def test_the_fitting_text_is_likelier(model: Any) -> None:
    good, bad = (model.log_probability(CONTEXT, text) for text in (" Nairobi.", ' purple "w\\n" …'))
    assert bad < good < 0
    assert math.isnan(model.log_probability(CONTEXT, ""))


def test_it_writes(model: Any) -> None:
    assert model.generate("Name the capital of Kenya.").strip()
    assert model.fingerprint == model._client.fingerprint


def test_a_text_as_a_string_of_the_grammar() -> None:
    assert _literal('a "b"\f\\b\n é') == r'"a \"b\"\x0C\\b\x0A é"'


def test_an_endpoint_that_keeps_to_no_grammar_is_refused(endpoint: Any, make_client: Any) -> None:
    other = {"choices": [{"text": "Something else.", "logprobs": None}]}
    endpoint.replies = [endpoint.reply(other)]
    with pytest.raises(EndpointError, match=r"it said 'Something else\.'"):
        EndpointLanguageModel(make_client()).log_probability("a", "b")


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="unknown key 'endpiont'"), open_language_model({"endpiont": {}}):
        pass

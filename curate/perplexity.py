"""Bits per byte of a text's beginning under a causal language model."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import ModelSourceError
from hinterland.core.files import write_text
from hinterland.core.gguf import transformers_location
from hinterland.core.models import find_model
from hinterland.core.progress import track
from hinterland.core.record import content_id
from hinterland.core.run import fingerprint

__all__ = ["bits_per_byte", "load_causal_lm"]

#: Characters that are enough for a token; texts are cut there before they are tokenised.
_CHARACTERS_PER_TOKEN = 40
_DECIMALS = 6


def load_causal_lm(spec: str) -> tuple[Any, Any]:
    """Return the model that ``spec`` names, in float32 for measuring, and its tokenizer.

    Raises:
        ModelSourceError: There is no such model, or transformers cannot load it.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # loading takes half a second
    location = transformers_location(find_model(spec))
    try:
        tokenizer = AutoTokenizer.from_pretrained(location)
        model = AutoModelForCausalLM.from_pretrained(location, dtype=torch.float32)
    except (OSError, ValueError, KeyError) as error:
        raise ModelSourceError(
            f"transformers cannot load this model: {error}", where=spec, cure="give a causal language model"
        ) from error
    return model.eval(), tokenizer


def bits_per_byte(
    model: Any,
    tokenizer: Any,
    texts: Sequence[str],
    *,
    max_tokens: int = 64,
    batch_size: int = 16,
    cache: Path | None = None,
    label: str | None = "quality: bits per byte",
) -> NDArray[np.float64]:
    """Return each text's bits per byte over its first ``max_tokens`` tokens.

    The first token has no context and is not counted; neither are its bytes. Texts of
    equal length share a batch, so that nothing is padded, and values are rounded to 6
    decimals: a text's value does not depend on the texts beside it or on their order.

    Args:
        model: A causal language model of transformers, in eval mode.
        tokenizer: Its tokenizer; it must give offsets (a "fast" one).
        texts: The documents, shape (n,).
        max_tokens: Length of the prefix.
        batch_size: Texts in a batch.
        cache: A file that holds finished values; it is rewritten whole after each batch,
            and a killed run goes on from it. The caller gives each model and setting its
            own file.
        label: What the progress line says; ``None`` shows none.

    Returns:
        Bits per byte, shape (n,); NaN where there are fewer than two tokens.
    """
    encoded = [_encode(tokenizer, text, max_tokens) for text in texts]
    keys = [fingerprint(content_id(text), max_tokens) for text in texts]
    known = _read_cache(cache)
    todo = {key: item for key, item in zip(keys, encoded, strict=True) if len(item[0]) > 1}
    missing = sorted((len(item[0]), key) for key, item in todo.items() if key not in known)
    batches = []
    for _, group in groupby(missing, key=lambda pair: pair[0]):
        same = [key for _, key in group]
        batches += [same[start : start + batch_size] for start in range(0, len(same), batch_size)]
    for batch in track(batches, label) if label else batches:
        nats = _nats(model, [todo[key][0] for key in batch])
        for key, value in zip(batch, nats, strict=True):
            known[key] = round(value / math.log(2) / max(todo[key][1], 1), _DECIMALS)
        if cache is not None:
            write_text(cache, json.dumps(known, sort_keys=True))
    return np.array([known.get(key, math.nan) for key in keys], dtype=np.float64)


def _encode(tokenizer: Any, text: str, max_tokens: int) -> tuple[list[int], int]:
    """Return the prefix's token ids and the bytes after its first token."""
    text = text[: max_tokens * _CHARACTERS_PER_TOKEN]
    coded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    ids, offsets = coded["input_ids"][:max_tokens], coded["offset_mapping"][:max_tokens]
    counted = text[offsets[0][1] : offsets[-1][1]] if ids else ""
    return ids, len(counted.encode("utf-8", "surrogatepass"))


def _nats(model: Any, rows: list[list[int]]) -> list[float]:
    """Return each row's summed negative log-likelihood, the first token left out."""
    import torch

    with torch.inference_mode():
        ids = torch.tensor(rows, device=model.device)
        logits = model(input_ids=ids, use_cache=False).logits[:, :-1].float()
        # Not log_softmax, which would write a second tensor as large as the logits.
        chosen = logits.gather(-1, ids[:, 1:, None]).squeeze(-1) - logits.logsumexp(dim=-1)
        return [float(value) for value in -chosen.double().sum(dim=1)]


def _read_cache(cache: Path | None) -> dict[str, float]:
    """Return the finished values; a file that is not ours counts as none."""
    if cache is None or not cache.is_file():
        return {}
    try:
        values = json.loads(cache.read_text(encoding="utf-8"))
        return {str(key): float(value) for key, value in values.items()}
    except (ValueError, TypeError, AttributeError):
        return {}

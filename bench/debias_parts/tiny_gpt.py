"""A small transformer: trained on neutral text once, then adapted on each arm's tokens."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from debias_parts.coding import VOCABULARY, wrap
from hinterland.adapt.bits import BitsPerByte, bits_per_byte
from hinterland.adapt.documents import Document
from hinterland.adapt.models import Boundary
from hinterland.core.progress import track
from hinterland.core.seeds import generator, integer

__all__ = ["WINDOW", "Job", "adapt", "adapt_all", "fresh", "held_out_bits", "to_windows"]

#: Tokens that the model sees at once, the start token included.
WINDOW = 128
_BATCH = 8
_WARM_UP = 0.1

Tokens = NDArray[np.int32]


def fresh(*, seed: int, width: int = 128, layers: int = 4) -> Any:
    """Return an untrained model (1.4 million parameters at the default size)."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(integer(seed, "proof", "gpt"))
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY + 1,
            hidden_size=width,
            intermediate_size=3 * width,
            num_hidden_layers=layers,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=WINDOW,
            tie_word_embeddings=True,
            bos_token_id=VOCABULARY,
            eos_token_id=VOCABULARY,
        )
    )


def to_windows(tokens: Tokens) -> NDArray[np.int64]:
    """Return consecutive windows, each after the start token; an incomplete last one is left out."""
    body = WINDOW - 1
    count = len(tokens) // body
    start = np.full((count, 1), VOCABULARY, dtype=np.int64)
    return np.concatenate([start, tokens[: count * body].reshape(count, body).astype(np.int64)], axis=1)


def adapt(
    model: Any, windows: NDArray[np.int64], *, rate: float, seed: int, label: str, passes: int = 1
) -> Any:
    """Return a copy of the model after AdamW over the windows, in an order drawn under the seed.

    The rate climbs over the first tenth of the steps and falls to nothing along a cosine.
    """
    import torch

    trained = copy.deepcopy(model).train()
    rows = np.concatenate(
        [generator(seed, "proof", "windows", each).permutation(len(windows)) for each in range(passes)]
    )
    steps = math.ceil(len(rows) / _BATCH)
    warm = max(1, round(_WARM_UP * steps))
    optimiser = torch.optim.AdamW(trained.parameters(), lr=rate, weight_decay=0.01, betas=(0.9, 0.95))
    for step in track(range(steps), label):
        now = (
            (step + 1) / warm
            if step < warm
            else 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))
        )
        optimiser.param_groups[0]["lr"] = rate * now
        batch = torch.from_numpy(windows[rows[step * _BATCH : (step + 1) * _BATCH]])
        loss = trained(input_ids=batch, labels=batch, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    return trained.eval()


def held_out_bits(model: Any, tokenizer: Any, documents: Sequence[Document], *, label: str) -> BitsPerByte:
    """Score texts with the project's own measure."""
    bound = Boundary(start=VOCABULARY, end=None, pad=VOCABULARY)
    return bits_per_byte(
        model, wrap(tokenizer), documents, bound, window=WINDOW, batch_tokens=4096, label=label
    )


@dataclass(frozen=True)
class Job:
    """One adaptation.

    Attributes:
        run: The run's number.
        arm: The arm.
        windows: What the model is adapted on, from `to_windows`.
        documents: What it is scored on.
        seed: For the order of the windows.
    """

    run: int
    arm: str
    windows: NDArray[np.int64]
    documents: tuple[Document, ...]
    seed: int


def adapt_all(base: Any, tokenizer: Any, jobs: Sequence[Job], *, workers: int) -> list[BitsPerByte]:
    """Adapt and score every job, in order; one thread each, so that workers do not change results."""
    if workers < 2:
        return [_finish(base, tokenizer, job) for job in jobs]
    weights = {name: value.numpy() for name, value in base.state_dict().items()}
    with ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=_prepare,
        initargs=(weights, base.config.to_dict(), tokenizer.to_str()),
    ) as pool:
        return list(track(pool.map(_work, jobs), "adapting", total=len(jobs)))


_SHARED: dict[str, Any] = {}


def _prepare(weights: dict[str, Any], config: dict[str, Any], tokenizer: str) -> None:
    import torch
    from tokenizers import Tokenizer
    from transformers import LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(LlamaConfig.from_dict(config))
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    _SHARED.update(base=model, tokenizer=Tokenizer.from_str(tokenizer))


def _work(job: Job) -> BitsPerByte:
    return _finish(_SHARED["base"], _SHARED["tokenizer"], job)


def _finish(base: Any, tokenizer: Any, job: Job) -> BitsPerByte:
    import torch

    torch.set_num_threads(1)
    label = f"run {job.run + 1}, {job.arm}"
    model = adapt(base, job.windows, rate=1e-3, seed=job.seed, label=label)
    return held_out_bits(model, tokenizer, job.documents, label=label)

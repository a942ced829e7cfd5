"""From documents to training windows, and the order in which they are seen.

A window never crosses documents: it begins with the model's start token and holds tokens of
one document only, so nothing of one document can leak into another. Which windows make up a
step is a pure function of the seed and the step's number, so a resumed run needs no state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hinterland.adapt.documents import Document
from hinterland.adapt.models import Boundary
from hinterland.core.errors import ConfigError
from hinterland.core.progress import track
from hinterland.core.seeds import generator

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["IGNORE", "Windows", "collate", "cut_windows", "encode", "epoch_order", "step_windows"]

Tokens = NDArray[np.int32]

#: The label that PyTorch's cross-entropy leaves out.
IGNORE = -100
#: Texts that are tokenised in one call.
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Windows:
    """Training windows with their weights, and what was left out.

    Attributes:
        items: Token ids of each window, start token included; at most ``size`` each.
        document: The index of each window's document, shape (windows,).
        weight: Each window's weight, which is its document's, shape (windows,).
        documents: How many documents there were.
        tokens: Tokens in all windows that can be predicted (start tokens are not).
        short: Windows left out because they hold fewer than the minimum of tokens.
        short_tokens: The tokens in them.
    """

    items: tuple[Tokens, ...]
    document: NDArray[np.int64]
    weight: NDArray[np.float64]
    documents: int
    tokens: int
    short: int
    short_tokens: int

    def __len__(self) -> int:
        return len(self.items)

    def counts(self) -> dict[str, int]:
        """Return the counts for a manifest."""
        return {
            "documents": self.documents,
            "windows": len(self),
            "tokens": self.tokens,
            "short_windows_left_out": self.short,
            "short_tokens_left_out": self.short_tokens,
        }


def encode(tokenizer: Any, texts: Sequence[str], *, label: str = "tokenise") -> list[Tokens]:
    """Return each text's token ids, without special tokens."""
    starts = range(0, len(texts), _BATCH)
    found: list[Tokens] = []
    for start in track(starts, label):
        batch = tokenizer(list(texts[start : start + _BATCH]), add_special_tokens=False, verbose=False)
        found += [np.asarray(ids, dtype=np.int32) for ids in batch["input_ids"]]
    return found


def cut_windows(
    tokenizer: Any,
    documents: Sequence[Document],
    bound: Boundary,
    *,
    size: int,
    minimum: int = 8,
) -> Windows:
    """Cut documents into consecutive windows of at most ``size`` tokens, start token included.

    Args:
        tokenizer: A transformers tokenizer.
        documents: The documents, each with a positive weight.
        bound: The start and end tokens.
        size: The most tokens in a window.
        minimum: A window that predicts fewer tokens is counted and left out.

    Raises:
        ConfigError: ``size`` leaves no room, or no window is left.
    """
    if size < max(minimum, 1) + 1:
        raise ConfigError(
            f"windows of {size} tokens cannot hold {minimum}", cure="set a larger window", where="window"
        )
    items: list[Tokens] = []
    owners: list[int] = []
    short = short_tokens = 0
    ending = [] if bound.end is None else [bound.end]
    body = size - 1  # the start token takes one place
    texts = [item.text for item in documents]
    for index, tokens in enumerate(encode(tokenizer, texts)):
        ids = np.concatenate([tokens, np.asarray(ending, dtype=np.int32)]) if len(tokens) else tokens
        for offset in range(0, len(ids), body):
            part = ids[offset : offset + body]
            if len(part) < minimum:
                short, short_tokens = short + 1, short_tokens + len(part)
                continue
            items.append(np.concatenate([np.asarray([bound.start], dtype=np.int32), part]))
            owners.append(index)
    if not items:
        raise ConfigError(
            f"no window of {minimum} tokens or more in {len(documents)} documents",
            cure="give longer documents",
        )
    owner = np.asarray(owners, dtype=np.int64)
    weight = np.asarray([item.weight for item in documents], dtype=np.float64)[owner]
    predicted = sum(len(item) - 1 for item in items)
    return Windows(tuple(items), owner, weight, len(documents), predicted, short, short_tokens)


def epoch_order(weight: NDArray[np.float64], *, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return one epoch: as many draws as there are windows, each drawn ∝ its weight.

    Systematic resampling (Kitagawa 1996; Douc et al. 2005): a window expected ``c`` times
    occurs ⌊c⌋ or ⌈c⌉ times, never less or more. Equal weights so give each window exactly
    once, as an ordinary shuffled epoch does.

    Args:
        weight: Non-negative weights, shape (windows,).
        seed: The run's seed.
        epoch: The epoch's number.
    """
    count = len(weight)
    random = generator(seed, "epoch", epoch)
    expected = weight * (count / weight.sum())
    whole = np.floor(expected + 1e-9)
    rest = np.clip(expected - whole, 0.0, None)
    drawn = np.repeat(np.arange(count), whole.astype(np.int64))
    missing = count - len(drawn)
    if missing > 0:
        mixed = random.permutation(count)  # so that neighbours in the corpus are not tied
        edges = np.cumsum(rest[mixed])
        points = (random.random() + np.arange(missing)) * (edges[-1] / missing)
        extra = np.searchsorted(edges, points, side="right")
        drawn = np.concatenate([drawn, mixed[np.minimum(extra, count - 1)]])
    return random.permutation(drawn)


def step_windows(weight: NDArray[np.float64], step: int, size: int, *, seed: int) -> NDArray[np.int64]:
    """Return the ``size`` windows of step ``step`` (from 0); epochs follow one another seamlessly."""
    count = len(weight)
    positions = np.arange(step * size, (step + 1) * size)
    chosen = np.empty(size, dtype=np.int64)
    for epoch in np.unique(positions // count):
        here = positions // count == epoch
        chosen[here] = epoch_order(weight, seed=seed, epoch=int(epoch))[positions[here] % count]
    return chosen


def collate(windows: Sequence[Tokens], pad: int) -> dict[str, Tensor]:
    """Pad windows on the right to the longest; padding is masked from attention and loss.

    Returns:
        ``input_ids``, ``attention_mask`` and ``labels``, each of shape (windows, longest). The
        start token's label is masked too, so that the labels to predict are the text's.
    """
    import torch

    longest = max(len(window) for window in windows)
    ids = torch.full((len(windows), longest), pad, dtype=torch.long)
    mask = torch.zeros((len(windows), longest), dtype=torch.long)
    labels = torch.full((len(windows), longest), IGNORE, dtype=torch.long)
    for row, window in enumerate(windows):
        tokens = torch.from_numpy(window.astype(np.int64))
        ids[row, : len(window)] = tokens
        mask[row, : len(window)] = 1
        labels[row, 1 : len(window)] = tokens[1:]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}

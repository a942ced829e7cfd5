"""Byte-level BPE, trained on neutral text: one vocabulary for all arms and models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["START", "VOCABULARY", "Coded", "code", "make_tokenizer", "wrap"]

#: Tokens of text. With the start token, which has this number, they take 12 bits, so five
#: fit into 64.
VOCABULARY = 4095
START = "<|start|>"


@dataclass(frozen=True)
class Coded:
    """Texts as tokens.

    Attributes:
        tokens: All of them, one text after the other, int32.
        offsets: Where each text begins and the last ends, shape (texts + 1,).
        bytes: UTF-8 bytes of each text, shape (texts,).
    """

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]
    bytes: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text, shape (texts,)."""
        return np.diff(self.offsets)


def make_tokenizer(text: str) -> Any:
    """Return a byte-level BPE tokenizer trained on ``text``; any text can be coded with it.

    A short text may give fewer than `VOCABULARY` tokens; the rest is never used.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer


def code(tokenizer: Any, texts: Sequence[str]) -> Coded:
    """Return the texts as tokens.

    A text that begins with a space gets the same tokens alone as after another text.
    """
    coded = [item.ids for item in tokenizer.encode_batch(list(texts), add_special_tokens=False)]
    lengths = np.fromiter((len(ids) for ids in coded), dtype=np.int64, count=len(coded))
    tokens = np.fromiter((token for ids in coded for token in ids), dtype=np.int32, count=int(lengths.sum()))
    size = np.fromiter((len(text.encode()) for text in texts), dtype=np.int64, count=len(texts))
    return Coded(tokens, np.concatenate([[0], np.cumsum(lengths)]), size)


def wrap(tokenizer: Any) -> Any:
    """Return the tokenizer as transformers has them, with the start token at `VOCABULARY`."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)

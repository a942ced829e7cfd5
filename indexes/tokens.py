"""A transformers tokenizer as chunking needs it: fast, in batches, with character spans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import ModelSourceError

__all__ = ["FastTokenizer"]


class FastTokenizer:
    """A fast transformers tokenizer.

    Args:
        tokenizer: The tokenizer.
        max_tokens: Tokens that its encoder reads.
        prompt: Text that is put before every passage.

    Raises:
        ModelSourceError: The tokenizer is a slow one, which knows no character spans.
    """

    def __init__(self, tokenizer: Any, *, max_tokens: int, prompt: str = "") -> None:
        if not getattr(tokenizer, "is_fast", False):
            raise ModelSourceError(
                "the model has no fast tokenizer",
                where=str(getattr(tokenizer, "name_or_path", "")),
                cure="give a model folder with a tokenizer.json",
            )
        self._tokenizer, self._max = tokenizer, max_tokens
        self._overhead = int(tokenizer.num_special_tokens_to_add()) + (
            len(self.token_spans([prompt])[0]) if prompt else 0
        )

    @property
    def overhead(self) -> int:
        """Special tokens and the prompt's tokens."""
        return self._overhead

    @property
    def max_tokens(self) -> int:
        """Tokens that the encoder reads, all told."""
        return self._max

    def token_spans(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """See `hinterland.indexes.chunk_types.Tokenizer.token_spans`."""
        if not texts:
            return []
        encoded = self._tokenizer(
            # A lone surrogate, which no tokenizer takes, counts as "?".
            [text if text.isascii() else text.encode("utf-8", "replace").decode() for text in texts],
            add_special_tokens=False,
            return_offsets_mapping=True,
            return_attention_mask=False,
            return_token_type_ids=False,
            truncation=False,
            padding=False,
            verbose=False,  # no warning about texts longer than the encoder reads: they get cut
        )
        return [np.asarray(spans, dtype=np.int64).reshape(-1, 2) for spans in encoded["offset_mapping"]]

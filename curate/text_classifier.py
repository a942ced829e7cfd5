"""Any text classifier of transformers: the probability of one of its labels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError, ModelSourceError
from hinterland.core.models import find_model

__all__ = ["label_index", "label_probabilities", "load_text_classifier"]

_DECIMALS = 6
#: Characters that are enough for a token.
_CHARACTERS_PER_TOKEN = 40


@cache
def load_text_classifier(spec: str, device: str) -> tuple[Any, Any]:
    """Return the classifier that ``spec`` names and its tokenizer; loaded once in a process.

    Args:
        spec: A hub id or a folder.
        device: Where it runs ("cpu", "cuda").

    Raises:
        ModelSourceError: transformers cannot load it.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    location = find_model(spec).location
    try:
        tokenizer = AutoTokenizer.from_pretrained(location)
        model = AutoModelForSequenceClassification.from_pretrained(location, dtype=torch.float32)
    except (OSError, ValueError, KeyError) as error:
        raise ModelSourceError(
            f"transformers cannot load this classifier: {error}",
            where=spec,
            cure="give the id or folder of a text-classification model",
        ) from error
    return model.eval().to(device), tokenizer


def label_index(model: Any, label: str | None, usual: Sequence[str], *, where: str) -> int:
    """Return the number of ``label``, or if it is not given of the first of the ``usual`` names.

    Raises:
        ConfigError: The model has no such label.
    """
    names = {str(name).lower(): int(number) for number, name in model.config.id2label.items()}
    for wanted in [label.lower()] if label else usual:
        if wanted in names:
            return names[wanted]
    if label is None and len(names) == 1:
        return 0
    raise ConfigError(
        f"no label {label!r}" if label else "which label counts?",
        where=where,
        cure=f"give one of {', '.join(map(str, model.config.id2label.values()))}",
    )


def label_probabilities(
    model: Any, tokenizer: Any, texts: Sequence[str], index: int, *, max_tokens: int, batch_size: int = 1
) -> NDArray[np.float64]:
    """Return the probability of one label for each text's first tokens, 6 decimals.

    Texts of equal length share a batch, so that nothing is padded and a value does not
    depend on its neighbours. Where the labels do not exclude each other (the model's
    config says so, or there is one) it is the label's logistic, else its share of the
    softmax.

    Args:
        model: The classifier.
        tokenizer: Its tokenizer.
        texts: The documents, shape (n,).
        index: The label's number.
        max_tokens: Longer texts are cut there, special tokens counted.
        batch_size: Texts in a batch.

    Returns:
        Shape (n,); NaN for a text without a word.
    """
    import torch

    result = np.full(len(texts), np.nan)
    filled = [row for row, text in enumerate(texts) if text.strip()]
    coded = {row: _encode(tokenizer, texts[row], max_tokens) for row in filled}
    single = model.config.problem_type == "multi_label_classification" or model.config.num_labels == 1
    for _, group in groupby(sorted(filled, key=lambda row: len(coded[row])), key=lambda row: len(coded[row])):
        rows = list(group)
        for start in range(0, len(rows), batch_size):
            part = rows[start : start + batch_size]
            with torch.inference_mode():
                ids = torch.tensor([coded[row] for row in part], device=model.device)
                logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.double()
            chances = logits.sigmoid() if single else logits.softmax(dim=-1)
            result[part] = chances[:, index].cpu().numpy()
    return np.round(result, _DECIMALS)


def _encode(tokenizer: Any, text: str, max_tokens: int) -> list[int]:
    """Return the first tokens' ids; the rest of a long text is not even split."""
    text = text[: max_tokens * _CHARACTERS_PER_TOKEN].encode("utf-8", "replace").decode()
    return list(tokenizer(text, truncation=True, max_length=max_tokens)["input_ids"])

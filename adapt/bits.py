"""Bits per byte: how many bits a model needs for each byte of a text.

Perplexity per token depends on the tokenizer; bits per byte does not, so that models with
different vocabularies can be compared (Gao et al. 2020, *The Pile*, section 3.1).

Every token of a text is scored, the first included: each window begins with the model's
start token, which is given and never scored itself. So the denominator is exactly the
UTF-8 bytes of the scored text, and the end token, which stands for no byte, is not scored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hinterland.adapt.data import IGNORE, encode
from hinterland.adapt.documents import Document
from hinterland.adapt.models import Boundary
from hinterland.core.errors import ConfigError
from hinterland.core.progress import track
from hinterland.core.stats import Interval, cluster_weights, percentile_interval

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["BitsPerByte", "DocumentBits", "bits_per_byte", "difference", "prefix"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DocumentBits:
    """What one document costs under a model.

    Attributes:
        id: The document's id.
        bits: The negative log2-likelihood of its scored text.
        bytes: The UTF-8 bytes of that text.
        tokens: Its tokens.
        country: ISO 3166-1 alpha-3, or ``None``.
    """

    id: str
    bits: float
    bytes: int
    tokens: int
    country: str | None = None


@dataclass(frozen=True, slots=True)
class BitsPerByte:
    """Bits per byte over documents, with the values of each."""

    documents: tuple[DocumentBits, ...]

    @property
    def value(self) -> float:
        """Total bits over total bytes; NaN without documents."""
        size = sum(item.bytes for item in self.documents)
        return sum(item.bits for item in self.documents) / size if size else math.nan

    def interval(self, *, resamples: int = 2000, seed: int = 0) -> Interval:
        """Return the ratio with its bootstrap interval, resampling countries (see `difference`)."""
        bits, size = _sums(self.documents, _clusters(self.documents))
        drawn = cluster_weights(len(bits), resamples=resamples, seed=seed, name="bits")
        return percentile_interval(self.value, _ratio(drawn @ bits, drawn @ size))

    def by(self, group: Mapping[str, str]) -> dict[str, float]:
        """Return bits per byte for each group of documents, by document id.

        Documents that ``group`` does not name are left out.
        """
        parts: dict[str, list[DocumentBits]] = {}
        for item in self.documents:
            if item.id in group:
                parts.setdefault(group[item.id], []).append(item)
        return {name: BitsPerByte(tuple(parts[name])).value for name in sorted(parts)}

    def rows(self) -> list[dict[str, Any]]:
        """Return the per-document values as JSON-able rows."""
        return [asdict(item) for item in self.documents]

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]]) -> BitsPerByte:
        """Return what `rows` wrote."""
        return cls(tuple(DocumentBits(**row) for row in rows))


def _clusters(documents: Sequence[DocumentBits]) -> list[str]:
    """Return each document's cluster: its country, or itself where that is unknown.

    Documents of one country share names and facts; they are not independent.
    """
    return [f"country {item.country}" if item.country else f"document {item.id}" for item in documents]


def _sums(documents: Sequence[DocumentBits], clusters: Sequence[str]) -> tuple[Floats, Floats]:
    """Return total bits and total bytes of each cluster."""
    index = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    bits, size = np.zeros(len(index)), np.zeros(len(index))
    for item, name in zip(documents, clusters, strict=True):
        bits[index[name]] += item.bits
        size[index[name]] += item.bytes
    return bits, size


def _ratio(over: Floats, under: Floats) -> Floats:
    return np.divide(over, under, out=np.full_like(over, np.nan), where=under > 0)


def difference(before: BitsPerByte, after: BitsPerByte, *, resamples: int = 2000, seed: int = 0) -> Interval:
    """Return ``after − before`` in bits per byte with its paired bootstrap interval.

    Whole countries are resampled, the same ones for both, so that what makes a text hard
    cancels out. Below 0 means the model got better at these texts.

    Raises:
        ConfigError: The two are not over the same documents.
    """
    if [(x.id, x.bytes) for x in before.documents] != [(x.id, x.bytes) for x in after.documents]:
        raise ConfigError(
            "bits per byte of different texts cannot be compared",
            cure="score the same texts with both models",
        )
    clusters = _clusters(before.documents)
    first, size = _sums(before.documents, clusters)
    second, _ = _sums(after.documents, clusters)
    drawn = cluster_weights(len(first), resamples=resamples, seed=seed, name="bits")
    return percentile_interval(
        after.value - before.value, _ratio(drawn @ second, drawn @ size) - _ratio(drawn @ first, drawn @ size)
    )


def prefix(text: str, max_chars: int | None) -> str:
    """Return the start of ``text``, at most ``max_chars`` characters, cut at white space if possible.

    The text is cut before it is tokenised, so that its bytes are counted exactly.
    """
    if max_chars is None or len(text) <= max_chars:
        return text
    cut = text[: max_chars + 1]
    space = max(cut.rfind(" "), cut.rfind("\n"))
    return text[: space if space > max_chars // 2 else max_chars]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A window to score: the document it is of, its ids, and from which place on it counts."""

    document: int
    ids: NDArray[np.int32]
    scored_from: int


def _pieces(tokens: Sequence[NDArray[np.int32]], start: int, window: int, stride: int) -> list[_Piece]:
    """Cut texts into windows that overlap by ``window − 1 − stride`` tokens; each token is scored once."""
    body = window - 1
    pieces = []
    for index, ids in enumerate(tokens):
        done = 0
        while done < len(ids):
            end = min(len(ids), body if done == 0 else done + stride)
            begin = max(0, done - (body - stride))
            part = np.concatenate([np.asarray([start], dtype=np.int32), ids[begin:end]])
            pieces.append(_Piece(index, part, 1 + done - begin))
            done = end
    return pieces


def _batches(pieces: Sequence[_Piece], batch_tokens: int) -> list[list[_Piece]]:
    """Group windows of like length, so that a batch pads little and holds at most ``batch_tokens``."""
    batches: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda item: (-len(item.ids), item.document)):
        if batches and (len(batches[-1]) + 1) * len(batches[-1][0].ids) <= batch_tokens:
            batches[-1].append(piece)
        else:
            batches.append([piece])
    return batches


def bits_per_byte(
    model: Any,
    tokenizer: Any,
    documents: Sequence[Document],
    bound: Boundary,
    *,
    window: int = 512,
    stride: int | None = None,
    max_chars: int | None = None,
    batch_tokens: int = 2048,
    label: str = "bits per byte",
) -> BitsPerByte:
    """Score documents under a causal language model.

    Args:
        model: A transformers causal LM on any device; it is put into eval mode.
        tokenizer: Its tokenizer.
        documents: The texts. Empty ones are left out.
        bound: The start token comes from here.
        window: The most tokens the model sees at once, start token included.
        stride: By how many tokens the window moves on a long text: the smaller, the more
            context and the slower. Default ``window − 1``: windows do not overlap.
        max_chars: Score only this many first characters of each text.
        batch_tokens: The most tokens, padding included, in one forward pass. The values do
            not depend on it, up to rounding.
        label: The progress bar's.

    Raises:
        ConfigError: ``window`` or ``stride`` is out of range.
    """
    import torch

    step = window - 1 if stride is None else stride
    if window < 2 or not 1 <= step <= window - 1:
        raise ConfigError(
            f"window {window} with stride {step}", cure="take a window of 2 or more and 1 ≤ stride < window"
        )
    texts = [prefix(item.text, max_chars) for item in documents]
    kept = [index for index, text in enumerate(texts) if text]
    tokens = encode(tokenizer, [texts[index] for index in kept], label=f"{label}: tokenise")
    pieces = _pieces(tokens, bound.start, window, step)
    nats = np.zeros(len(kept))
    model.eval()
    with torch.inference_mode():
        for batch in track(_batches(pieces, batch_tokens), label):
            for piece, nll in zip(batch, _negative_log_likelihood(model, batch, bound.pad), strict=True):
                nats[piece.document] += nll
    return BitsPerByte(
        tuple(
            DocumentBits(
                documents[index].id,
                float(nats[place] / math.log(2)),
                len(texts[index].encode()),
                len(tokens[place]),
                documents[index].country,
            )
            for place, index in enumerate(kept)
        )
    )


def _negative_log_likelihood(model: Any, batch: Sequence[_Piece], pad: int) -> list[float]:
    """Return the NLL in nats of each window's scored tokens."""
    import torch
    from torch.nn.functional import cross_entropy

    longest = len(batch[0].ids)
    ids = torch.full((len(batch), longest), pad, dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, IGNORE)
    for row, piece in enumerate(batch):
        length = len(piece.ids)
        ids[row, :length] = torch.from_numpy(piece.ids.astype(np.int64))
        mask[row, :length] = 1
        labels[row, piece.scored_from : length] = ids[row, piece.scored_from : length]
    device = model.device
    logits: Tensor = model(input_ids=ids.to(device), attention_mask=mask.to(device), use_cache=False).logits
    losses = cross_entropy(
        logits[:, :-1].float().transpose(1, 2),
        labels[:, 1:].to(device),
        reduction="none",
        ignore_index=IGNORE,
    )
    # Summed in float64: a long text has thousands of terms.
    return [float(value) for value in losses.double().sum(dim=1)]

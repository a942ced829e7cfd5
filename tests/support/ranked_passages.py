"""A small index with sources, dates and countries, and a cross-encoder made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.indexes.bundle import writer_lock
from hinterland.indexes.embed import Embedder
from hinterland.indexes.faiss_backend import FaissType
from hinterland.indexes.lexical import LexicalConfig
from hinterland.indexes.version import passages_of, publish_version

#: (id, source, date, country, text)
PASSAGES = [
    ("s1", "science", "2024-05-01", "KEN", "Malaria in Kenya is spread by Anopheles mosquitoes at night."),
    ("s2", "science", "2004", "KEN", "Malaria parasites resist chloroquine in the highlands of Kenya."),
    ("f1", "forum", "2006-03", "KEN", "Malaria? My cousin in Kenya got malaria from mosquitoes at night."),
    ("f2", "forum", "2007", "PER", "Anyone knows about malaria mosquitoes and nets?"),
    ("f3", "forum", None, "PER", "Mosquitoes bite me at night, is it malaria?"),
    ("n1", "news", "2023-11-02", "PER", "Copper exports from Peru rose again last year."),
    ("n2", None, "2022", None, "Lima opened a new metro line."),
    ("x1", "science", "2021", "ISL", "Glaciers in Iceland are melting faster."),
]


def chunk_rows(rows: list[int] | None = None) -> pa.Table:
    """Return the passages as chunks; ``rows`` says where each one's vector lies."""
    ids, sources, dates, countries, texts = zip(*PASSAGES, strict=True)
    table = pa.table(
        {
            "id": [f"{identity}:0" for identity in ids],
            "document_id": ids,
            "start": [0] * len(ids),
            "end": [len(text) for text in texts],
            "text": texts,
            "title": [""] * len(ids),
            "source": sources,
            "license": ["CC0"] * len(ids),
            "url": pa.nulls(len(ids), pa.string()),
            "date": dates,
            "country": countries,
            "lang": ["en"] * len(ids),
        }
    )
    return table if rows is None else table.append_column("row", pa.array(rows, pa.int64()))


def publish_passages(
    root: Path,
    embedder: Embedder,
    *,
    words: bool = True,
    dead: bool = False,
    factory: str = "Flat",
    search: dict[str, Any] | None = None,
) -> Path:
    """Publish the passages.

    Args:
        root: The index's folder.
        embedder: The encoder.
        words: Whether words are indexed.
        dead: Put a dead row before each live one, with the very vector of "malaria".
        factory: The FAISS factory string.
        search: The manifest's way to rank.
    """
    table = chunk_rows([2 * row + 1 for row in range(len(PASSAGES))] if dead else None)
    vectors = embedder.passages(passages_of(table))
    if dead:
        both: NDArray[np.float32] = np.empty((2 * len(vectors), vectors.shape[1]), np.float32)
        both[0::2], both[1::2] = embedder.passages(["malaria"])[0], vectors
        vectors = both
    backend = FaissType().build(vectors, factory=factory)
    manifest = {"embedder": embedder.describe(), "index": {**backend.describe(), "seed": 0}}
    if search is not None:
        manifest["search"] = search
    with writer_lock(root):
        publish_version(root, backend, table, manifest, lexical=LexicalConfig() if words else None)
    return root


def tiny_cross_encoder(folder: Path, *, labels: int = 1) -> Path:
    """Save a cross-encoder of one small random layer, from a fixed seed, and return its folder."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    letters = [chr(code) for code in range(33, 127)]
    tokens = [*marks, *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()  # type: ignore[assignment]
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))  # type: ignore[assignment]
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=128,
    )  # fmt: skip
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=128, num_labels=labels, initializer_range=1.0,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder

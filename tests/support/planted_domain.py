"""A domain with a language of its own, and a tiny encoder that can learn it in seconds.

A document is about three topics. Its title has their code words, its first sentence their plain
words, its second their other words, all among filler. Which words belong to one topic can be
learnt from the documents alone, and no model knows it before.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pyarrow as pa

TOPICS = 16
CODES = [f"code{number}" for number in range(TOPICS)]
PLAIN = [f"plain{number}" for number in range(TOPICS)]
OTHER = [f"other{number}" for number in range(TOPICS)]
FILLER = [f"filler{number}" for number in range(12)]


def planted_table(documents: int = 150, *, seed: int = 1) -> pa.Table:
    """Return documents of the domain, with titles in ``meta``."""
    draw = random.Random(seed)
    rows = []
    for number in range(documents):
        topics = draw.sample(range(TOPICS), 3)
        title = " ".join(CODES[topic] for topic in topics)
        sentences = []
        for language in (PLAIN, OTHER):
            words = [*(language[topic] for topic in topics), *draw.choices(FILLER, k=3)]
            draw.shuffle(words)
            sentences.append(" ".join(words) + ".")
        rows.append((f"d{number}", " ".join(sentences), json.dumps({"title": title})))
    ids, texts, meta = zip(*rows, strict=True)
    return pa.table(
        {
            "id": ids,
            "text": texts,
            "meta": meta,
            "source": ["planted"] * documents,
            "license": ["CC0-1.0"] * documents,
        }
    )


def tiny_encoder(
    folder: Path, *, seed: int = 0, layers: int = 1, width: int = 64, dropout: float = 0.0
) -> Path:
    """Write a small, untrained sentence encoder that knows the domain's words as tokens."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ".", *CODES, *PLAIN, *OTHER, *FILLER]
    raw = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    raw.pre_tokenizer = Whitespace()
    raw.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    torch.manual_seed(seed)
    bert = BertModel(
        BertConfig(
            vocab_size=len(words), hidden_size=width, num_hidden_layers=layers, num_attention_heads=2,
            intermediate_size=2 * width, max_position_embeddings=64, hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        )
    )  # fmt: skip
    plain = folder.with_name(folder.name + "-transformers")
    bert.save_pretrained(plain)
    PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=64,
    ).save_pretrained(plain)  # fmt: skip
    body = Transformer(str(plain))
    model = SentenceTransformer(
        modules=[body, Pooling(width, pooling_mode="mean"), Normalize()], device="cpu"
    )
    model.max_seq_length = 48
    model.save_pretrained(str(folder), create_model_card=False)
    return folder

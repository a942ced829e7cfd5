from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from hinterland.adapt.card import Lineage, model_card
from hinterland.adapt.checkpoint import trained
from hinterland.adapt.export import delta_weights, merge_deltas, put_weights, save_adapter, save_model
from hinterland.adapt.lora import LoraSettings, add_lora
from hinterland.adapt.models import load_model, load_tokenizer
from hinterland.core.errors import ModelSourceError


def adapted(folder: str, **settings: Any) -> Any:
    """Adapters whose B is not zero, as after training."""
    import torch

    model = add_lora(load_model(folder), LoraSettings(rank=3, alpha=7, **settings), seed=0)
    torch.manual_seed(1)
    with torch.no_grad():
        for value in trained(model).values():
            value.normal_(0, 0.3)
    return model.eval()


def logits(model: Any) -> Any:
    import torch

    with torch.no_grad():
        return model(input_ids=torch.arange(3, 60)[None]).logits


@pytest.mark.parametrize("rank_stabilised", [False, True])
def test_merging_agrees_with_peft_and_with_a_dense_reference(
    tiny: str, tmp_path: Path, rank_stabilised: bool
) -> None:
    import torch

    model = adapted(tiny, rank_stabilised=rank_stabilised, top_layers=0.5)
    save_adapter(model, tmp_path / "adapter", base="tiny", card="# Card")
    deltas = delta_weights(tmp_path / "adapter")
    name = "model.layers.3.mlp.up_proj"
    module = model.get_base_model().get_submodule(name)
    down, up = module.lora_A["default"].weight, module.lora_B["default"].weight
    scale = 7 / 3**0.5 if rank_stabilised else 7 / 3
    dense = torch.einsum("or,ri->oi", up.double(), down.double()) * scale
    torch.testing.assert_close(deltas[f"{name}.weight"].double(), dense, rtol=1e-5, atol=1e-6)
    assert len(deltas) == 2 * 7

    merged = merge_deltas(load_model(tiny), deltas)
    torch.testing.assert_close(logits(merged), logits(model), rtol=1e-4, atol=1e-4)
    reference = model.merge_and_unload()
    for key, value in reference.named_parameters():
        torch.testing.assert_close(dict(merged.named_parameters())[key], value, rtol=1e-5, atol=1e-6)

    merge_deltas(merged, deltas, scale=-1.0)
    torch.testing.assert_close(logits(merged), logits(load_model(tiny)), rtol=1e-4, atol=1e-4)


def test_peft_reads_the_adapter(tiny: str, tmp_path: Path) -> None:
    import torch
    from peft import PeftModel

    model = adapted(tiny)
    save_adapter(model, tmp_path / "adapter", base="the base", card="# Card")
    with warnings.catch_warnings():
        # peft reads a transformers attribute that is being renamed.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        again = PeftModel.from_pretrained(load_model(tiny), str(tmp_path / "adapter"))
    assert torch.equal(logits(again), logits(model))
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "the base"
    assert (tmp_path / "adapter" / "README.md").read_text() == "# Card"


def test_gpt2_keeps_its_weights_the_other_way_round(tmp_path: Path) -> None:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(vocab_size=80, n_embd=24, n_layer=2, n_head=2, n_positions=64)
    GPT2LMHeadModel(config).save_pretrained(tmp_path / "gpt2")
    with warnings.catch_warnings():
        # peft says that it sets fan_in_fan_out for Conv1D, which is right.
        warnings.filterwarnings("ignore", "fan_in_fan_out", UserWarning)
        model = adapted(str(tmp_path / "gpt2"))
    save_adapter(model, tmp_path / "adapter", base="gpt2", card="")
    merged = merge_deltas(load_model(str(tmp_path / "gpt2")), delta_weights(tmp_path / "adapter"))
    torch.testing.assert_close(logits(merged), logits(model), rtol=1e-4, atol=1e-4)


def test_a_saved_model_is_the_model(tiny: str, tmp_path: Path) -> None:
    import torch

    model = load_model(tiny)
    save_model(model, load_tokenizer(tiny), tmp_path / "out", card="# A card")
    assert torch.equal(logits(load_model(str(tmp_path / "out"))), logits(model))
    assert (
        load_tokenizer(str(tmp_path / "out"))("salt")["input_ids"]
        == load_tokenizer(tiny)("salt")["input_ids"]
    )
    assert (tmp_path / "out" / "README.md").read_text() == "# A card"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"use_dora": True}, "use_dora"),
        ({"bias": "all"}, "bias"),
        ({"peft_type": "IA3"}, "kind IA3"),
        ({"rank_pattern": {"q_proj": 2}}, "by pattern"),
    ],
)
def test_adapters_that_are_more_than_two_matrices_are_refused(
    tiny: str, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    save_adapter(adapted(tiny), tmp_path / "adapter", base="tiny", card="")
    edit(tmp_path / "adapter", **changes)
    with pytest.raises(ModelSourceError, match=message):
        delta_weights(tmp_path / "adapter")


def test_tensors_without_a_place_are_refused(tiny: str, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    with pytest.raises(ModelSourceError, match="no adapter here"):
        delta_weights(tmp_path)
    save_adapter(adapted(tiny), tmp_path / "adapter", base="tiny", card="")
    tensors = tmp_path / "adapter" / "adapter_model.safetensors"
    save_file({"base_model.model.lm_head.modules_to_save.weight": torch.ones(2)}, str(tensors))
    with pytest.raises(ModelSourceError, match=r"not LoRA's: base_model\.model\.lm_head"):
        delta_weights(tmp_path / "adapter")
    save_file({}, str(tensors))
    with pytest.raises(ModelSourceError, match="the adapter is empty"):
        delta_weights(tmp_path / "adapter")
    with pytest.raises(ModelSourceError, match=r"no weight model\.nothing\.weight"):
        merge_deltas(load_model(tiny), {"model.nothing.weight": torch.ones(2, 2)})
    with pytest.raises(ModelSourceError, match=r"is \(259, 32\), its change \(2, 2\)"):
        merge_deltas(load_model(tiny), {"model.embed_tokens.weight": torch.ones(2, 2)})
    save_file({"model.embed_tokens.weight": torch.ones(2, 2)}, str(tensors))
    with pytest.raises(ModelSourceError, match="of this shape"):
        put_weights(load_model(tiny), tensors)


def test_models_that_cannot_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "nothing"}')
    with pytest.raises(ModelSourceError, match="transformers cannot load this model"):
        load_model(str(tmp_path))
    with pytest.raises(ModelSourceError, match="transformers cannot load this model"):
        load_tokenizer(str(tmp_path))
    with pytest.raises(ModelSourceError, match="no such model"):
        load_model(str(tmp_path / "none"))


def test_the_card_names_what_the_model_comes_from() -> None:
    from hinterland.adapt.bits import BitsPerByte, DocumentBits

    lineage = Lineage(
        "base/model", "b" * 24, "d" * 24, "", {"windows": 3}, {"steps": 5}, {"seed": 0}, {"torch": "2"}
    )
    bits = {"domain": BitsPerByte((DocumentBits("a", 8.0, 10, 3),))}
    text = model_card(lineage, kind="adapter", before=bits, after={})
    assert text.startswith('---\nbase_model: "base/model"\nlibrary_name: peft\n')
    assert "| domain | 0.8000 | not measured yet | 1 |" in text
    whole = model_card(lineage, kind="model", before=bits, after=bits)
    assert "library_name: transformers" in whole
    for part in (
        "| domain | 0.8000 | 0.8000 | 1 |",
        "`base/model` (bbb",
        "ddd",
        "| windows | 3 |",
        "| torch | 2 |",
    ):
        assert part in whole

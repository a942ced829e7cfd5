"""A training in its own process. Arguments: model folder, out folder, pause in seconds, dropout."""

from __future__ import annotations

import sys
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import torch

from hinterland.adapt.data import cut_windows
from hinterland.adapt.lora import LoraSettings, add_lora
from hinterland.adapt.models import boundary, load_model, load_tokenizer
from hinterland.adapt.train import TrainSettings, train


def main() -> None:
    spec = spec_from_file_location("shared", Path(__file__).with_name("conftest.py"))
    assert spec
    assert spec.loader
    shared = module_from_spec(spec)
    spec.loader.exec_module(shared)
    folder, out, pause, dropout = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    torch.set_num_threads(1)
    tokenizer = load_tokenizer(folder)
    bound = boundary(tokenizer)
    windows = cut_windows(tokenizer, shared.make_documents(), bound, size=32)
    model = add_lora(load_model(folder), LoraSettings(rank=4, dropout=dropout), seed=0)
    settings = TrainSettings(steps=12, batch=2, accumulate=2, checkpoint_every=3, learning_rate=1e-2)
    train(
        model,
        windows,
        settings,
        out,
        pad=bound.pad,
        seed=7,
        fingerprint="child",
        on_step=lambda _: time.sleep(pause),
    )


if __name__ == "__main__":
    main()

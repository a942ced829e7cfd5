from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hinterland.adapt.checkpoint import latest_checkpoint, trained
from hinterland.adapt.data import Windows, collate
from hinterland.adapt.lora import LoraSettings, add_lora, linear_modules
from hinterland.adapt.models import Boundary, load_model
from hinterland.adapt.precision import cpu_has_bf16, resolve_precision
from hinterland.adapt.schedule import learning_rate_at
from hinterland.adapt.train import Step, TrainingError, TrainSettings, accumulate_gradient, train
from hinterland.core.errors import ConfigError, StorageError

SETTINGS = TrainSettings(
    steps=10, batch=2, accumulate=2, checkpoint_every=3, learning_rate=1e-2, precision="fp32"
)
CHILD = Path(__file__).with_name("training_child.py")


def log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def losses(folder: Path) -> list[float]:
    return [entry["loss"] for entry in log(folder)]


def weights(model: Any) -> dict[str, Any]:
    return {name: value.detach().clone() for name, value in trained(model).items()}


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    import torch

    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def fresh(tiny: str, method: str = "lora") -> Any:
    model = load_model(tiny)
    return add_lora(model, LoraSettings(rank=4, dropout=0.1), seed=0) if method == "lora" else model


def do(model: Any, windows: Windows, folder: Path, settings: TrainSettings = SETTINGS, **more: Any) -> Any:
    return train(model, windows, settings, folder, pad=1, seed=7, **{"fingerprint": "same", **more})


def test_lora_learns_and_leaves_the_base_alone(tiny: str, windows: Windows, tmp_path: Path) -> None:
    import torch

    model = fresh(tiny)
    result = do(model, windows, tmp_path)
    assert result.steps == result.planned_steps == 10
    assert not result.stopped_early
    assert result.resumed_from == 0
    assert result.last_loss < result.first_loss - 0.1
    assert result.tokens == sum(
        json.loads(x)["tokens"] for x in (tmp_path / "log.jsonl").read_text().splitlines()
    )
    assert result.epochs == pytest.approx(10 * 4 / len(windows))
    base = dict(load_model(tiny).named_parameters())
    for name, value in model.get_base_model().named_parameters():
        if "lora_" not in name:
            assert torch.equal(value.cpu(), base[name.replace(".base_layer", "")])


def test_full_fine_tuning_learns(tiny: str, windows: Windows, tmp_path: Path) -> None:
    model = fresh(tiny, "full")
    result = do(model, windows, tmp_path)
    assert result.last_loss < result.first_loss - 0.1
    assert result.trained_parameters == sum(value.numel() for value in model.parameters())


def test_many_micro_batches_give_the_gradient_of_one_large_batch(
    tiny: str, windows: Windows, bound: Boundary
) -> None:
    import torch

    items = [*windows.items[:3], windows.items[-1][:12]]  # unequal lengths, unequal token counts
    tokens = sum(len(item) - 1 for item in items)
    gradients, totals = [], []
    for split in ([items], [items[:1], items[1:]], [[item] for item in items]):
        model = load_model(tiny)
        totals.append(accumulate_gradient(model, [collate(part, bound.pad) for part in split], tokens))
        gradients.append({name: value.grad for name, value in model.named_parameters()})
    for total, gradient in zip(totals[1:], gradients[1:], strict=True):
        assert total == pytest.approx(totals[0], rel=1e-6)
        for name, value in gradient.items():
            torch.testing.assert_close(value, gradients[0][name], rtol=1e-4, atol=1e-6)
    # Against transformers' own loss: the mean over tokens.
    model = load_model(tiny)
    model(**collate(items, bound.pad)).loss.backward()
    for name, value in model.named_parameters():
        torch.testing.assert_close(value.grad, gradients[0][name], rtol=1e-4, atol=1e-6)


class KilledError(Exception):
    pass


@pytest.mark.parametrize(
    ("method", "after"),
    [
        ("lora", 2),
        pytest.param("lora", 6, marks=pytest.mark.slow),
        pytest.param("full", 5, marks=pytest.mark.slow),
    ],
)
def test_a_killed_run_resumes_bit_for_bit(
    tiny: str, windows: Windows, tmp_path: Path, after: int, method: str
) -> None:
    def stop(step: Step) -> None:
        if step.step == after:
            raise KilledError

    whole = fresh(tiny, method)
    do(whole, windows, tmp_path / "whole")
    with pytest.raises(KilledError):
        do(fresh(tiny, method), windows, tmp_path / "killed", on_step=stop)
    resumed = fresh(tiny, method)
    result = do(resumed, windows, tmp_path / "killed")
    assert result.resumed_from == (after - 1) // 3 * 3
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    assert same(weights(resumed), weights(whole))


def test_a_finished_run_is_not_done_again(tiny: str, windows: Windows, tmp_path: Path) -> None:
    model = fresh(tiny)
    first = do(model, windows, tmp_path)
    again = fresh(tiny)
    second = do(again, windows, tmp_path)
    assert second.resumed_from == 10
    assert (second.seconds, second.last_loss, second.tokens) == (first.seconds, first.last_loss, first.tokens)
    assert same(weights(model), weights(again))
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-000010"]


def test_a_process_killed_by_the_system_resumes_bit_for_bit(
    tiny: str, windows: Windows, tmp_path: Path
) -> None:
    settings = SETTINGS.model_copy(update={"steps": 12, "precision": "auto"})  # as in the child
    victim = subprocess.Popen(
        [sys.executable, str(CHILD), tiny, str(tmp_path / "killed"), "0.4", "0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 200
    file = tmp_path / "killed" / "log.jsonl"
    while time.monotonic() < deadline and (not file.exists() or file.read_text().count("\n") < 5):
        assert victim.poll() is None
        time.sleep(0.02)
    victim.send_signal(signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    resumed, whole = fresh(tiny), fresh(tiny)
    assert do(resumed, windows, tmp_path / "killed", settings, fingerprint="child").resumed_from in (3, 6, 9)
    do(whole, windows, tmp_path / "whole", settings)
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    assert same(weights(resumed), weights(whole))


@pytest.mark.slow
def test_two_processes_give_the_steps_of_one(tiny: str, windows: Windows, tmp_path: Path) -> None:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*launch, str(CHILD), tiny, str(tmp_path / "two"), "0", "0"],
        env={**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    model = add_lora(load_model(tiny), LoraSettings(rank=4), seed=0)
    do(model, windows, tmp_path / "one", SETTINGS.model_copy(update={"steps": 12}))
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-4)


def test_the_time_limit_ends_it_early_and_says_so(tiny: str, windows: Windows, tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"max_seconds": 1e-6})
    result = do(fresh(tiny), windows, tmp_path, settings)
    assert result.stopped_early
    assert (result.steps, result.planned_steps) == (1, 10)  # the first step is always done
    again = do(fresh(tiny), windows, tmp_path, settings)
    assert again.stopped_early
    assert again.steps == 1


def test_a_loss_that_is_not_finite_is_refused(tiny: str, windows: Windows, tmp_path: Path) -> None:
    import torch

    model = fresh(tiny)
    with torch.no_grad():
        next(iter(trained(model).values())).fill_(float("nan"))
    with pytest.raises(TrainingError, match="step 1: the loss is nan") as caught:
        do(model, windows, tmp_path)
    assert "lower train.learning_rate" in str(caught.value)
    assert latest_checkpoint(tmp_path / "checkpoints") is None


def test_checkpoints_of_other_trainings_and_damaged_ones(tiny: str, windows: Windows, tmp_path: Path) -> None:
    do(fresh(tiny), windows, tmp_path)
    with pytest.raises(StorageError, match="other settings"):
        do(fresh(tiny), windows, tmp_path, fingerprint="other")
    newest = latest_checkpoint(tmp_path / "checkpoints")
    assert newest is not None
    whole = (newest / "weights.safetensors").read_bytes()
    (newest / "weights.safetensors").write_bytes(whole[:-8])
    assert latest_checkpoint(tmp_path / "checkpoints") is None
    assert do(fresh(tiny), windows, tmp_path).resumed_from == 0
    (tmp_path / "checkpoints" / "step-000099").mkdir()
    assert latest_checkpoint(tmp_path / "checkpoints") == newest


def test_schedules_by_hand() -> None:
    def rates(schedule: Any, floor: float = 0.1, warmup: float = 0.2) -> list[float]:
        return [
            learning_rate_at(step, steps=10, peak=2.0, warmup=warmup, schedule=schedule, floor=floor)
            for step in range(10)
        ]

    assert rates("constant") == [1.0, *[2.0] * 9]
    assert rates("linear", floor=0.0) == pytest.approx([1, 2, 2, 1.75, 1.5, 1.25, 1, 0.75, 0.5, 0.25])
    cosine = rates("cosine")
    assert cosine[2] == 2.0
    assert cosine[6] == pytest.approx(2 * (0.1 + 0.9 * 0.5))
    assert cosine[9] == pytest.approx(2 * (0.1 + 0.45 * (1 + math.cos(math.pi * 7 / 8))))
    assert rates("cosine", warmup=0.0)[0] == 2.0
    assert rates("linear", warmup=1.0)[-1] == 2.0


def test_adapters_go_where_they_are_asked_for(tiny: str) -> None:
    import torch

    names = ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]
    assert linear_modules(load_model(tiny)) == names
    model = add_lora(load_model(tiny), LoraSettings(rank=2, top_layers=0.5), seed=1)
    layers = {int(name.split("layers.")[1].split(".")[0]) for name in trained(model)}
    assert layers == {2, 3}
    assert len(trained(model)) == 2 * 7 * 2
    some = add_lora(load_model(tiny), LoraSettings(rank=2, modules=("q_proj",)), seed=1)
    assert len(trained(some)) == 4 * 2
    again = add_lora(load_model(tiny), LoraSettings(rank=2, modules=("q_proj",)), seed=1)
    assert same(weights(some), weights(again))
    other = add_lora(load_model(tiny), LoraSettings(rank=2, modules=("q_proj",)), seed=2)
    assert not same(weights(some), weights(other))
    ids = torch.arange(3, 40)[None]
    with torch.no_grad():
        assert torch.equal(model(input_ids=ids).logits, load_model(tiny)(input_ids=ids).logits)
    with pytest.raises(ConfigError, match="no linear module query"):
        add_lora(load_model(tiny), LoraSettings(modules=("query",)), seed=1)


def test_the_seed_of_the_caller_is_left_alone(tiny: str, windows: Windows, tmp_path: Path) -> None:
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    do(fresh(tiny), windows, tmp_path)
    assert torch.equal(torch.rand(3), expected)


def test_bf16_only_where_the_hardware_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    info = tmp_path / "cpuinfo"
    info.write_text("processor : 0\nflags\t\t: fpu avx2 avx512f\n")
    assert not cpu_has_bf16(info)
    info.write_text("processor : 0\nflags\t\t: fpu avx2 avx512_bf16\n")
    assert cpu_has_bf16(info)
    assert not cpu_has_bf16(tmp_path / "none")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr("hinterland.adapt.precision.cpu_has_bf16", lambda: False)
    assert resolve_precision("auto") == resolve_precision("fp32") == "fp32"
    with pytest.raises(ConfigError, match="does not compute in bf16"):
        resolve_precision("bf16")
    monkeypatch.setattr("hinterland.adapt.precision.cpu_has_bf16", lambda: True)
    assert resolve_precision("auto") == resolve_precision("bf16") == "bf16"
    assert resolve_precision("fp32") == "fp32"


@pytest.mark.gpu
def test_on_a_gpu(tiny: str, windows: Windows, tmp_path: Path) -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no NVIDIA GPU here")
    model = fresh(tiny, "full")
    result = do(model, windows, tmp_path, SETTINGS.model_copy(update={"precision": "auto"}))
    assert result.device.startswith("cuda")
    assert result.last_loss < result.first_loss
    cpu = do(fresh(tiny, "full"), windows, tmp_path / "fp32")
    assert np.isclose(cpu.first_loss, result.first_loss, rtol=0.05)

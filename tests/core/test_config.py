from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, field_validator, model_validator

from hinterland.core.config import Config, load_config, parse_config, set_by_path
from hinterland.core.errors import ConfigError


class Filter(Config):
    name: str = "gopher"
    threshold: float = Field(default=0.5, ge=0)


class Recipe(Config):
    corpus: Path = Path("corpus")
    workers: int = 1
    filters: list[Filter] = Field(default=[])
    first: Filter | None = None
    many: list[Filter] | None = None
    named: dict[str, Filter] = Field(default={})


class Needy(Config):
    api_key: str = ""
    model: str


class Bounds(Config):
    low: int = 0
    high: int | None = None

    @field_validator("low")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("give an even number")
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Bounds:
        if self.high is not None and self.high < self.low:
            raise ValueError("high lies below low")
        return self


class Bounded(Config):
    bounds: Bounds = Field(default=Bounds())


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_yaml_and_overrides_become_a_frozen_config(tmp_path: Path) -> None:
    path = write(tmp_path, "corpus: data\nfilters:\n  - name: c4\n")
    config = load_config(Recipe, path, ["workers=4", "first.threshold=1e-3", "corpus=other", "first.name="])
    assert config == Recipe(
        corpus=Path("other"),
        workers=4,
        filters=[Filter(name="c4")],
        first=Filter(name="", threshold=0.001),
    )
    with pytest.raises(ValidationError, match="frozen"):
        config.workers = 2  # type: ignore[misc]


def test_no_file_and_an_empty_file_are_the_defaults(tmp_path: Path) -> None:
    assert load_config(Recipe, None) == load_config(Recipe, write(tmp_path, "# nothing\n")) == Recipe()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"wrokers": 2}, r"unknown key 'wrokers' \(here\)\n  → did you mean 'workers'\? Known: corpus,"),
        ({"first": {"treshold": 1}}, r"unknown key 'first\.treshold'.*\n.*did you mean 'threshold'"),
        ({"filters": [{}, {"nam": 1}]}, r"unknown key 'filters\.1\.nam'.*\n.*did you mean 'name'"),
        ({"many": [{"nam": 1}]}, r"did you mean 'name'"),
        ({"named": {"a": {"nam": 1}}}, r"did you mean 'name'"),
        ({"workers": "many"}, r"workers: Input should be a valid integer.* found 'many'"),
        ({"first": {"threshold": -1}}, r"first\.threshold: .*greater than or equal to 0, found -1"),
        ({"zzz": 1, "workers": "x"}, r"workers: .*unknown key 'zzz'"),
        ({1: 2}, "Keys should be strings"),
    ],
)
def test_mistakes_are_named_with_the_nearest_key(values: dict[Any, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(Recipe, values, where="here")


def test_a_missing_key_is_named_without_showing_its_neighbours() -> None:
    with pytest.raises(ConfigError, match="'model' is missing") as caught:
        parse_config(Needy, {"api_key": "secret"})
    assert "secret" not in str(caught.value)
    assert caught.value.cure == "set model"


def test_a_validators_words_stand_alone() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(Bounds, {"low": 2, "high": 1}, where="--set")
    assert str(caught.value) == "high lies below low (--set)\n  → change these settings"
    with pytest.raises(ConfigError) as caught:
        parse_config(Bounded, {"bounds": {"low": 2, "high": 1}})
    assert caught.value.found == "bounds: high lies below low"
    with pytest.raises(ConfigError) as caught:
        parse_config(Bounded, {"bounds": {"low": 3}})
    assert caught.value.found == "bounds.low: give an even number, found 3"
    assert caught.value.cure == "correct the value"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "not YAML"),
        ("- a\n- b", "a config is a mapping, found list"),
        ("just text", "a config is a mapping, found str"),
        ("a: !!python/object/apply:os.system ['true']", "not YAML"),
    ],
)
def test_files_that_are_no_config_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(Recipe, write(tmp_path, text))
    assert caught.value.where.endswith("config.yaml")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the config: No such file"):
        load_config(Recipe, tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot read the config: Is a directory"):
        load_config(Recipe, tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"corpus: caf\xe9")
    with pytest.raises(ConfigError, match="not YAML"):
        load_config(Recipe, tmp_path / "latin.yaml")


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("workers", "has no value"),
        ("=3", "has no value"),
        ("workers.sub=3", "'workers' is a value, not a section"),
        ("workers=[1", "not YAML"),
    ],
)
def test_overrides_that_make_no_sense_are_named(assignment: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        set_by_path({"workers": 1}, assignment)


def test_overrides_reach_into_sections_left_empty() -> None:
    tree: dict[str, Any] = {"first": None}
    set_by_path(tree, "first.name=c4")
    set_by_path(tree, "new.deep.key=[1, 2]")
    set_by_path(tree, "url=http://a?b=c")
    assert tree == {"first": {"name": "c4"}, "new": {"deep": {"key": [1, 2]}}, "url": "http://a?b=c"}


KEYS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3)


@given(KEYS, st.integers())
def test_what_is_set_is_found(path: list[str], value: int) -> None:
    tree: dict[str, Any] = {}
    set_by_path(tree, f"{'.'.join(path)}={value}")
    here: Any = tree
    for part in path:
        here = here[part]
    assert here == value


def test_a_message_does_not_repeat_a_password() -> None:
    from hinterland.rag.client import EndpointConfig

    with pytest.raises(ConfigError) as refused:
        parse_config(EndpointConfig, {"base_url": "http://me:secret@host/v1", "model": "m"})
    assert "no user or password" in str(refused.value)
    assert "secret" not in str(refused.value)

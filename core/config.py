"""Typed configs: YAML in, pydantic models out, unknown keys refused by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from hinterland.core.errors import ConfigError, nearest

#: User and password in an address.
_CREDENTIALS = re.compile(r"//[^/@\s]+@")

__all__ = ["Config", "load_config", "parse_config", "set_by_path"]


class Config(BaseModel):
    """Base of every config: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, protected_namespaces=())


C = TypeVar("C", bound=Config)


def set_by_path(tree: dict[str, Any], assignment: str) -> None:
    """Apply one ``a.b=c`` to a nested mapping; the value is read as YAML.

    Raises:
        ConfigError: There is no ``=``, or a part of the path is not a mapping.
    """
    path, sign, raw = assignment.partition("=")
    if not sign or not path:
        raise ConfigError(f"--set {assignment!r} has no value", cure="write --set key.sub=value")
    *parents, last = path.split(".")
    here = tree
    for part in parents:
        if here.get(part) is None:  # missing, or a section left empty in the file
            here[part] = {}
        below = here[part]
        if not isinstance(below, dict):
            raise ConfigError(
                f"--set {path}: {part!r} is a value, not a section", cure="set the value itself"
            )
        here = below
    try:
        here[last] = yaml.safe_load(raw) if raw else ""
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {path}: the value is not YAML", cure="quote it") from error


def _known_keys(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    """Return the keys allowed at ``path`` inside ``model``; in a union the part names the ``kind``."""
    union: list[type[BaseModel]] = []
    for part in path:
        if not isinstance(part, str):
            continue
        field = model.model_fields.get(part)
        if field is None:
            named = [each for each in union if "kind" in each.model_fields]
            model = next((each for each in named if each.model_fields["kind"].default == part), model)
        elif found := list(_models(field.annotation)):
            union, model = found, found[0]
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models in an annotation such as ``list[A] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def parse_config(model: type[C], values: Mapping[str, Any], *, where: str = "") -> C:
    """Validate ``values`` as a ``model``.

    Raises:
        ConfigError: A key is unknown (the nearest is named) or a value is of the wrong kind.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems, cures = [], []
        for item in error.errors():
            location = ".".join(str(part) for part in item["loc"])
            if item["type"] == "extra_forbidden":
                problems.append(f"unknown key {location!r}")
                cures.append(nearest(str(item["loc"][-1]), _known_keys(model, item["loc"][:-1])))
            elif item["type"] == "missing":  # its input is the whole section: nothing to show
                problems.append(f"{location!r} is missing")
                cures.append(f"set {location}")
            else:
                problem, cure = _wrong_value(location, item)
                problems.append(problem)
                cures += [cure] if cure else []
        raise ConfigError(
            "; ".join(problems), where=where, cure="; ".join(cures) or "correct the value"
        ) from error


def _wrong_value(location: str, item: ErrorDetails) -> tuple[str, str]:
    """Return what is wrong with a value, and what helps where that is not to correct it."""
    # What a validator of ours raises speaks for itself; pydantic puts its own words before it.
    raised = item.get("ctx", {}).get("error") if item["type"] in ("value_error", "assertion_error") else None
    message = str(raised or item["msg"])
    if raised is not None and isinstance(item["input"], Mapping | BaseModel):
        # Of settings that do not go together: all that the section holds would be shown.
        return f"{location}: {message}" if location else message, "change these settings"
    # An address may hold a password, which a message must not repeat.
    found = _CREDENTIALS.sub("//…@", repr(item["input"]))
    return f"{location or 'config'}: {message}, found {found}", ""


def load_config(model: type[C], path: Path | None, overrides: Iterable[str] = ()) -> C:
    """Read a YAML file, apply ``a.b=c`` overrides, and validate.

    Args:
        model: The config class.
        path: The file; ``None`` starts from the defaults.
        overrides: Assignments as given to ``--set``; they win over the file.

    Raises:
        ConfigError: The file is missing or not YAML, or a key or value is wrong.
    """
    tree: Any = {}
    if path is not None:
        try:
            tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(
                f"cannot read the config: {error.strerror}", where=str(path), cure="check the path"
            ) from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"not YAML: {' '.join(str(error).split())}", where=str(path), cure="correct the file"
            ) from error
        tree = {} if tree is None else tree
    if not isinstance(tree, dict):
        raise ConfigError(
            f"a config is a mapping, found {type(tree).__name__}",
            where=str(path),
            cure="write key: value lines",
        )
    for assignment in overrides:
        set_by_path(tree, assignment)
    return parse_config(model, tree, where=str(path) if path else "--set")

"""All that an audit's result depends on, so that it is done again when one of them changes."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hinterland.core.run import fingerprint
from hinterland.curate.audit.adapters.config import CallableFilter, DatatroveFilter
from hinterland.curate.audit.report import FORMAT
from hinterland.curate.audit.settings import AuditSettings
from hinterland.curate.inputs import hash_input

__all__ = ["depends", "depends_on_settings"]


def depends_on_settings(config: AuditSettings) -> dict[str, Any]:
    """Return the settings, a hash of each file that they name, and what the kit itself brings.

    Of a filter's function that is the file where it is written, and none that it imports.
    """
    settings = config.model_dump(mode="json", exclude={"out", "input", "corpus", "workers"})
    figures = files("hinterland.core").joinpath("data/covariates.csv").read_text(encoding="utf-8")
    named = sorted(_paths(config) | _code(config))
    return {
        "config": settings,
        "files": {str(path): hash_input(path) for path in named},
        "format": FORMAT,
        "figures": fingerprint(figures),
    }


def depends(manifest: Mapping[str, Any], config: AuditSettings) -> dict[str, Any]:
    """Return all that the audit of a corpus depends on; its notes tell of counts and places."""
    cards = manifest.get("cards")
    return {
        "shards": manifest["shards"],
        "rules": manifest.get("rules"),
        "counts": manifest.get("counts"),
        "placed": cards.get("places") if isinstance(cards, dict) else None,
        **depends_on_settings(config),
    }


def _paths(config: AuditSettings) -> set[Path]:
    """Return the files and folders that a config names and that are there."""
    found: set[Path] = set()

    def search(value: Any) -> None:
        if isinstance(value, Path):
            found.add(value)
        elif isinstance(value, Mapping):
            for each in value.values():
                search(each)
        elif isinstance(value, list | tuple):
            for each in value:
                search(each)

    search(config.model_dump(exclude={"out", "input", "corpus"}))
    return {path for path in found if path.exists()}


def _code(config: AuditSettings) -> set[Path]:
    """Return the files in which the filters' functions are written, as far as they can be found."""
    found: set[Path] = set()
    for each in config.filters.values():
        if isinstance(each, CallableFilter):
            spec = each.callable
        elif isinstance(each, DatatroveFilter):
            spec = each.datatrove
        else:
            continue
        if isinstance(spec, str):
            found |= _file_of(spec.rpartition(":")[0])
    return found


def _file_of(module: str) -> set[Path]:
    """Return the file of ``folder/file.py`` or ``package.module``, without importing it."""
    if module.endswith(".py"):
        return {Path(module)} if Path(module).is_file() else set()
    top, *inner = module.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return set()
    if spec is None or not spec.origin:
        return set()
    base = Path(spec.origin)
    if inner:
        below = base.parent.joinpath(*inner)
        base = below / "__init__.py" if below.is_dir() else below.with_suffix(".py")
    return {base} if base.is_file() else set()

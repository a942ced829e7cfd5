"""All that an audit's result depends on, so that it is done again when one of them changes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hinterland.curate.audit.settings import AuditSettings
from hinterland.curate.inputs import hash_input

__all__ = ["depends", "depends_on_settings"]


def depends_on_settings(config: AuditSettings) -> dict[str, Any]:
    """Return the settings, and a hash of each file that they name."""
    settings = config.model_dump(mode="json", exclude={"out", "input", "corpus", "workers"})
    return {"config": settings, "files": {str(path): hash_input(path) for path in sorted(_paths(config))}}


def depends(manifest: Mapping[str, Any], config: AuditSettings) -> dict[str, Any]:
    """Return all that the audit of a corpus depends on."""
    return {"shards": manifest["shards"], "rules": manifest.get("rules"), **depends_on_settings(config)}


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

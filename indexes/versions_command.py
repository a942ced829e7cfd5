"""`hinterland index versions` and `index rollback`: what is on disk, and serving an older one again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from hinterland.core.config import Config
from hinterland.indexes.versions import rollback, versions

__all__ = ["CommandConfig", "plan", "render", "run"]


class CommandConfig(Config):
    """Which index, and whether to go back.

    Attributes:
        index: The index's folder.
        rollback: Serve another version: ``true`` for the one before, or its name or beginning.
        wait_seconds: How long to wait for another writer.
    """

    index: Path
    rollback: bool | str = False
    wait_seconds: float = Field(default=0.0, ge=0)


def plan(config: CommandConfig) -> dict[str, Any]:
    """List the versions; nothing is written."""
    return {"versions": versions(config.index)}


def run(config: CommandConfig) -> dict[str, Any]:
    """List the versions, after going back to one if that was asked for."""
    told: dict[str, Any] = {"index": str(config.index)}
    if config.rollback:
        name = config.rollback if isinstance(config.rollback, str) else None
        told |= rollback(config.index, name, wait_seconds=config.wait_seconds)
    return {**told, "versions": versions(config.index)}


def render(result: dict[str, Any]) -> str:
    """Return a line for each version, the one served marked with a star."""
    lines = []
    if "version_before" in result:
        lines.append(f"version {result['version']} is served instead of {result['version_before']}")
    for each in result["versions"]:
        numbers = {name: value for name, value in each["changed"].items() if isinstance(value, int)}
        more = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in numbers.items())
        lines.append(
            f"{'*' if each['served'] else ' '} {each['version']}  {each['when']}  {each['chunks']:,} chunks  "
            f"{each['changed']['what']}{': ' + more if more else ''}"
        )
    return "\n".join(lines)

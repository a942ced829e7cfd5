"""The versions of an index on disk: list them, and serve an older one again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hinterland.core.errors import ConfigError, IndexBundleError, StorageError, nearest
from hinterland.core.files import read_json
from hinterland.indexes.bundle import MANIFEST, check_version, current_version, serve
from hinterland.indexes.change_state import read_version
from hinterland.indexes.removal_finish import writing
from hinterland.indexes.removal_rules import rules_in_force

__all__ = ["rollback", "versions"]


def versions(root: Path) -> list[dict[str, Any]]:
    """Return the versions on disk, the one that was served last first.

    Each has its name, when it was last made the one served, how many chunks it holds, what was
    changed last, and whether it is served now. One whose manifest cannot be read is listed as
    damaged.

    Raises:
        IndexBundleError: There is no index.
    """
    served = current_version(root)
    found = []
    for folder in (root / "versions").iterdir():
        if folder.name.startswith("."):
            continue
        try:
            manifest, since = read_json(folder / MANIFEST), folder.stat().st_mtime
            chunks, changes = manifest["chunks"], manifest.get("changes", [])
        except (StorageError, OSError, KeyError, TypeError, AttributeError):
            if not (folder / MANIFEST).is_file():  # pruned meanwhile, or no version
                continue
            since, chunks, changes = 0.0, 0, [{"what": "damaged: its manifest cannot be read"}]
        found.append(
            {
                "version": folder.name,
                "when": datetime.fromtimestamp(since, UTC).isoformat(timespec="seconds"),
                "chunks": chunks,
                "changed": changes[-1] if changes else {"what": "build"},
                "served": folder.name == served,
                "_since": since,
            }
        )
    found.sort(key=lambda each: (not each["served"], -each["_since"], each["version"]))
    return [{name: value for name, value in each.items() if name != "_since"} for each in found]


def rollback(root: Path, version: str | None = None, *, wait_seconds: float = 0.0) -> dict[str, Any]:
    """Serve another version that is on disk.

    Args:
        root: The index's folder.
        version: Its name, or the beginning of it; ``None``: the one served before this one.
        wait_seconds: How long to wait for another writer.

    Raises:
        ConfigError: There is no such version, or none but the one served.
        IndexBundleError: It is damaged, or holds what a rule of removal forbids.
        StorageError: Another process writes.
    """
    with writing(root, wait_seconds=wait_seconds):
        known = versions(root)
        others = [each["version"] for each in known if not each["served"]]
        if not others:
            raise ConfigError("no other version is on disk", where=str(root), cure="nothing to go back to")
        fits = [each for each in others if each.startswith(version)] if version else others[:1]
        if len(fits) != 1:
            raise ConfigError(
                f"{'no' if not fits else 'more than one'} other version {version!r}",
                where=str(root),
                cure=nearest(version or "", others),
            )
        check_version(root, fits[0])
        chunks = read_version(root, fits[0]).chunks
        for rule_id, rule in rules_in_force(root).items():
            if rule.matches(chunks).any():
                raise IndexBundleError(
                    f"version {fits[0]} holds what rule {rule_id} removed",
                    where=str(root),
                    cure=f"lift the rule first: hinterland index remove … --set lift={rule_id}",
                )
        before = current_version(root)
        serve(root, fits[0])
        return {
            "index": str(root),
            "version_before": before,
            "version": fits[0],
            "chunks": chunks.num_rows,
        }

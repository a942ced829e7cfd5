"""Remove documents so that nothing of them is left and nothing brings them back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hinterland.core.errors import ConfigError, CorpusError, IndexBundleError, nearest
from hinterland.core.files import write_json
from hinterland.indexes.bundle import Bundle
from hinterland.indexes.change_state import EVERYTHING, State, next_version, state_of
from hinterland.indexes.removal_finish import (
    PENDING,
    drop_versions,
    finish,
    holding,
    matching_chunks,
    writing,
)
from hinterland.indexes.removal_receipt import counted, hashed
from hinterland.indexes.removal_rules import Rule, digest, lay_down, lift, rules_in_force

__all__ = ["Rule", "allowed", "lift_rule", "plan_removal", "remove", "withhold"]


def withhold(table: pa.Table, rules: Mapping[str, Rule]) -> tuple[pa.Table, dict[str, int]]:
    """Leave out the documents that rules forbid.

    Args:
        table: Documents, with ``id``, or chunks, with ``document_id``.
        rules: By their ids, as `hinterland.indexes.removal_rules.rules_in_force` gives them.

    Returns:
        The documents that may be indexed, and how many each rule withholds, by its id.

    Raises:
        CorpusError: A rule needs a column that the documents lack.
    """
    counts: dict[str, int] = {}
    for rule_id, rule in rules.items():
        try:
            found = rule.matches(table)
        except ConfigError as error:  # what cannot be checked is not let in
            raise CorpusError(
                f"removal rule {rule_id} cannot be checked on these documents: {error.found}",
                where=str(rule),
                cure=f"add the column (a build: columns), or lift the rule: lift={rule_id}",
            ) from error
        if found.any():
            counts[rule_id] = int(found.sum())
            table = table.filter(pa.array(~found))
    return table, counts


def allowed(root: Path, table: pa.Table, rules: Mapping[str, Rule]) -> tuple[pa.Table, dict[str, int]]:
    """Do as `withhold`, for who needs at least one document.

    Raises:
        CorpusError: A rule needs a column that the documents lack.
        IndexBundleError: All documents are withheld.
    """
    left, counts = withhold(table, rules)
    if table.num_rows and not left.num_rows:
        raise IndexBundleError(
            f"rules of removal withhold all {table.num_rows} documents ({', '.join(counts)})",
            where=str(root),
            cure="give other documents, or lift a rule: hinterland index remove … --set lift=RULE-ID",
        )
    return left, counts


def plan_removal(root: Path, rule: Rule) -> dict[str, Any]:
    """Say what a rule would remove; nothing is written.

    Raises:
        ConfigError: It names a column that is not there, or nothing fits.
        IndexBundleError: The index is missing or damaged.
    """
    state = state_of(root)
    found = matching_chunks(state.chunks, rule)
    if not found.any():
        raise _nothing(state, rule)
    versions = sum(1 for each in (root / "versions").iterdir() if each.name != state.bundle.version)
    return {
        "rule": str(rule),
        "rule_id": rule.id,
        **counted(state.chunks.filter(pa.array(found))),
        "chunks_kept": int((~found).sum()),
        "version": state.bundle.version,
        "older_versions": versions,
    }


def remove(
    root: Path,
    rule: Rule,
    *,
    keep_versions: bool = False,
    compact: bool = True,
    in_advance: bool = False,
    wait_seconds: float = 0.0,
    measure: Callable[[Bundle, set[str]], dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Remove the documents that a rule matches, remember the rule, and return the receipt.

    Texts and words are gone from the version that is served at once, and their vectors out of
    every search. Then the cache forgets them, all files are looked through, the other
    versions are deleted, and the vectors are dropped. Where nothing is left, an empty index is
    served, which finds nothing and takes new documents. What only older versions hold goes with
    these versions; no receipt is written then.

    Args:
        root: The index's folder.
        rule: Which documents. A document goes as a whole.
        keep_versions: Leave older versions on disk, with the texts in them.
        compact: Drop the vectors now; else the next writer does (`compact`).
        in_advance: Remember a rule that matches nothing yet.
        wait_seconds: How long to wait for another writer.
        measure: Estimates the cost from the version and the documents to go, before they go.

    Raises:
        ConfigError: The rule matches nothing, or names a column that is not there.
        IndexBundleError: The index is damaged, or something removed is left in a file.
        StorageError: Another process writes, or the disk is full.
    """
    with writing(root, wait_seconds=wait_seconds):
        rules_in_force(root)
        state = state_of(root)
        found = matching_chunks(state.chunks, rule)
        if not found.any():
            older = [] if keep_versions else holding(root, state.bundle.version, rule)
            if not in_advance and not older:
                raise _nothing(state, rule)
            lay_down(root, rule)
            drop_versions(state, older)
            return {
                "rule_id": rule.id,
                "rule": rule.as_dict(),
                "documents": 0,
                "chunks": 0,
                "versions_deleted": len(older),
                "complete": True,
            }
        removed = state.chunks.filter(pa.array(found))
        now = datetime.now(UTC)
        key = digest(rule.id + state.bundle.version)[:12]
        cost = measure(state.bundle, set(removed["document_id"].to_pylist())) if measure else None
        pending = {
            "removal": key,
            "name": f"{now:%Y%m%dT%H%M%SZ}-{key}-{rule.id}",
            "stage": "served",
            "at": now.isoformat(timespec="seconds"),
            "rule_id": rule.id,
            "rule": rule.as_dict(),
            "version_before": state.bundle.version,
            "keep_versions": keep_versions,
            **counted(removed),
            "hashes": hashed(removed),
            **({"cost": cost} if cost else {}),
        }
        write_json(root / PENDING, pending)
        change = {
            "what": "remove",
            "removal": key,
            "rule": rule.id,
            "documents": pending["documents"],
            "chunks_removed": removed.num_rows,
        }
        next_version(state, state.chunks.filter(pa.array(~found)), change, keep=EVERYTHING)
        return finish(root, compact=compact)


def lift_rule(root: Path, rule_id: str, *, wait_seconds: float = 0.0) -> Rule:
    """Let a rule no longer hold, and return it. What was removed does not come back by this.

    Raises:
        ConfigError: No such rule is in force.
        StorageError: Another process writes, or the file of rules was edited by hand.
    """
    with writing(root, wait_seconds=wait_seconds):
        return lift(root, rule_id)


def _nothing(state: State, rule: Rule) -> ConfigError:
    """Return the error of a rule that matches nothing: what is left to do, or the nearest value there is."""
    dead = f"{state.dead} vectors of what was removed or replaced are left: hinterland index compact INDEX"
    if rule.id in rules_in_force(state.root):
        return ConfigError(
            f"no document matches any more: rule {rule.id} is in force",
            where=str(state.root),
            cure=dead if state.dead else "nothing is left to remove",
        )
    cure = "search for what is meant; in_advance: true remembers the rule for documents to come"
    for name, values in rule.columns:
        known = [str(each) for each in pc.unique(state.chunks[name]).to_pylist() if each is not None]
        missing = next((each for each in values if each not in known), None)
        if missing is not None:
            cure = f"{name}: {nearest(missing, known)}"
            break
    if state.dead:
        cure += f"; {dead}"
    return ConfigError(f"no document matches: {rule}", where=str(state.root), cure=cure)

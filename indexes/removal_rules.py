"""Rules of removal: what they match, and the file that remembers them.

``<root>/removals.jsonl`` has one line for each rule that was laid down or lifted. A rule's id
is a hash of the rule, and every line holds the hash of the line before it, so that an edit by
hand is noticed; `hinterland.indexes.removal_ledger` knows which line is the last. Documents' ids
stand in it as hashes only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hinterland.core.columns import TableValues
from hinterland.core.errors import ConfigError, StorageError, nearest
from hinterland.core.expressions import parse
from hinterland.indexes.removal_ledger import LEDGER, append, check_end, digest, lines_of

__all__ = ["LEDGER", "Rule", "digest", "lay_down", "lift", "matching_chunks", "rules_in_force"]

#: Columns of a chunk that no document has.
_OF_CHUNKS = frozenset({"id", "start", "end", "text", "title", "row"})
_CURE = "put the file back as it was; a rule is lifted with: hinterland index remove … --set lift=RULE-ID"


@dataclass(frozen=True, slots=True)
class Rule:
    """Which documents are removed: those that fit every part.

    Attributes:
        ids: SHA-256 of document ids, any of them; empty: whatever the id.
        columns: Values by column, any of them for each column.
        where: A condition over columns (`hinterland.core.expressions`); empty: none.
    """

    ids: tuple[str, ...] = ()
    columns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    where: str = ""

    @classmethod
    def make(
        cls, *, ids: Sequence[str] = (), columns: Mapping[str, Sequence[str]] | None = None, where: str = ""
    ) -> Rule:
        """Return a rule from plain ids and values.

        Raises:
            ConfigError: It has no part, or the condition is not in the language.
        """
        parts = tuple(
            (name, tuple(sorted(set(values)))) for name, values in sorted((columns or {}).items()) if values
        )
        if not ids and not parts and not where.strip():
            raise ConfigError(
                "a rule that says nothing",
                where="rule",
                cure="name ids, sources, licenses, countries, admin1, columns or a condition",
            )
        if where.strip():
            parse(where, where="where")
        return cls(tuple(sorted({digest(each) for each in ids})), parts, where.strip())

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Rule:
        """Return the rule that `as_dict` described."""
        return cls(
            tuple(value.get("ids_sha256", ())),
            tuple((name, tuple(values)) for name, values in sorted(value.get("columns", {}).items())),
            str(value.get("where", "")),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values; only the parts there are."""
        parts: dict[str, Any] = {}
        if self.ids:
            parts["ids_sha256"] = list(self.ids)
        if self.columns:
            parts["columns"] = {name: list(values) for name, values in self.columns}
        if self.where:
            parts["where"] = self.where
        return parts

    @property
    def id(self) -> str:
        """A hash of the rule, 12 hex digits."""
        return digest(json.dumps(self.as_dict(), sort_keys=True))[:12]

    def __str__(self) -> str:
        parts = [f"{len(self.ids)} ids"] if self.ids else []
        parts += [f"{name} in {list(values)}" for name, values in self.columns]
        return " and ".join([*parts, *([f"({self.where})"] if self.where else [])])

    def matches(self, table: pa.Table) -> NDArray[np.bool_]:
        """Return which rows fit, shape (rows,).

        Args:
            table: Chunks, with ``document_id``, or documents, with ``id``.

        Raises:
            ConfigError: It names a column that is not there, and the nearest is named, or one
                that holds lists, mappings or bytes.
        """
        view = _documents(table)
        found = np.ones(view.num_rows, dtype=np.bool_)
        if self.ids:
            wanted = set(self.ids)
            found &= np.fromiter(
                (digest(each) in wanted for each in view["document_id"].to_pylist()), np.bool_, view.num_rows
            )
        for name, values in self.columns:
            if name not in view.column_names:
                raise ConfigError(
                    f"there is no column {name!r}", where="rule", cure=nearest(name, view.column_names)
                )
            same = pc.is_in(_as_text(view[name], name), value_set=pa.array(values, pa.string()))
            found &= np.asarray(same.combine_chunks().to_numpy(zero_copy_only=False), dtype=np.bool_)
        if self.where:
            found &= parse(self.where, where="where").holds(TableValues(view))[0]
        return found


def _as_text(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ConfigError(
            f"column {name!r} is {column.type}: its values cannot be named",
            where="rule",
            cure="name a column of strings, numbers or dates, or ids",
        ) from error


def _documents(table: pa.Table) -> pa.Table:
    """Return what chunks and documents have in common, the documents' ids as ``document_id``."""
    if "document_id" not in table.column_names:
        table = table.rename_columns(["document_id" if name == "id" else name for name in table.column_names])
    return table.drop_columns([name for name in table.column_names if name in _OF_CHUNKS])


def matching_chunks(chunks: pa.Table, rule: Rule) -> NDArray[np.bool_]:
    """Return the chunks of all documents of which a chunk fits, shape (chunks,).

    Raises:
        ConfigError: The rule names a column that is not there.
    """
    found = rule.matches(chunks)
    documents = chunks["document_id"].filter(pa.array(found)).unique()
    whole = pc.is_in(chunks["document_id"], value_set=documents)
    return np.asarray(whole.combine_chunks().to_numpy(zero_copy_only=False), dtype=np.bool_)


def rules_in_force(root: Path) -> dict[str, Rule]:
    """Return the rules that were laid down and not lifted, by their ids.

    Raises:
        StorageError: The file was edited by hand, or cut off; the line is named.
    """
    rules: dict[str, Rule] = {}
    known: set[str] = set()
    for event in _events(root):
        known.add(event["id"])
        if event["what"] == "remove":
            rules[event["id"]] = Rule.from_dict(event["rule"])
        else:
            rules.pop(event["id"], None)
    for receipt in sorted((root / "receipts").glob("*.json")):
        rule = receipt.stem.rpartition("-")[2]
        if rule not in known:
            raise StorageError(
                f"rule {rule} has a receipt and is not in {LEDGER}", where=str(root / LEDGER), cure=_CURE
            )
    return rules


def lay_down(root: Path, rule: Rule) -> None:
    """Remember a rule. The caller holds the writer's lock."""
    if rule.id not in rules_in_force_unchecked(root):
        append(root, {"what": "remove", "id": rule.id, "rule": rule.as_dict()})


def lift(root: Path, rule_id: str) -> Rule:
    """Forget a rule, and return it. The caller holds the writer's lock.

    Raises:
        ConfigError: No such rule is in force.
    """
    rules = rules_in_force(root)
    if rule_id not in rules:
        raise ConfigError(
            f"no rule {rule_id!r} is in force", where=str(root / LEDGER), cure=nearest(rule_id, rules)
        )
    append(root, {"what": "lift", "id": rule_id})
    return rules[rule_id]


def rules_in_force_unchecked(root: Path) -> set[str]:
    """Return the ids in force by the file alone, before the receipts of a removal are there."""
    found: set[str] = set()
    for event in _events(root):
        (found.add if event["what"] == "remove" else found.discard)(event["id"])
    return found


def _events(root: Path) -> list[dict[str, Any]]:
    while True:
        lines = lines_of(root)
        befores = ["", *lines]
        events = [
            _event(line, before, where=f"{root / LEDGER}, line {number}")
            for number, (line, before) in enumerate(zip(lines, befores, strict=False), 1)
        ]
        try:
            check_end(root, lines)
        except StorageError:
            if lines_of(root) == lines:  # no writer came between the two files
                raise
        else:
            return events


def _event(line: str, before: str, *, where: str) -> dict[str, Any]:
    """Read and check one line.

    Raises:
        StorageError: It is not what was written here.
    """
    try:
        event = json.loads(line)
        what, rule_id, newer = event["what"], event["id"], event["format"] > 1
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError("a line that is no rule of removal", where=where, cure=_CURE) from error
    if newer or what not in ("remove", "lift"):
        raise StorageError("a line of a newer version", where=where, cure="upgrade hinterland")
    if event.get("after") != (digest(before) if before else ""):
        raise StorageError("the line before it was edited by hand", where=where, cure=_CURE)
    if what == "remove" and Rule.from_dict(event["rule"]).id != rule_id:
        raise StorageError("the rule was edited by hand", where=where, cure=_CURE)
    return dict(event)

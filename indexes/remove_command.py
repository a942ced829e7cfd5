"""`hinterland index remove`: documents out of an index, for good, with a receipt."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.errors import ConfigError
from hinterland.indexes.bundle import Bundle, open_bundle
from hinterland.indexes.change_state import state_of
from hinterland.indexes.embed import EmbedConfig
from hinterland.indexes.encoder import encoder
from hinterland.indexes.queries import read_judgements, read_queries
from hinterland.indexes.removal import Rule, lift_rule, plan_removal, remove
from hinterland.indexes.removal_cost import removal_cost
from hinterland.indexes.removal_finish import matching_chunks
from hinterland.indexes.search import Index

__all__ = ["CommandConfig", "plan", "render", "run"]

Values = tuple[str, ...]


class CommandConfig(Config):
    """What to remove. Several kinds together mean documents that fit all of them.

    Attributes:
        index: The index's folder.
        ids: Ids of documents.
        source: Sources.
        license: Licences.
        country: Countries, ISO 3166-1 alpha-3.
        admin1: Provinces or states, where the index has this column.
        columns: Values of any other columns.
        where: A condition over columns.
        lift: The id of a rule that shall no longer hold; nothing is removed then.
        in_advance: Remember the rule even if nothing matches it yet.
        keep_versions: Leave older versions on disk, with the texts in them.
        compact: Drop the vectors now; else ``index compact`` or the next change does.
        queries: A file of queries, or a folder in BEIR's layout: estimate what the removal costs.
        qrels: Judgements of these queries, in BEIR's layout.
        k: Documents looked at for each query.
        embed: Another encoder than the one the index names, for the queries.
        wait_seconds: How long to wait for another writer.
    """

    index: Path
    ids: Values = ()
    source: Values = ()
    license: Values = ()
    country: Values = ()
    admin1: Values = ()
    columns: dict[str, Values] = Field(default_factory=dict)
    where: str = ""
    lift: str = ""
    in_advance: bool = False
    keep_versions: bool = False
    compact: bool = True
    queries: Path | None = None
    qrels: Path | None = None
    k: int = Field(default=10, ge=1)
    embed: EmbedConfig | None = None
    wait_seconds: float = Field(default=0.0, ge=0)

    def rule(self) -> Rule:
        """Return the rule.

        Raises:
            ConfigError: It says nothing, or the condition is not in the language.
        """
        named = {name: getattr(self, name) for name in ("source", "license", "country", "admin1")}
        return Rule.make(ids=self.ids, columns={**self.columns, **named}, where=self.where)


def _cost(config: CommandConfig, bundle: Bundle, removed: set[str]) -> dict[str, Any]:
    """Search the given queries with and without the documents; empty without queries."""
    if config.queries is None:
        return {}
    queries = read_queries(config.queries)
    judged = read_judgements(config.qrels) if config.qrels else None
    index = Index.open(config.index, embedder=encoder(bundle, config.embed))
    return removal_cost(index, removed, queries, judged, k=config.k)


def plan(config: CommandConfig) -> dict[str, Any]:
    """Say what would go, and what that costs on the queries given; nothing is written."""
    if config.lift:
        return {"lift": config.lift}
    told = plan_removal(config.index, config.rule())
    if config.queries is None:
        return told
    chunks = state_of(config.index).chunks
    found = matching_chunks(chunks, config.rule())
    removed = {name for name, gone in zip(chunks["document_id"].to_pylist(), found, strict=True) if gone}
    return {**told, "cost": _cost(config, open_bundle(config.index), removed)}


def run(config: CommandConfig) -> dict[str, Any]:
    """Remove the documents, or lift a rule."""
    start = time.perf_counter()
    if config.qrels and not config.queries:
        raise ConfigError("qrels without queries", where="qrels", cure="give the queries too: queries=FILE")
    if config.lift:
        rule = lift_rule(config.index, config.lift, wait_seconds=config.wait_seconds)
        return {"index": str(config.index), "lifted": config.lift, "rule": str(rule)}
    rule = config.rule()
    receipt = remove(
        config.index,
        rule,
        keep_versions=config.keep_versions,
        compact=config.compact,
        in_advance=config.in_advance,
        wait_seconds=config.wait_seconds,
        measure=(lambda bundle, removed: _cost(config, bundle, removed)) if config.queries else None,
    )
    shown = {name: value for name, value in receipt.items() if name not in ("hashes", "files")}
    seconds = round(time.perf_counter() - start, 2)
    return {"index": str(config.index), "says": str(rule), **shown, "seconds": seconds}


def render(result: dict[str, Any]) -> str:
    """Return the result in a few lines."""
    if "lifted" in result:
        return f"rule {result['lifted']} no longer holds in {result['index']}: {result['rule']}"
    if "residue" not in result:
        older = result["versions_deleted"]
        deleted = f"; {older:,} older versions that held it are deleted" if older else ""
        return f"rule {result['rule_id']} will keep out of {result['index']}: {result['says']}{deleted}"
    sources = ", ".join(f"{count:,} of {name}" for name, count in result["documents_by_source"].items())
    versions = result.get("versions_deleted", 0)
    lines = [
        f"{result['documents']:,} documents ({sources}), {result['chunks']:,} chunks removed from "
        f"{result['index']}",
        f"  rule {result['rule_id']} keeps out what it matches: {result['says']}",
        f"  {result['cached_vectors']:,} cached vectors and {versions:,} other "
        f"version{'' if versions == 1 else 's'} deleted; version {result['version_after']}",
    ]
    lines += _looked(result["residue"]) if result["complete"] else []
    if not result["complete"]:
        lines.append(f"  {result['dead_vectors']:,} vectors are dead until: hinterland index compact")
    cost = result.get("cost", {})
    if cost:
        lines.append(
            f"  {_between(cost['overlap'])} of the first {cost['k']} stay ({cost['queries']} queries)"
        )
    for name in sorted(set(cost) - {"overlap", "queries", "k", "queries_changed", "judged"}):
        told = cost[name]
        lines.append(
            f"  {name} {told['before']} → {told['after']}, difference {_between(told['difference'])}"
        )
    return "\n".join([*lines, f"  receipt {result['receipt']}"])


def _looked(residue: dict[str, Any]) -> list[str]:
    """Say what was looked for, and what was not."""
    lines = [f"  not looked for traces: {residue['why']}"] if residue["clean"] is None else []
    for name, told in (("", residue), (" by a second look", residue.get("again", {}))):
        if "looked_for" in told:
            looked = sum(told["looked_for"].values())
            lines.append(f"  no trace found{name}: {looked:,} pieces looked for in {told['files']:,} files")
    last = residue.get("again", residue)
    return [*lines, *(f"  not looked for: {each}" for each in last.get("not_looked_for", []))]


def _between(interval: dict[str, float | None]) -> str:
    return f"{interval['estimate']} [{interval['low']}, {interval['high']}]"

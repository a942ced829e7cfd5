"""Deciding: rules over score columns. Cheap, separate from scoring, and never a deletion."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError, CorpusError, nearest
from hinterland.core.progress import track
from hinterland.core.record import DECISION_FIELDS
from hinterland.curate.copies import apply_to_left, goes_last
from hinterland.curate.decisions import Decisions
from hinterland.curate.decisions_config import DecisionsConfig
from hinterland.curate.mixing import mix
from hinterland.curate.rule import Rule
from hinterland.curate.sampling import cap_groups, drop_to_share, pareto
from hinterland.curate.score_columns import Columns, TableColumns

__all__ = [
    "EMPTY",
    "Decisions",
    "check_decisions",
    "column_values",
    "decide",
    "decide_columns",
    "filter_decisions",
    "severity",
    "unmeasured",
]

#: The reason of documents without a word; it comes before all rules.
EMPTY = "empty"
#: From here on deciding takes seconds, so progress is shown.
_MANY = 1_000_000


def decide_columns(
    columns: Columns, rules: Sequence[Rule], config: DecisionsConfig | None = None, *, seed: int = 0
) -> Decisions:
    """Decide over a whole corpus, reading one score column at a time.

    First the rules: a document without a word, the filters' rules, the expressions. Of
    these all reasons that apply are given. Then, each among the documents still kept: the
    Pareto rule, the caps in their order, the toxic share, the mixing weights. What is left
    out there has that one reason. The result for the same ids, scores and seed is the same
    in any order of documents.

    The rules over ``exact_dup.first`` and ``near_dup.first`` come after the other rules and
    the expressions, so that a cluster does not go with a document that is out anyway. Of
    each cluster the one kept is the first in the policy's order that none of them drops,
    and every other document has the rule's reason; if all are dropped, the first of all
    counts as kept. Equal documents are in one near-duplicate cluster, so with both rules
    each near-duplicate cluster keeps one document, if any passes. What comes later, such
    as a cap, brings no copy back. ``chains: split``: a copy that goes is like the first of
    its cluster, as found, and that one may be out; two members of a cluster then have a
    similarity of 2 · threshold − 1 at least (1 − Jaccard is a metric), and the one kept may
    be like one of another cluster.

    This needs the internal columns of `find_duplicates`; where they are not there, as in a
    curated corpus, the two columns are rules like any other. Expressions always see the
    columns as found, and so does ``kept_by_filter``.

    Args:
        columns: The scores, and ``id`` for what is drawn.
        rules: The filters' rules, with the bounds to apply.
        config: Expressions, sampling and weights; none if not given.
        seed: For what is drawn.

    Raises:
        ConfigError: An expression or a section names a column or group that is not there.
        CorpusError: A rule's column is missing; a toxic share or a mixture is out of reach.
    """
    config = config or DecisionsConfig()
    check_decisions(config, columns.names)
    found = Decisions(np.empty(0, dtype=bool), np.empty(0), {EMPTY: columns.empty()})
    _apply_rules(found, columns, rules)
    for drop in config.drop:
        true, unknown = drop.expression().holds(columns)
        _add(found, drop.name, true if drop.when is not None else ~(true | unknown))
        if unknown.any():
            found.unmeasured[drop.name] = int(unknown.sum())
    _apply_copies(found, columns, rules)
    out = np.logical_or.reduce(list(found.reasons.values()))
    found.weight = (~out).astype(np.float64)
    _sample(found, columns, config, seed)
    found.keep = ~np.logical_or.reduce(list(found.reasons.values()))
    return found


def check_decisions(config: DecisionsConfig, names: Sequence[str]) -> None:
    """Refuse a config that cannot be applied to the columns ``names``.

    Raises:
        ConfigError: An expression or a section names a column that is not there, or two
            reasons are equal.
    """
    for drop in config.drop:
        drop.expression().check(names)
    for place, column in config.columns():
        if column not in names:
            known = [name for name in names if not name.startswith("_")]
            raise ConfigError(f"no column {column!r}", where=f"decide.{place}", cure=nearest(column, known))
    stages = [config.pareto, config.toxicity, config.mixing]
    reasons = Counter([*(cap.name for cap in config.caps), *(each.reason for each in stages if each)])
    reasons.update({drop.name for drop in config.drop})  # several rules may share a reason
    for reason, number in reasons.items():
        if number > 1:
            raise ConfigError(
                f"two reasons {reason!r}", where="decide", cure="name one of them with `reason`"
            )


def _apply_rules(found: Decisions, columns: Columns, rules: Sequence[Rule]) -> None:
    by_filter: dict[str, NDArray[np.bool_]] = {}
    for rule in track(rules, "curate: rules") if len(columns) >= _MANY else rules:
        values = _floats(columns, rule.column)
        passes = rule.passes(values)
        # What is about copies comes later, but keeps its place among the reasons.
        later = goes_last(rule, columns.names)
        _add(found, rule.reason, np.zeros(len(columns), dtype=bool) if later else ~passes)
        by_filter[rule.filter] = by_filter[rule.filter] & passes if rule.filter in by_filter else passes
        if missing := int(np.isnan(values).sum()):
            found.unmeasured[rule.column] = missing
    found.kept_by_filter = {name: int(keeps.sum()) for name, keeps in by_filter.items()}


def _apply_copies(found: Decisions, columns: Columns, rules: Sequence[Rule]) -> None:
    last = [rule for rule in rules if goes_last(rule, columns.names)]
    if last:
        dropped = np.logical_or.reduce(list(found.reasons.values()))
        for rule in last:
            _add(found, rule.reason, apply_to_left(rule, columns, dropped))


def _sample(found: Decisions, columns: Columns, config: DecisionsConfig, seed: int) -> None:
    if config.pareto is not None:
        out, found.weight, report = pareto(columns, config.pareto, found.weight, seed=seed)
        _sampled(found, config.pareto.reason, out, report)
    for cap in config.caps:
        out, report = cap_groups(columns, cap, found.weight, seed=seed)
        _sampled(found, cap.name, out, report)
    if config.toxicity is not None:
        out, report = drop_to_share(columns, config.toxicity, found.weight, seed=seed)
        _sampled(found, config.toxicity.reason, out, report)
    if config.mixing is not None:
        out, found.weight, report = mix(columns, config.mixing, found.weight)
        _sampled(found, config.mixing.reason, out, report)


def _sampled(found: Decisions, reason: str, out: NDArray[np.bool_], report: dict[str, object]) -> None:
    _add(found, reason, out)
    found.weight[out] = 0.0
    found.reports[reason] = report


def _add(found: Decisions, reason: str, out: NDArray[np.bool_]) -> None:
    found.reasons[reason] = found.reasons[reason] | out if reason in found.reasons else out


def _floats(columns: Columns, column: str) -> NDArray[np.float64]:
    values = columns[column]
    if values.dtype == object:
        raise CorpusError(
            f"score column {column!r} holds strings", where="deciding", cure="score the corpus again"
        )
    return values


def column_values(table: pa.Table, column: str) -> NDArray[np.float64]:
    """Return a score column as floats, null as NaN, shape (documents,).

    Raises:
        CorpusError: The table has no such column, or it holds no numbers.
    """
    return _floats(TableColumns(table), column)


def decide(
    table: pa.Table, rules: Sequence[Rule], config: DecisionsConfig | None = None, *, seed: int = 0
) -> pa.Table:
    """Return ``table`` with ``keep``, ``reasons`` (all that apply) and ``weight``.

    Columns of these names that are already there are replaced. A document without a word
    has the reason ``empty`` before those of the rules. See `decide_columns`.

    Args:
        table: Documents with ``text`` and the rules' score columns.
        rules: The rules; a document is kept if all of them pass.
        config: Expressions, sampling and weights; without it a kept document weighs 1.
        seed: For what is drawn.

    Raises:
        ConfigError: The config names a column or group that is not there.
        CorpusError: A score column is missing.
    """
    names = [field.name for field in DECISION_FIELDS if field.name in table.column_names]
    result = table.drop_columns(names) if names else table
    decided = decide_columns(TableColumns(result), rules, config, seed=seed).table()
    for field in DECISION_FIELDS:
        result = result.append_column(field, decided[field.name])
    return result


def filter_decisions(table: pa.Table, rules: Sequence[Rule]) -> dict[str, NDArray[np.bool_]]:
    """Return for each filter on its own what it would keep, each of shape (documents,).

    A filter is the first part of a rule's column. What an audit of single filters needs:
    nothing is hidden behind a filter that came first. Of duplicates it is the copy that
    the search chose among all documents (see `decide_columns`).

    Raises:
        CorpusError: A score column is missing.
    """
    decisions: dict[str, NDArray[np.bool_]] = {}
    for rule in rules:
        passes = rule.passes(column_values(table, rule.column))
        decisions[rule.filter] = decisions[rule.filter] & passes if rule.filter in decisions else passes
    return decisions


def severity(table: pa.Table | Columns, rules: Sequence[Rule]) -> NDArray[np.float64]:
    """Return each document's largest violation over all rules, shape (documents,).

    0 is kept; see `Rule.violation` for the scale. A document without a word is infinite,
    so that no relaxed threshold lets it in. Rules over ``exact_dup.first`` and
    ``near_dup.first`` go by the copy that the search chose, which another rule may drop
    and so leave its place to another copy (see `decide_columns`): leave them out, and lock
    the documents with their reasons. Of columns on disk one is in memory at a time.

    Raises:
        CorpusError: A score column is missing.
    """
    columns = table if isinstance(table, Columns) else TableColumns(table)
    worst = np.zeros(len(columns))
    for rule in rules:
        worst = np.maximum(worst, rule.violation(_floats(columns, rule.column)))
    return np.where(columns.empty(), math.inf, worst)


def unmeasured(table: pa.Table, rules: Sequence[Rule]) -> dict[str, int]:
    """Return for each rule how many documents passed because they have no value.

    Raises:
        CorpusError: A score column is missing.
    """
    return {rule.column: int(np.isnan(column_values(table, rule.column)).sum()) for rule in rules}

"""What the methods need of a corpus on disk: columns as arrays, groupings, references; no text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError, CorpusError, nearest
from hinterland.curate.audit.claims import ALL
from hinterland.curate.audit.command import groupings_of
from hinterland.curate.audit.corpus import (
    DEBIAS,
    PLACE_COLUMNS,
    Decided,
    as_record,
    column_names,
    corpus_words,
    filter_of,
    open_decided,
    read_decided,
)
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.groups import Grouping, encode
from hinterland.curate.audit.references import Kind, place_reference, read_reference
from hinterland.curate.debias.settings import CommandConfig
from hinterland.curate.debias.write import with_columns
from hinterland.curate.decide import severity
from hinterland.curate.rule import Rule
from hinterland.curate.score_columns import Columns

__all__ = ["Documents", "columns_needed", "loose_rules", "read_documents"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
#: The distilled score that `hinterland curate` writes; fewer bits are better.
_BITS = "lm_quality.bits_per_byte"
_COLUMNS = ("country", "admin1", "source", "url", "lang", "date", "geo_from", "geo_confidence")
_KINDS: dict[str, Kind] = {
    "population": "population",
    "internet_users": "internet users",
    "internet users": "internet users",
}


def columns_needed(config: CommandConfig) -> list[str]:
    """Return the columns that groupings, clusters and audits can be made of."""
    by = {"rake": list(config.rake.margins), "quota": [config.quota.by], "cap": [config.cap.by]}
    named = [config.group, *by.get(config.method, []), *config.groups, config.clusters or ""]
    return [name for name in dict.fromkeys([*_COLUMNS, *named]) if name]


def read_documents(path: Path, config: CommandConfig, places: Sequence[Path] = ()) -> Decided:
    """Read a corpus without its text; where nothing was decided, every document counts as kept.

    Args:
        path: A corpus, or a run's folder with one in it.
        config: Names the columns.
        places: Where documents are from, a file for each shard, in the place of its own columns.

    Raises:
        CorpusError: There is no corpus, or a column is missing.
    """
    corpus = open_decided(path)
    there = column_names(corpus)
    wanted = [name for name in columns_needed(config) if name in there]
    if config.clusters and config.clusters not in there:
        raise CorpusError(
            f"no column {config.clusters!r}", where=str(corpus.path), cure=nearest(config.clusters, there)
        )
    if "keep" in there:
        return read_decided(path, columns=wanted, tokens=config.tokens, places=places)
    if config.tokens is not None and config.tokens not in there:
        raise CorpusError(
            f"no column {config.tokens!r}", where=str(corpus.path), cure=nearest(config.tokens, there)
        )
    base = [name for name in ("id", "country", "source", "weight") if name in there]
    table = as_record(corpus.read(list(dict.fromkeys([*base, *wanted]))), str(corpus.path))
    none = pa.ListArray.from_arrays(np.zeros(table.num_rows + 1, dtype=np.int32), pa.array([], pa.string()))
    table = table.append_column("reasons", none)
    if places:
        found = pa.concat_tables([pq.read_table(each) for each in places])
        table = with_columns(table, {name: found[name] for name in PLACE_COLUMNS})
    every = {ALL: np.ones(table.num_rows, dtype=bool)}
    bare = Decided(corpus, table, every, np.zeros(0), "tokens" if config.tokens else "words", tuple(places))
    if config.tokens:
        return replace(bare, tokens=Documents(bare, config).numbers(config.tokens))
    return replace(bare, tokens=corpus_words(corpus))


def loose_rules(decided_rules: tuple[Rule, ...], config: CommandConfig, where: str) -> list[Rule]:
    """Return the rules that may be relaxed.

    Raises:
        CorpusError: There are none.
    """
    loose = [rule for rule in decided_rules if rule.filter not in config.locked_filters]
    if not loose:
        raise CorpusError(
            "nothing says how far a document fails: the manifest has no rules that may be relaxed",
            where=where,
            cure="curate the corpus with `hinterland curate`, name a column with --set severity=COLUMN,"
            " or a score with --set score=COLUMN --set rate=0.5",
        )
    return loose


@dataclass(frozen=True)
class Documents:
    """A corpus' documents as the methods take them.

    Attributes:
        decided: The corpus.
        config: The settings.
    """

    decided: Decided
    config: CommandConfig

    @cached_property
    def columns(self) -> Columns:
        """The corpus' columns, read one at a time."""
        return self.decided.columns

    @property
    def where(self) -> str:
        """The corpus' folder."""
        return str(self.decided.corpus.path)

    def numbers(self, column: str) -> Floats:
        """Return a numeric column, null as NaN, shape (documents,).

        Raises:
            CorpusError: There is no such column, or it holds no numbers.
        """
        if column not in self.columns.names:
            raise CorpusError(
                f"no column {column!r}", where=self.where, cure=nearest(column, self.columns.names)
            )
        values = self.columns[column]
        if values.dtype == object:
            raise CorpusError(f"column {column!r} holds no numbers", where=self.where, cure="name another")
        return values

    def quality(self) -> Floats | None:
        """Return the quality, higher is better, or ``None``."""
        name = self.config.quality
        if name is None:
            return -self.numbers(_BITS) if _BITS in self.columns.names else None
        return -self.numbers(name) if self.config.lower_is_better else self.numbers(name)

    def harm(self) -> tuple[Floats, set[str] | None]:
        """Return each document's severity, and the reasons that it speaks of; ``None`` is all.

        Raises:
            CorpusError: Nothing says how far a document fails.
        """
        if self.config.severity:
            return self.numbers(self.config.severity), None
        rules = loose_rules(self.decided.rules, self.config, self.where)
        return severity(self.columns, rules), {rule.reason for rule in rules}

    def locked(self, known: set[str] | None) -> Bools:
        """Return the dropped documents that a rule which may not be relaxed drops too.

        Args:
            known: Reasons of the rules that may be relaxed; ``None`` is all reasons.
        """
        return self._dropped_by(lambda reason: known is not None and reason not in known)

    def locked_by_others(self, score: str) -> Bools:
        """Return the dropped documents that another filter drops than the one that wrote a score."""
        return self._dropped_by(lambda reason: filter_of(reason) != filter_of(score))

    def _dropped_by(self, bars: Callable[[str], bool]) -> Bools:
        """Return the dropped documents with a reason that bars them, or of a locked filter."""
        keep, table = self.decided.keep, self.decided.table
        locked = np.zeros(len(keep), dtype=bool)
        if "reasons" not in table.column_names:
            return locked
        for start, lists in _chunks(table["reasons"]):
            rows = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False) + start
            encoded = pc.list_flatten(lists).dictionary_encode()
            named = [
                filter_of(each) != DEBIAS and (filter_of(each) in self.config.locked_filters or bars(each))
                for each in encoded.dictionary.to_pylist()
            ]
            if any(named):
                locked[rows[np.array(named)[encoded.indices.to_numpy(zero_copy_only=False)]]] = True
        return locked & ~keep

    def grouping(self, name: str, key: str = "group") -> Grouping:
        """Return a grouping by place, figure, date or column.

        Args:
            name: The grouping.
            key: The setting that names it.

        Raises:
            CorpusError: There is no such grouping.
        """
        table = self.decided.table
        if name in table.column_names and name != "country":
            # Every value is a group of its own here, however many there are.
            return Grouping(name, *encode(table[name], name))
        settings = self.config.model_copy(update={"groups": (name,)})
        try:
            return groupings_of(self.decided, settings)[name]
        except CorpusError as error:
            if error.where != "groups":
                raise
            raise CorpusError(error.found, where=key, cure=error.cure) from error

    def reference(
        self, name: str, given: Mapping[str, float] | str, grouping: Grouping
    ) -> Mapping[str, float]:
        """Return the shares that a config names.

        Raises:
            ConfigError: It is neither a known reference nor a file.
            CorpusError: The file or the figures cannot be read, or do not fit the grouping.
        """
        if not isinstance(given, str):
            return given
        if given in _KINDS:
            return place_reference(grouping, self._figures(), _KINDS[given]).shares
        if not Path(given).is_file():
            raise ConfigError(
                f"no reference {given!r}",
                where=f"rake.margins.{name}",
                cure=f"give a file or shares by group; {nearest(given, ['population', 'internet_users'])}",
            )
        return read_reference(Path(given), grouping).shares

    def _figures(self) -> Covariates:
        """Return the user's figures of population, or those that ship."""
        own = Covariates.read(self.config.covariates) if self.config.covariates else None
        return own if own is not None and "population" in own.columns else Covariates.shipped()


def _chunks(column: pa.ChunkedArray) -> list[tuple[int, pa.Array]]:
    """Return a column's pieces with where each begins."""
    starts = np.cumsum([0, *map(len, column.chunks)])
    return [(int(start), chunk) for start, chunk in zip(starts, column.chunks, strict=False)]

"""From a decided corpus or a table of rows to an audit of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hinterland.core.corpus import Corpus
from hinterland.core.errors import ConfigError, CorpusError, nearest
from hinterland.core.parquet import parquet_errors
from hinterland.core.places import UNKNOWN
from hinterland.curate.audit.adapters import Audited, apply_adapters
from hinterland.curate.audit.audit import audit_material
from hinterland.curate.audit.claims import ALL
from hinterland.curate.audit.corpus import (
    Decided,
    column_names,
    manifest_part,
    open_decided,
    read_decided,
)
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.given import numbers_of, words_of
from hinterland.curate.audit.groups import Grouping, encode
from hinterland.curate.audit.material import Material, Texts
from hinterland.curate.audit.meta import META, add_meta, names_wanted
from hinterland.curate.audit.naming import NAMES, groupings_of_table, merged
from hinterland.curate.audit.notes import (
    notes_of_filters,
    notes_on_covariates,
    notes_on_places,
    notes_on_rejects,
    notes_on_weights,
)
from hinterland.curate.audit.render import ROWS
from hinterland.curate.audit.report import Audit
from hinterland.curate.audit.settings import AuditSettings
from hinterland.curate.audit.tabular import Rows
from hinterland.curate.geo.locate import locate_report
from hinterland.curate.geo.locate_shards import card_of
from hinterland.curate.score_columns import TableColumns

__all__ = ["audit_decided", "audit_rows", "clusters_of", "groupings_of", "read_for_audit", "texts_of"]

#: Columns that groupings, placements and concentration are made of, where the corpus has them.
_COLUMNS = ("country", "admin1", "source", "url", "lang", "date", "geo_from", "geo_confidence")


def read_for_audit(path: Path, settings: AuditSettings, *, places: Sequence[Path] = ()) -> Decided:
    """Read what an audit needs of a decided corpus; neither its text nor its scores.

    Raises:
        CorpusError: It is no corpus, it is not decided, or a column is missing.
    """
    corpus = open_decided(path)
    there = column_names(corpus)
    wanted = [name for name in (*_COLUMNS, *settings.groups, settings.clusters) if name in there]
    decided = read_decided(path, columns=dict.fromkeys(wanted), tokens=settings.tokens, places=places)
    if META not in there:
        return decided
    # What else a file said stands in ``meta``: a dialect to group by, a score to measure.
    names = names_wanted(settings, [*there, *NAMES, *Covariates.shipped().columns])
    return replace(decided, table=add_meta(decided.table, corpus, names))


def groupings_of(decided: Decided, settings: AuditSettings) -> dict[str, Grouping]:
    """Return the groupings that the settings ask for.

    Raises:
        CorpusError: A grouping is unknown or the covariates cannot be read.
    """
    return groupings_of_table(
        decided.table, settings.groups, shipped=Covariates.shipped(), own=_own(settings)
    )


def _own(settings: AuditSettings) -> Covariates | None:
    return Covariates.read(settings.covariates) if settings.covariates else None


def clusters_of(table: pa.Table, name: str | None = None) -> tuple[NDArray[np.int64], int]:
    """Return the cluster of each document and how many there are.

    Args:
        table: Documents.
        name: The column; by default the country, where it is unknown the source. Documents
            with neither are one cluster.

    Raises:
        CorpusError: There is no such column, or it holds no words.
    """
    if name is not None:
        if name not in table.column_names:
            raise CorpusError(f"no column {name!r}", where="clusters", cure=nearest(name, table.column_names))
        codes, names = encode(table[name], name)
        return codes, len(names)
    rows = table.num_rows

    def column(each: str) -> pa.Array:
        there = each in table.column_names
        return words_of(table[each], each) if there else pa.nulls(rows, pa.string())

    country = column("country")
    known = pc.if_else(pc.is_in(country, pa.array([UNKNOWN, ""])), None, country)
    source = pc.binary_join_element_wise("source", column("source"), ":")
    codes, names = encode(pc.fill_null(pc.coalesce(known, source), UNKNOWN))
    return codes, len(names)


def texts_of(corpus: Corpus) -> Texts:
    """Return what reads the texts of some rows of a corpus, a row group at a time."""

    def read(rows: NDArray[np.int64]) -> list[str]:
        found: dict[int, str] = {}
        wanted, start = np.unique(rows), 0
        for path, _ in corpus.shards(verify=False):
            with parquet_errors(path, cure="write it again"), pq.ParquetFile(path) as file:
                for group in range(file.metadata.num_row_groups):
                    stop = start + file.metadata.row_group(group).num_rows
                    here = wanted[(wanted >= start) & (wanted < stop)]
                    if here.size:
                        texts = file.read_row_group(group, columns=["text"])["text"]
                        found |= zip(
                            here.tolist(), texts.take(pa.array(here - start)).to_pylist(), strict=True
                        )
                    start = stop
        return [found[row] or "" for row in rows.tolist()]

    return read


def audit_decided(
    decided: Decided,
    settings: AuditSettings,
    *,
    title: str,
    groupings: dict[str, Grouping] | None = None,
    filters: bool = True,
) -> Audit:
    """Audit what was read from a corpus.

    Filters given beside it are audited alone; what was decided stays as it is, unless nothing
    but empty documents was decided on: then they decide together.

    Args:
        decided: The corpus.
        settings: What to look at.
        title: The page's title.
        groupings: Those of the settings by default.
        filters: Whether the settings' own filters are audited too.

    Raises:
        ConfigError: A filter cannot be made.
        CorpusError: A grouping is unknown or the covariates cannot be read.
    """
    given = settings.filters if filters else {}
    twice = [name for name in given if name in decided.decisions]
    if twice:
        raise ConfigError(
            f"the filter {twice[0]!r} has decided already", where="filters", cure="give yours another name"
        )
    audited = apply_adapters(given, decided.corpus)
    decisions = {**decided.decisions, **{name: each.keep for name, each in audited.items()}}
    if audited and not [name for name in decided.decisions if name not in (ALL, "empty")]:
        decisions[ALL] = np.logical_and.reduce([decided.keep, *(each.keep for each in audited.values())])
    codes, number = clusters_of(decided.table, settings.clusters)
    own = _own(settings)
    material = Material(
        table=decided.table,
        groupings=groupings_of(decided, settings) if groupings is None else groupings,
        decisions=decisions,
        clusters=codes,
        n_clusters=number,
        tokens=decided.tokens,
        covariates=merged(Covariates.shipped(), own),
        weight=decided.weight,
        columns=decided.columns,
        rules=decided.rules,
        texts=texts_of(decided.corpus) if "text" in column_names(decided.corpus) else None,
        audited=audited,
    )
    made = _audit(material, settings, title, decided.token_unit, audited, own)
    card = manifest_part(decided.corpus, "cards").get("places") or {}
    card = card_of(decided.places) if decided.places else card
    said = [
        *notes_on_rejects(manifest_part(decided.corpus, "counts")),
        *notes_on_places(card),
        *notes_on_weights(decided.weight, decided.keep),
    ]
    return replace(made, notes=(*made.notes, *said))


def audit_rows(rows: Rows, settings: AuditSettings, *, title: str) -> Audit:
    """Audit rows of figures: each counts as one, or as its tokens, and is placed by its columns.

    A column ``keep`` of true and false (or 1 and 0) is what was decided.

    Raises:
        ConfigError: A filter cannot be made, or a column is missing.
        CorpusError: A grouping is unknown, or the covariates cannot be read.
    """
    table, notes = rows.table, [
        f"{number:,} rows could not be read: {why}." for why, number in sorted(rows.unreadable.items())
    ]  # fmt: skip
    if settings.locate is not None:
        located = locate_report(table, settings.locate)
        notes += notes_on_places({"not_placed": located.not_placed, "unrecognised": located.unrecognised})
        found = located.table
        for name in found.column_names:
            if name == "id":
                continue
            if name in table.column_names:
                table = table.set_column(table.column_names.index(name), name, found[name])
            else:
                table = table.append_column(name, found[name])
    audited = apply_adapters(settings.filters, table.to_batches(), rows=table.num_rows)
    decisions = {name: each.keep for name, each in audited.items()}
    keep = _kept(table)
    if keep is None and "keep" in table.column_names:
        notes.append(
            "The column keep is not taken for what was decided: not every row of it has true or false (or 1"
            " or 0)."
        )
    if keep is not None:
        decisions[ALL] = keep
    elif decisions:
        decisions[ALL] = np.logical_and.reduce(list(decisions.values()))
    own = _own(settings)
    codes, number = clusters_of(table, settings.clusters)
    tokens = np.ones(table.num_rows)
    if settings.tokens:
        if settings.tokens not in table.column_names:
            cure = nearest(settings.tokens, table.column_names)
            raise CorpusError(f"no column {settings.tokens!r}", where="tokens", cure=cure)
        tokens = numbers_of(table[settings.tokens], settings.tokens, "tokens")
    material = Material(
        table=table,
        groupings=groupings_of_table(table, settings.groups, shipped=Covariates.shipped(), own=own),
        decisions=decisions,
        clusters=codes,
        n_clusters=number,
        tokens=tokens,
        covariates=merged(Covariates.shipped(), own),
        columns=TableColumns(table),
        audited=audited,
    )
    made = _audit(material, settings, title, "tokens" if settings.tokens else ROWS, audited, own)
    return replace(made, notes=(*made.notes, *notes))


def _kept(table: pa.Table) -> NDArray[np.bool_] | None:
    """Return the column ``keep`` if it holds a decision for every row: 1 and 0, true and false."""
    if "keep" not in table.column_names or table["keep"].null_count:
        return None
    column = table["keep"]
    try:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = pc.utf8_lower(pc.utf8_trim_whitespace(column)).cast(pa.bool_())
        values = np.asarray(column.cast(pa.float64()).to_numpy())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return values == 1 if np.isin(values, (0.0, 1.0)).all() else None


def _audit(
    material: Material,
    settings: AuditSettings,
    title: str,
    unit: str,
    audited: Mapping[str, Audited],
    own: Covariates | None,
) -> Audit:
    return audit_material(
        material,
        settings,
        title=title,
        token_unit=unit,
        seed=settings.seed,
        resamples=settings.resamples,
        min_documents=settings.min_documents,
        notes=[*notes_on_covariates(own), *notes_of_filters(audited)],
    )

"""The audit of a corpus: what each filter keeps of each group, and what that supports."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from hinterland.core.config import parse_config
from hinterland.core.errors import CorpusError
from hinterland.core.places import UNKNOWN, by_iso3
from hinterland.core.progress import track
from hinterland.core.us_states import by_code
from hinterland.curate.audit.claims import ALL, make_claims
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.extend import extend
from hinterland.curate.audit.groups import Grouping, encode
from hinterland.curate.audit.material import Material, Texts
from hinterland.curate.audit.naming import groupings_of_table, merged, state_codes
from hinterland.curate.audit.notes import notes_of_filters, notes_on_covariates
from hinterland.curate.audit.report import Audit, GroupingInfo
from hinterland.curate.audit.retention import Design, Retention
from hinterland.curate.audit.settings import Analyses
from hinterland.curate.rule import Rule
from hinterland.curate.score_columns import TableColumns

if TYPE_CHECKING:
    from hinterland.curate.audit.adapters import Audited

__all__ = ["Audit", "GroupingInfo", "audit", "audit_material", "count_words"]

Labels: TypeAlias = Sequence[str] | NDArray[np.str_] | pa.Array | pa.ChunkedArray
Groups: TypeAlias = Sequence[str] | Mapping[str, Grouping | Labels]


def audit(
    table: pa.Table | None = None,
    *,
    groups: Groups | None = None,
    filters: Mapping[str, Any] | None = None,
    decisions: Mapping[str, ArrayLike] | None = None,
    clusters: Labels | None = None,
    tokens: ArrayLike | None = None,
    countries: Labels | None = None,
    weight: ArrayLike | None = None,
    rules: Sequence[Rule] = (),
    covariates: Covariates | None = None,
    analyses: Analyses | None = None,
    title: str = "Audit",
    token_unit: str = "tokens",  # noqa: S107 no password
    seed: int = 0,
    resamples: int = 2000,
    min_documents: int = 30,
    notes: Sequence[str] = (),
) -> Audit:
    """Audit what filters keep of the documents in a table.

    >>> import pyarrow as pa
    >>> table = pa.table({"text": ["a b", "c"], "country": ["KEN", "FRA"]})
    >>> found = audit(table, filters={"long": lambda text: len(text.split()) > 1})

    Args:
        table: Documents; gives what is not given below (``country``, ``source``, words of
            ``text``). A pandas or Polars table comes in with ``pa.table(frame)``.
        groups: Names of groupings (`AuditSettings.groups`), or labels of every document by
            name; UN region and subregion by default.
        filters: Filters by name, each a function of a text, an expression over the table's
            columns ("quality >= 0.5"), or one of `curate.audit.adapters`.
        decisions: For each filter on its own which documents it keeps, shape (documents,);
            `ALL` is what they keep together, by default those that every filter keeps.
        clusters: What is resampled: by default the country, where unknown the source.
        tokens: Tokens of every document; words by default.
        countries: ISO 3166-1 alpha-3 codes; the table's column ``country`` by default.
        weight: Weights of kept documents; they count under `ALL`.
        rules: Rules over the table's score columns whose thresholds are to be moved.
        covariates: Your own figures about countries, beside those that ship.
        analyses: What to look at beside retention; see there.
        title: What is audited.
        token_unit: What ``tokens`` counts.
        seed: For the resamples.
        resamples: How many.
        min_documents: Smaller groups are shown and not ranked.
        notes: What the reader must know.

    Raises:
        ConfigError: A name is not there.
        CorpusError: The arrays differ in length.
    """
    kept = {name: np.asarray(values, dtype=bool) for name, values in (decisions or {}).items()}
    size = _size(table, kept, filters)
    audited = _judged(filters or {}, table)
    kept |= {name: each.keep for name, each in audited.items()}
    if kept and ALL not in kept:
        kept[ALL] = np.logical_and.reduce(list(kept.values()))
    given = _Given(table, size)
    placed = given.placed(countries)
    if tokens is None:
        tokens, token_unit = given.words(), "words"
    codes, names = encode(given.clusters(placed["country"]) if clusters is None else clusters)
    shipped = Covariates.shipped()
    if groups is None or not isinstance(groups, Mapping):
        names_of = ("region", "subregion") if groups is None else groups
        made = groupings_of_table(placed, names_of, shipped=shipped, own=covariates)
    else:
        made = {
            name: each if isinstance(each, Grouping) else Grouping(name, *encode(each))
            for name, each in groups.items()
        }
    material = Material(
        table=placed,
        groupings=made,
        decisions=kept,
        clusters=codes,
        n_clusters=len(names),
        tokens=np.asarray(tokens, dtype=np.float64),
        covariates=merged(shipped, covariates),
        weight=None if weight is None else np.asarray(weight, dtype=np.float64),
        columns=None if table is None else TableColumns(table),
        rules=rules,
        texts=given.texts(),
        audited=audited,
    )
    return audit_material(
        material,
        analyses or Analyses(),
        title=title,
        token_unit=token_unit,
        seed=seed,
        resamples=resamples,
        min_documents=min_documents,
        notes=[*notes, *notes_on_covariates(covariates), *notes_of_filters(audited)],
    )


def audit_material(
    material: Material,
    analyses: Analyses,
    *,
    title: str,
    token_unit: str,
    seed: int,
    resamples: int,
    min_documents: int,
    notes: Sequence[str] = (),
) -> Audit:
    """Audit documents whose groups, decisions and lengths are known; see `audit`."""
    order = [*sorted(set(material.decisions) - {ALL}), *([ALL] if material.decisions else [])]
    results: dict[str, dict[str, Retention]] = {}
    designs = {
        name: Design(
            each.codes, each.labels, material.clusters, material.n_clusters, material.tokens,
            seed=seed, resamples=resamples, min_documents=min_documents,
        )
        for name, each in material.groupings.items()
        if order
    }  # fmt: skip
    for name, each in track([(g, f) for g in designs for f in order], "auditing"):
        weight = material.weight if each == ALL else None
        results.setdefault(name, {})[each] = designs[name].measure(material.decisions[each], weight)
    kept = material.decisions.get(ALL)
    found = Audit(
        title=title,
        documents=material.table.num_rows,
        tokens=int(material.tokens.sum()),
        token_unit=token_unit,
        groupings={name: _info(each, material.tokens) for name, each in material.groupings.items()},
        results=results,
        claims=make_claims(results),
        countries=_by_place(material.column("country"), kept, material.weight, by_iso3()),
        states=_by_place(state_codes(material.table), kept, material.weight, by_code()),
        settings={"seed": seed, "resamples": resamples, "min_documents": min_documents, "level": 0.95},
        notes=tuple(notes),
    )
    return extend(found, material, analyses)


def _judged(filters: Mapping[str, Any], table: pa.Table | None) -> dict[str, Audited]:
    """Return what filters that are given as functions, expressions or configs keep of a table."""
    if not filters or table is None:
        return {}
    from hinterland.curate.audit.adapters import apply_adapters
    from hinterland.curate.audit.adapters.config import ColumnFilter, Filters

    named = {
        name: ColumnFilter(column=each) if isinstance(each, str) else each for name, each in filters.items()
    }
    made = parse_config(Filters, {"filters": named}, where="filters").filters
    return apply_adapters(made, _identified(table).to_batches(), rows=table.num_rows)


def _identified(table: pa.Table) -> pa.Table:
    """Return the table with an id for every document: its row where it has none."""
    if "id" in table.column_names:
        return table
    return table.append_column("id", pa.array([f"row {row + 1}" for row in range(table.num_rows)]))


def _size(
    table: pa.Table | None, kept: Mapping[str, NDArray[np.bool_]], filters: Mapping[str, Any] | None
) -> int:
    """Return the number of documents.

    Raises:
        CorpusError: There is nothing to audit, or the arrays differ in length.
    """
    if filters and table is None:
        raise CorpusError("filters without documents", where="audit", cure="give a table")
    if table is None and not kept:
        raise CorpusError("no decision to audit", where="audit", cure="give at least one filter's decisions")
    size = table.num_rows if table is not None else len(next(iter(kept.values())))
    uneven = [name for name, values in kept.items() if len(values) != size]
    if uneven:
        raise CorpusError(
            f"decisions of {', '.join(uneven)} do not fit the {size} documents",
            where="audit",
            cure="give one decision for every document",
        )
    return size


@dataclass(frozen=True)
class _Given:
    """What a table of documents gives where nothing else is given."""

    table: pa.Table | None
    size: int

    def _column(self, name: str) -> pa.Array:
        if self.table is None or name not in self.table.column_names:
            return pa.nulls(self.size, pa.string())
        return self.table[name].combine_chunks().cast(pa.string())

    def placed(self, countries: Labels | None) -> pa.Table:
        """Return the table with a column of countries; a table of nothing else where there is none."""
        table = self.table if self.table is not None else pa.table({"_row": np.arange(self.size)})
        found = self._column("country")
        if countries is not None:
            found = countries.combine_chunks() if isinstance(countries, pa.ChunkedArray) else countries
            found = found if isinstance(found, pa.Array) else pa.array(list(found), type=pa.string())
        if "country" in table.column_names:
            return table.set_column(table.column_names.index("country"), "country", found)
        return table.append_column("country", found)

    def texts(self) -> Texts | None:
        """Return what reads some documents' texts, if there are texts."""
        if self.table is None or "text" not in self.table.column_names:
            return None
        column = self.table["text"]
        return lambda rows: [text or "" for text in column.take(pa.array(rows)).to_pylist()]

    def clusters(self, countries: Labels) -> pa.Array:
        """Return the country, else the source; documents with neither are one cluster."""
        known = countries.combine_chunks() if isinstance(countries, pa.ChunkedArray) else countries
        known = known if isinstance(known, pa.Array) else pa.array(list(known), type=pa.string())
        known = pc.if_else(pc.is_in(known, pa.array([UNKNOWN, ""])), None, known)
        source = pc.binary_join_element_wise("source", self._column("source"), ":")
        return pc.fill_null(pc.coalesce(known, source), UNKNOWN)

    def words(self) -> NDArray[np.float64]:
        if self.table is None or "text" not in self.table.column_names:
            raise CorpusError("no token counts and no text to count", where="audit", cure="give tokens")
        return count_words(self.table["text"])


def count_words(texts: pa.ChunkedArray | pa.Array) -> NDArray[np.float64]:
    """Return the number of runs of non-space characters in each text, shape (documents,)."""
    from hinterland.curate.kernels.runs import count_runs
    from hinterland.curate.words import batches

    chunked = texts if isinstance(texts, pa.ChunkedArray) else pa.chunked_array([texts])
    counts = [count_runs(batch.data, batch.offsets) for batch in batches(pc.fill_null(chunked, ""))]
    return np.concatenate([np.empty(0), *counts]).astype(np.float64)


def _info(each: Grouping, tokens: NDArray[np.float64]) -> GroupingInfo:
    unknown = np.zeros(len(each), dtype=bool)
    if UNKNOWN in each.labels:
        unknown = each.codes == each.labels.index(UNKNOWN)
    return GroupingInfo(each.note, each.phrase, int(unknown.sum()), int(tokens[unknown].sum()))


def _by_place(
    places: Labels | None,
    kept: NDArray[np.bool_] | None,
    weight: NDArray[np.float64] | None,
    known: Collection[str],
) -> dict[str, tuple[int, float]]:
    """Return (documents, kept) for each known place; nothing where nothing was decided."""
    if places is None or kept is None:
        return {}
    codes, names = encode(places)
    held = kept.astype(np.float64) if weight is None else np.where(kept, weight, 0.0)
    documents = np.bincount(codes, minlength=len(names))
    sums = np.bincount(codes, weights=held, minlength=len(names))
    return {name: (int(documents[i]), float(sums[i])) for i, name in enumerate(names) if name in known}

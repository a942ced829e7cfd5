"""The audit of a corpus: what each filter keeps of each group, and what that supports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import CorpusError
from hinterland.core.places import UNKNOWN, by_iso3
from hinterland.core.progress import track
from hinterland.curate.audit.claims import ALL, make_claims
from hinterland.curate.audit.groups import Grouping, encode, place_groupings
from hinterland.curate.audit.report import Audit, GroupingInfo
from hinterland.curate.audit.retention import Design, Retention

__all__ = ["Audit", "GroupingInfo", "audit", "count_words"]

Labels: TypeAlias = Sequence[str] | NDArray[np.str_] | pa.Array | pa.ChunkedArray


def audit(
    table: pa.Table | None = None,
    *,
    decisions: Mapping[str, ArrayLike],
    groups: Mapping[str, Grouping | Labels] | None = None,
    clusters: Labels | None = None,
    tokens: ArrayLike | None = None,
    countries: Labels | None = None,
    weight: ArrayLike | None = None,
    title: str = "Audit",
    token_unit: str = "tokens",  # noqa: S107 no password
    seed: int = 0,
    resamples: int = 2000,
    min_documents: int = 30,
    notes: Sequence[str] = (),
) -> Audit:
    """Audit decisions by group.

    Args:
        table: Documents; gives what is not given below (``country``, ``source``, words of
            ``text``).
        decisions: For each filter on its own which documents it keeps, shape (documents,);
            `ALL` is what they keep together, by default those that every filter keeps.
        groups: Labels of every document by grouping; UN region and subregion by default.
        clusters: What is resampled: by default the country, where unknown the source.
        tokens: Tokens of every document; words by default.
        countries: ISO 3166-1 alpha-3 codes, for the map.
        weight: Weights of kept documents; they count under `ALL`.
        title: What is audited.
        token_unit: What ``tokens`` counts.
        seed: For the resamples.
        resamples: How many.
        min_documents: Smaller groups are shown and not ranked.
        notes: What the reader must know.

    Raises:
        CorpusError: There is no decision, or the arrays differ in length.
    """
    kept = {name: np.asarray(values, dtype=bool) for name, values in decisions.items()}
    if not kept:
        raise CorpusError("no decision to audit", where="audit", cure="give at least one filter's decisions")
    size = len(next(iter(kept.values())))
    uneven = [name for name, values in kept.items() if len(values) != size]
    if uneven or (table is not None and table.num_rows != size):
        raise CorpusError(
            f"decisions of {', '.join(uneven) or 'the filters'} do not fit the documents",
            where="audit",
            cure="give one decision for every document",
        )
    if ALL not in kept:
        kept[ALL] = np.logical_and.reduce(list(kept.values()))
    given = _Given(table, size)
    countries = given.countries() if countries is None else countries
    if tokens is None:
        tokens, token_unit = given.words(), "words"
    codes, names = encode(given.clusters(countries) if clusters is None else clusters)
    made = {
        name: each if isinstance(each, Grouping) else Grouping(name, *encode(each))
        for name, each in (place_groupings(countries) if groups is None else groups).items()
    }
    counts = np.asarray(tokens, dtype=np.float64)
    results: dict[str, dict[str, Retention]] = {}
    order = [*sorted(set(kept) - {ALL}), ALL]
    designs = {
        name: Design(
            each.codes, each.labels, codes, len(names), counts,
            seed=seed, resamples=resamples, min_documents=min_documents,
        )
        for name, each in made.items()
    }  # fmt: skip
    for name, each in track([(g, f) for g in designs for f in order], "auditing"):
        measured = designs[name].measure(kept[each], weight if each == ALL else None)
        results.setdefault(name, {})[each] = measured
    return Audit(
        title=title,
        documents=size,
        tokens=int(counts.sum()),
        token_unit=token_unit,
        groupings={name: _info(each, counts) for name, each in made.items()},
        results=results,
        claims=make_claims(results),
        countries=_by_country(countries, kept[ALL], weight),
        settings={"seed": seed, "resamples": resamples, "min_documents": min_documents, "level": 0.95},
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class _Given:
    """What a table of documents gives where nothing else is given."""

    table: pa.Table | None
    size: int

    def _column(self, name: str) -> pa.Array:
        if self.table is None or name not in self.table.column_names:
            return pa.nulls(self.size, pa.string())
        return self.table[name].combine_chunks().cast(pa.string())

    def countries(self) -> pa.Array:
        return self._column("country")

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


def _by_country(
    countries: Labels, kept: NDArray[np.bool_], weight: ArrayLike | None
) -> dict[str, tuple[int, float]]:
    """Return (documents, kept) for each ISO country."""
    codes, names = encode(countries)
    held = kept.astype(np.float64) if weight is None else np.where(kept, np.asarray(weight, np.float64), 0.0)
    documents = np.bincount(codes, minlength=len(names))
    sums = np.bincount(codes, weights=held, minlength=len(names))
    return {name: (int(documents[i]), float(sums[i])) for i, name in enumerate(names) if name in by_iso3()}

"""The audit of a corpus: what each filter keeps of each group, and what that supports."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import ConfigError
from hinterland.core.places import UNKNOWN, by_iso3
from hinterland.core.progress import track
from hinterland.core.us_states import by_code
from hinterland.curate.audit.claims import ALL, make_claims
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.extend import extend
from hinterland.curate.audit.given import (
    Given,
    Labels,
    check_lengths,
    count_words,
    decisions_of,
    judged,
    size_of,
    table_of,
)
from hinterland.curate.audit.groups import Grouping, encode
from hinterland.curate.audit.material import Material
from hinterland.curate.audit.naming import groupings_of_table, merged, state_codes
from hinterland.curate.audit.notes import (
    notes_of_filters,
    notes_on_covariates,
    notes_on_places,
    notes_on_weights,
)
from hinterland.curate.audit.report import Audit, GroupingInfo
from hinterland.curate.audit.retention import Design, Retention
from hinterland.curate.audit.settings import Analyses
from hinterland.curate.rule import Rule
from hinterland.curate.score_columns import TableColumns

__all__ = ["Audit", "GroupingInfo", "audit", "audit_material", "count_words"]

#: A map of the United States is drawn from so many states with documents on.
_FEWEST_STATES = 5
#: With fewer there is no percentile to speak of.
LEAST_RESAMPLES = 20
Groups: TypeAlias = str | Sequence[str] | Mapping[str, Grouping | Labels]


def audit(
    table: Any = None,
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
            ``text``): a table of Arrow, pandas or Polars, or columns by name.
        groups: Name or names of groupings (`AuditSettings.groups`), or labels of every document by
            name; UN region and subregion by default.
        filters: Filters by name, each a function of a text, an expression over the table's
            columns ("quality >= 0.5"), or one of `curate.audit.adapters`.
        decisions: For each filter on its own which documents it keeps, shape (documents,);
            `ALL` is what they keep together, by default those that every filter keeps.
        clusters: What is resampled: by default the country, where unknown the source.
        tokens: Tokens of every document; words by default.
        countries: Countries in any usual form; the table's column ``country`` by default.
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
        ConfigError: A name is not there, or there are too few resamples.
        CorpusError: The arrays differ in length, or hold what they should not.
    """
    if resamples < LEAST_RESAMPLES:
        raise ConfigError(
            f"resamples is {resamples}", where="audit", cure=f"take {LEAST_RESAMPLES} or more; 2000 is usual"
        )
    documents = None if table is None else table_of(table)
    kept = {name: decisions_of(name, values) for name, values in (decisions or {}).items()}
    size = size_of(documents, kept, filters)
    audited = judged(filters or {}, documents)
    kept |= {name: each.keep for name, each in audited.items()}
    if kept and ALL not in kept:
        kept[ALL] = np.logical_and.reduce(list(kept.values()))
    given = Given(documents, size)
    placed, unplaced = given.placed(countries)
    if tokens is None:
        tokens, token_unit = given.words(), "words"
    codes, names = encode(given.clusters(placed["country"]) if clusters is None else clusters)
    shipped = Covariates.shipped()
    if groups is None or not isinstance(groups, Mapping):
        wanted = (
            ("region", "subregion") if groups is None else (groups,) if isinstance(groups, str) else groups
        )
        made = groupings_of_table(placed, wanted, shipped=shipped, own=covariates)
    else:
        made = {
            name: each if isinstance(each, Grouping) else Grouping(name, *encode(each))
            for name, each in groups.items()
        }
    share = None if weight is None else np.asarray(weight, dtype=np.float64)
    lengths = np.asarray(tokens, dtype=np.float64)
    check_lengths(size, clusters=codes, tokens=lengths, weight=share, **made)
    material = Material(
        table=placed,
        groupings=made,
        decisions=kept,
        clusters=codes,
        n_clusters=len(names),
        tokens=lengths,
        covariates=merged(shipped, covariates),
        weight=share,
        columns=None if documents is None else TableColumns(documents),
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
        notes=[
            *notes,
            *notes_on_covariates(covariates),
            *notes_of_filters(audited),
            *notes_on_places({"not_placed": unplaced}),
            *notes_on_weights(share, kept.get(ALL, np.zeros(size, dtype=bool))),
        ],
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
        states=_several(_by_place(state_codes(material.table), kept, material.weight, by_code())),
        settings={"seed": seed, "resamples": resamples, "min_documents": min_documents, "level": 0.95},
        notes=tuple(notes),
    )
    return extend(found, material, analyses)


def _info(each: Grouping, tokens: NDArray[np.float64]) -> GroupingInfo:
    unknown = np.zeros(len(each), dtype=bool)
    if UNKNOWN in each.labels:
        unknown = each.codes == each.labels.index(UNKNOWN)
    return GroupingInfo(each.note, each.phrase, int(unknown.sum()), int(tokens[unknown].sum()))


def _several(places: dict[str, tuple[int, float]]) -> dict[str, tuple[int, float]]:
    """Return places that are worth a map of their own: none of fewer than five."""
    return places if len(places) >= _FEWEST_STATES else {}


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

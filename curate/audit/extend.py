"""What an audit finds beside retention, from the same documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hinterland.core.errors import ConfigError, CorpusError, nearest
from hinterland.core.places import UNKNOWN, by_iso3
from hinterland.curate.audit.claims import ALL
from hinterland.curate.audit.concentration import concentration_of
from hinterland.curate.audit.coverage import coverage_of
from hinterland.curate.audit.exposure_inputs import Results, read_qrels, read_queries, read_results, retrieve
from hinterland.curate.audit.given import numbers_of
from hinterland.curate.audit.groups import Grouping, encode, place_groupings
from hinterland.curate.audit.material import Material
from hinterland.curate.audit.parts import (
    Agreement,
    Attribution,
    Concentration,
    Coverage,
    Curve,
    Example,
    Exposure,
    Measure,
    Placement,
    RegressionModel,
)
from hinterland.curate.audit.references import Reference, place_reference, read_reference, refers_to
from hinterland.curate.audit.report import Audit
from hinterland.curate.audit.settings import Analyses, ExposureConfig
from hinterland.curate.geo.fields import as_text
from hinterland.curate.geo.urls import hosts_of

__all__ = ["extend"]


def extend(audit: Audit, material: Material, analyses: Analyses) -> Audit:
    """Return the audit with all that the material supports.

    Raises:
        ConfigError: A filter, column or grouping that is named is not there.
        CorpusError: A reference does not fit, or a regression cannot be fitted.
    """
    settings = audit.settings
    design = {key: settings[key] for key in ("seed", "resamples", "min_documents")}
    decided = bool(material.decisions)
    return replace(
        audit,
        placements=_placements(material),
        coverage=_coverage(material, analyses, design),
        concentration=_concentration(material),
        attribution=_attribution(audit, material, design) if decided else (),
        curves=_curves(audit, material, analyses) if decided else (),
        agreement=_agreement(material, analyses, design) if decided else (),
        examples=_examples(material, analyses, settings["seed"]) if decided else (),
        regression=_regression(material, analyses),
        exposure=_exposure(material, analyses, settings),
        measures=_measures(material, analyses, design),
    )


def _placements(material: Material) -> tuple[Placement, ...]:
    """Return how many documents each rule placed, the most frequent first, the unknown last."""
    rules = material.column("geo_from")
    countries = material.column("country")
    if countries is None:
        return ()
    said = pa.chunked_array([pa.nulls(len(countries), pa.string())]) if rules is None else rules
    known = pc.is_in(countries.cast(pa.string()), pa.array(sorted(by_iso3())))
    named = pc.if_else(known, pc.fill_null(said.cast(pa.string()), "given"), UNKNOWN)
    codes, names = encode(named)
    sure = material.column("geo_confidence")
    confidence = np.full(len(codes), np.nan)
    if sure is not None:
        confidence = np.asarray(sure.cast(pa.float64()).fill_null(np.nan).to_numpy(), dtype=np.float64)
    found = []
    for number, name in enumerate(names):
        rows = codes == number
        known = confidence[rows & np.isfinite(confidence)]
        mean = float(known.mean()) if known.size and name != UNKNOWN else float("nan")
        found.append(Placement(name, int(rows.sum()), int(material.tokens[rows].sum()), mean))
    return tuple(sorted(found, key=lambda each: (each.rule == UNKNOWN, -each.documents, each.rule)))


def _sources(material: Material) -> tuple[NDArray[np.int64], tuple[str, ...]] | None:
    """Return the source of each document, if documents have several."""
    column = material.column("source")
    if column is None:
        return None
    codes, names = encode(column)
    return (codes, names) if len([name for name in names if name != UNKNOWN]) > 1 else None


def _coverage(material: Material, analyses: Analyses, design: Mapping[str, int]) -> tuple[Coverage, ...]:
    groupings = dict(material.groupings)
    country = material.column("country")
    if country is not None and country.null_count < len(country):
        groupings |= place_groupings(country, ["country"])
    kind = analyses.reference
    if isinstance(kind, Path) and not any(refers_to(kind, each) for each in groupings.values()):
        raise CorpusError(
            f"the reference speaks of none of the groupings {', '.join(groupings)}",
            where=str(kind),
            cure="name its column of labels after a grouping, or iso3",
        )
    sources = _sources(material)
    clusters, number = (sources[0], len(sources[1])) if sources else (material.clusters, material.n_clusters)
    return tuple(
        coverage_of(
            each, material.tokens, clusters, number, reference=_reference(each, material, analyses), **design
        )
        for each in groupings.values()
    )


def _reference(grouping: Grouping, material: Material, analyses: Analyses) -> Reference | None:
    """Return what a grouping is compared with; nothing where the reference says nothing of it.

    Raises:
        CorpusError: The file cannot be read.
    """
    kind = analyses.reference
    if isinstance(kind, str):
        if kind == "none" or not grouping.of_country:
            return None
        return place_reference(grouping, material.covariates, kind)
    return read_reference(kind, grouping) if refers_to(kind, grouping) else None


def _concentration(material: Material) -> tuple[Concentration, ...]:
    found = []
    for name in ("source", "url"):
        column = material.column(name)
        if column is None or column.null_count == len(column):
            continue
        if name == "url":
            column = hosts_of(as_text(_plain(column)))
        codes, names = encode(column)
        found.append(concentration_of(codes, names, material.tokens, "host" if name == "url" else name))
    return tuple(found)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece, its values written out."""
    kind = column.type
    return column.cast(kind.value_type if pa.types.is_dictionary(kind) else kind).combine_chunks()


def _attribution(audit: Audit, material: Material, design: Mapping[str, int]) -> tuple[Attribution, ...]:
    from hinterland.curate.audit.attribution import attribute

    if len(material.decisions) < 3 and material.weight is None:  # the gap is the one filter's
        return ()
    return tuple(
        part
        for name, grouping in material.groupings.items()
        for part in attribute(
            material.decisions,
            grouping,
            material.clusters,
            material.n_clusters,
            supported=[
                row.group for row in audit.results[name][ALL].groups if audit.supported(ALL, name, row.group)
            ],
            weight=material.weight,
            **design,
        )
    )


def _curves(audit: Audit, material: Material, analyses: Analyses) -> tuple[Curve, ...]:
    from hinterland.curate.audit.curves import curve_of, curves_of_rules

    usual = Analyses().curves  # a starter names them; they need not be among the groupings
    unknown = [name for name in analyses.curves if name not in (*material.groupings, *usual)]
    if unknown:
        raise ConfigError(
            f"no grouping {unknown[0]!r}", where="curves", cure=nearest(unknown[0], material.groupings)
        )
    ranked = {
        name: [row.group for row in audit.results[name][ALL].groups if row.ranked]
        for name in material.groupings
        if name in analyses.curves
    }
    ranked = {name: groups for name, groups in ranked.items() if len(groups) > 1}  # else no disparity
    groupings = {name: material.groupings[name] for name in ranked}
    found: list[Curve] = []
    for name, each in material.audited.items():
        if each.score is None or not each.keep_side:
            continue
        found += [
            curve_of(
                each.score,
                each.keep_side,
                each.threshold,
                None,  # the filter alone
                material.tokens,
                grouping,
                ranked[group],
                filter=name,
                column=name,
                bound=analyses.bound,
            )
            for group, grouping in groupings.items()
        ]
    if material.columns is None or not material.rules or not groupings:
        return tuple(found)
    return (
        *found,
        *curves_of_rules(
            material.columns,
            list(material.rules),
            groupings,
            ranked,
            keep=material.decisions[ALL],
            tokens=material.tokens,
            reasons=material.column("reasons"),
            bound=analyses.bound,
        ),
    )


def _agreement(material: Material, analyses: Analyses, design: Mapping[str, int]) -> tuple[Agreement, ...]:
    from hinterland.curate.audit.agreement_by_group import agreements, variant_pairs

    filters = [name for name in material.decisions if name != ALL]
    for name in sorted({name for pair in analyses.agreement for name in pair} - set(filters)):
        raise ConfigError(f"no filter {name!r}", where="agreement", cure=nearest(name, filters))
    pairs = list(dict.fromkeys([*variant_pairs(filters), *analyses.agreement]))
    found = agreements(
        material.decisions, material.groupings, material.clusters, material.n_clusters, pairs=pairs, **design
    )
    return tuple(sorted(found, key=lambda each: pairs.index((each.first, each.second))))


def _examples(material: Material, analyses: Analyses, seed: int) -> tuple[Example, ...]:
    from hinterland.curate.audit.examples import examples_of

    if material.texts is None or not analyses.examples:
        return ()
    # One grouping is enough to look at: the first, by region unless told otherwise.
    grouping = next(iter(material.groupings.values()), None)
    if grouping is None:
        return ()
    return examples_of(
        material.decisions[ALL],
        _reasons(material),
        grouping,
        material.table,
        per_group=analyses.examples,
        seed=seed,
        texts=material.texts,
    )


def _reasons(material: Material) -> pa.Array | pa.ChunkedArray:
    """Return for each document why it is dropped: what the corpus says, or the filters that drop it.

    The corpus' reasons say nothing of filters given beside it; where nothing else decided, these do.
    """
    said = material.column("reasons")
    given = bool(material.audited) and not set(material.decisions) - {ALL, "empty", *material.audited}
    if said is not None and pa.types.is_list(said.type) and not given:
        return said
    names = [name for name in material.decisions if name != ALL]
    keep = material.decisions[ALL]
    dropped = np.column_stack([np.zeros((len(keep), 0), bool), *(~material.decisions[n] for n in names)])
    _, which = np.nonzero(dropped)
    offsets = np.concatenate(([0], np.cumsum(dropped.sum(axis=1)))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(names, pa.string()).take(pa.array(which)))


def _regression(material: Material, analyses: Analyses) -> tuple[RegressionModel, ...]:
    from hinterland.curate.audit.regression import fit_models
    from hinterland.curate.audit.regression_table import join_covariates

    config = analyses.regression
    if config is None or not config.models:
        return ()
    said = repr(config.model_dump())  # names that occur in it: no other column is read
    table = material.table.select(
        [name for name in material.table.column_names if name in said and name not in ("text", "reasons")]
    )
    for name, kept in material.decisions.items():
        table = table.append_column("keep:" + name, pa.array(kept, pa.bool_()))
    if ALL in material.decisions:  # of what is audited, which filters given beside the corpus can change
        table = table.drop_columns([name for name in table.column_names if name == "keep"])
        table = table.append_column("keep", table["keep:" + ALL])
    if material.columns is not None:
        for name in material.columns.names:
            if name in said and name not in (*table.column_names, "text", "reasons"):
                table = table.append_column(name, pa.chunked_array(material.columns.chunks(name)))
    if "country" in material.table.column_names and any(name in said for name in material.covariates.columns):
        if "country" not in table.column_names:
            table = table.append_column("country", material.table["country"])
        table = join_covariates(table, material.covariates)
    return fit_models(table, config)


def _exposure(material: Material, analyses: Analyses, settings: Mapping[str, int]) -> tuple[Exposure, ...]:
    from hinterland.curate.audit.exposure import exposure_of

    config = analyses.exposure
    if config is None:
        return ()
    ids = material.column("id")
    if ids is None:
        raise CorpusError(
            "no column 'id' to find results by", where="exposure", cure="give documents with their ids"
        )
    results = _results(config)
    relevant = None
    if config.qrels is not None:
        relevant = results.relevant(read_qrels(config.qrels))
    return tuple(
        exposure_of(
            results.documents,
            ids,
            grouping,
            k=config.k,
            relevant=relevant,
            cited=results.cited,
            seed=settings["seed"],
            resamples=settings["resamples"],
        )
        for grouping in material.groupings.values()
    )


def _results(config: ExposureConfig) -> Results:
    """Return the results to look at, from a file or from an index.

    Raises:
        ConfigError: Neither is given, or an index without queries.
    """
    if config.results is not None:
        return read_results(config.results)
    if config.index is None or config.queries is None:
        raise ConfigError(
            "no results to look at",
            where="exposure",
            cure="give results: FILE, or index: FOLDER and queries: FILE",
        )
    return retrieve(config.retriever, config.index, read_queries(config.queries), config.k)


def _measures(material: Material, analyses: Analyses, design: Mapping[str, int]) -> tuple[Measure, ...]:
    from hinterland.curate.audit.measures import measure_of

    found = []
    for name in analyses.measures:
        values = _numbers(material, name)
        found += [
            measure_of(values, grouping, material.clusters, material.n_clusters, name, **design)
            for grouping in material.groupings.values()
        ]
    return tuple(found)


def _numbers(material: Material, name: str) -> NDArray[np.float64]:
    """Return a column of numbers, NaN for null.

    Raises:
        ConfigError: There is no such column, or it holds words.
    """
    column = material.column(name)
    if column is not None:
        try:
            return numbers_of(column, name, "measures")
        except CorpusError as error:
            raise ConfigError(
                f"column {name!r} holds no numbers", where="measures", cure="name another"
            ) from error
    if material.columns is None or name not in material.columns.names:
        known = [*material.table.column_names, *(material.columns.names if material.columns else ())]
        raise ConfigError(f"no column {name!r}", where="measures", cure=nearest(name, known))
    values = material.columns[name]
    if values.dtype == object:
        raise ConfigError(f"column {name!r} holds no numbers", where="measures", cure="name another")
    return np.asarray(values, dtype=np.float64)

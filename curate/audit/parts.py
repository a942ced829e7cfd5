"""What an audit finds beside retention: plain values that its modules make and its pages show.

A number that could not be measured is NaN here and null in JSON (`core.revive`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hinterland.core.stats import Interval

__all__ = [
    "Agreement",
    "AgreementRow",
    "Attribution",
    "Concentration",
    "Coverage",
    "CoverageRow",
    "Curve",
    "Example",
    "Exposure",
    "ExposureRow",
    "FilterShare",
    "Measure",
    "MeasureRow",
    "Placement",
    "RegressionModel",
]

NONE = Interval(math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Placement:
    """How documents were placed.

    Attributes:
        rule: ``geo_from``: what placed them ("column country", "url", "text"), or "unknown".
        documents: How many.
        tokens: Their tokens.
        confidence: Mean ``geo_confidence``.
    """

    rule: str
    documents: int
    tokens: int
    confidence: float


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One group's share of the corpus, beside a reference.

    Attributes:
        group: The label.
        documents: How many there are.
        tokens: Their tokens.
        clusters: Countries or sources that they come from.
        share: Of the documents in a known group, with the cluster bootstrap's interval.
        token_share: Of the tokens in a known group.
        reference: The group's share of the reference; NaN without one.
        representation: Its share among the groups that the reference has, over ``reference``;
            1 is proportional.
        token_representation: The same of tokens.
        ranked: Whether the group is large enough to be compared.
        why_not: Why it is not.
    """

    group: str
    documents: int
    tokens: int
    clusters: int
    share: Interval
    token_share: float
    reference: float = math.nan
    representation: Interval = NONE
    token_representation: float = math.nan
    ranked: bool = True
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a corpus holds, by one grouping.

    Attributes:
        grouping: Its name ("region", "lang", "year", "source").
        reference: What it is compared with ("population", "internet users"); "" is nothing.
        note: The reference's source and year, and what was left out of the comparison.
        rows: In the grouping's order; groups of the reference without a document are among them.
        unknown_documents: Documents without a group.
        unknown_tokens: Their tokens.
        kl: Kullback-Leibler divergence of the documents' shares from the reference's, in bits.
        js: Jensen-Shannon divergence between the two, in bits, 0 to 1.
    """

    grouping: str
    reference: str
    note: str
    rows: tuple[CoverageRow, ...]
    unknown_documents: int
    unknown_tokens: int
    kl: float = math.nan
    js: float = math.nan


@dataclass(frozen=True, slots=True)
class Concentration:
    """How concentrated a corpus is on few sources.

    Attributes:
        column: What a source is ("source").
        sources: How many there are.
        unknown_documents: Documents without one.
        hill: Effective number of sources of order 0, 1 and 2 (Hill 1973), by documents.
        gini: Gini coefficient of documents over sources, 0 to 1.
        top_sources: The largest 1% of sources, at least one: how many.
        top_share: Their share of documents.
        top_token_share: Their share of tokens.
        largest: The ten largest: name, documents.
    """

    column: str
    sources: int
    unknown_documents: int
    hill: tuple[float, float, float]
    gini: float
    top_sources: int
    top_share: float
    top_token_share: float
    largest: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class FilterShare:
    """One filter's part in a group's gap, in shares of documents.

    Attributes:
        filter: The filter.
        first: The gap it makes alone, before all others.
        last: What the chain's gap would lose without it: its part after all others.
        shapley: Its part on average over all orders (Shapley 1953); over the filters these
            sum to the gap.
        order_matters: Whether first and last lie so far apart that the order tells another story.
    """

    filter: str
    first: float
    last: float
    shapley: Interval
    order_matters: bool


@dataclass(frozen=True, slots=True)
class Attribution:
    """Which filters make the gap between one group and all other documents.

    Attributes:
        grouping: The grouping.
        group: The group.
        gap: Retention of the others less that of the group, under all filters.
        filters: Every filter's part, the largest first.
        supported: Whether the audit supports that there is a gap.
        method: "exact", or over how many random orders.
    """

    grouping: str
    group: str
    gap: Interval
    filters: tuple[FilterShare, ...]
    supported: bool
    method: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Retention by group over the whole range of one threshold, all else kept.

    Attributes:
        filter: The filter.
        column: The score.
        keep: ">=" or "<=": on which side of the threshold a document is kept.
        grouping: The grouping.
        current: The threshold in force; NaN without one.
        thresholds: Ascending, shape (points,).
        kept: Share of documents kept at each, shape (points,).
        tokens: Share of tokens kept at each, shape (points,).
        groups: Group → retention at each, shape (points,).
        ranked: The groups that are large enough to be compared.
        disparity: Worst-kept over best-kept ranked group at each, shape (points,).
        bound: The least disparity asked for.
        best: The threshold that keeps most documents at that disparity; NaN where none does.
        unmeasured: Documents without this score (NaN): they count as kept, as in deciding.
    """

    filter: str
    column: str
    keep: str
    grouping: str
    current: float
    thresholds: tuple[float, ...]
    kept: tuple[float, ...]
    tokens: tuple[float, ...]
    groups: dict[str, tuple[float, ...]]
    ranked: tuple[str, ...]
    disparity: tuple[float, ...]
    bound: float
    best: float
    unmeasured: int = 0


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """Two filters on one group: what each keeps.

    Attributes:
        group: The label.
        documents: How many.
        both: Kept by both.
        only_first: Kept by the first alone.
        only_second: Kept by the second alone.
        neither: Kept by neither.
        agreement: Share of documents on which the two agree.
        ranked: Whether the group is large enough to be compared.
    """

    group: str
    documents: int
    both: int
    only_first: int
    only_second: int
    neither: int
    agreement: Interval
    ranked: bool


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two variants of one rule, or two filters, by group.

    Attributes:
        first: A filter.
        second: Another.
        grouping: The grouping.
        rows: By group; the first row is "all".
    """

    first: str
    second: str
    grouping: str
    rows: tuple[AgreementRow, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A document to look at.

    Attributes:
        grouping: The grouping.
        group: Its group.
        kept: Whether it is kept.
        reason: The reason it stands for; "" where it is kept.
        id: Its id.
        source: Where it comes from.
        country: ISO 3166-1 alpha-3, "" where unknown.
        text: Its beginning.
    """

    grouping: str
    group: str
    kept: bool
    reason: str
    id: str
    source: str
    country: str
    text: str


@dataclass(frozen=True)
class RegressionModel:
    """A score or a decision on covariates.

    Attributes:
        name: The model's name.
        kind: "ols" or "logit".
        outcome: The column explained.
        n: Rows it rests on.
        dropped: Why others were left out → how many.
        r2: R² (ols) or McFadden's (logit).
        errors: "nonrobust", "HC3", "cluster COLUMN (K clusters)".
        coef: Term → coefficient. The constant is ``const``.
        se: Term → standard error.
        p: Term → p-value.
        low: Term → lower bound of the 95% interval.
        high: Term → upper bound.
        standardised: Term → coefficient of the standardised variables (logit: of the
            standardised terms), in standard deviations.
        vif: Term → variance inflation factor.
        notes: What the reader must know.
    """

    name: str
    kind: str
    outcome: str
    n: int
    dropped: dict[str, int]
    r2: float
    errors: str
    coef: dict[str, float]
    se: dict[str, float]
    p: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]
    standardised: dict[str, float]
    vif: dict[str, float]
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ExposureRow:
    """What one group gets of the places in results.

    Attributes:
        group: The label.
        corpus: Its share of the corpus' documents.
        retrieved: Its share of the first k results, with an interval over queries.
        cited: Its share of citations; NaN where there are none.
        relevant: Its share of the relevant documents; NaN without judgements.
        against_corpus: ``retrieved / corpus``.
        against_relevant: ``retrieved / relevant``.
    """

    group: str
    corpus: float
    retrieved: Interval
    cited: Interval
    relevant: float
    against_corpus: Interval
    against_relevant: Interval


@dataclass(frozen=True, slots=True)
class Exposure:
    """Who is retrieved and cited, by one grouping.

    Attributes:
        grouping: The grouping.
        queries: How many.
        k: Results looked at for each.
        rows: By group.
        note: What the reader must know (results not in the corpus, queries without results).
    """

    grouping: str
    queries: int
    k: int
    rows: tuple[ExposureRow, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """One group's mean of a measure.

    Attributes:
        group: The label.
        documents: How many have the measure.
        clusters: Countries or sources that they come from.
        mean: With the cluster bootstrap's interval.
        difference: Less the mean of all others.
        ranked: Whether the group is large enough to be compared.
    """

    group: str
    documents: int
    clusters: int
    mean: Interval
    difference: Interval
    ranked: bool


@dataclass(frozen=True, slots=True)
class Measure:
    """A model's loss, accuracy or any other number, by group.

    Attributes:
        column: What was measured ("lm_quality.bits_per_byte").
        grouping: The grouping.
        rows: By group; the first row is "all".
        unmeasured: Documents without it.
    """

    column: str
    grouping: str
    rows: tuple[MeasureRow, ...]
    unmeasured: int = 0

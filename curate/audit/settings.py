"""What an audit can be told: what to group by, what to compare with, what else to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from hinterland.core.config import Config
from hinterland.curate.audit.adapters.config import AdapterConfig
from hinterland.curate.audit.regression_config import RegressionConfig
from hinterland.curate.geo.locate import LocateSettings

__all__ = ["AUTO", "Analyses", "AuditSettings", "ExposureConfig"]

#: Stands for every grouping that the documents support.
AUTO = "auto"


class ExposureConfig(Config):
    """Who is retrieved and cited.

    Attributes:
        results: A TREC run, or JSON lines with query_id, ids and perhaps cited.
        index: An index to search instead, with `queries`.
        queries: JSON lines with _id and text, as BEIR has them.
        retriever: The kind of index: "hinterland", or one added by entry point (hinterland.retriever).
        qrels: Relevant documents, TREC or BEIR's TSV.
        k: Results looked at for each query.
    """

    results: Path | None = None
    index: Path | None = None
    queries: Path | None = None
    retriever: str = "hinterland"
    qrels: Path | None = None
    k: int = Field(default=10, ge=1)


class Analyses(Config):
    """What an audit looks at beside retention.

    Attributes:
        reference: What coverage is compared with: "population", "internet users", a CSV or
            Parquet file, or "none".
        bound: The least disparity that a threshold is looked for at.
        curves: The groupings for which thresholds are moved.
        agreement: Pairs of filters to compare by group, beside the variants of one rule.
        examples: Kept and dropped documents to show of each group and reason; 0 shows none.
        measures: Columns (a model's loss, accuracy) whose mean is compared by group.
        regression: Scores or decisions on covariates.
        exposure: Who is retrieved and cited.
    """

    reference: Literal["population", "internet users", "none"] | Path = "population"
    bound: float = Field(default=0.95, gt=0, le=1)
    curves: tuple[str, ...] = ("region", "subregion", "gdp_per_head")
    agreement: tuple[tuple[str, str], ...] = ()
    examples: int = Field(default=2, ge=0, le=50)
    measures: tuple[str, ...] = ()
    regression: RegressionConfig | None = None
    exposure: ExposureConfig | None = None


class AuditSettings(Analyses):
    """What an audit groups and resamples by.

    Attributes:
        groups: "region", "subregion", "country", a covariate's column, "year", or any column
            of words ("lang", "source"). "auto" is region, subregion, the thirds of the
            covariates, and language and year where there are several.
        covariates: CSV or Parquet with iso3 and numeric columns; each becomes a grouping in
            thirds, beside those that ship.
        clusters: The column that is resampled; country, else source, by default.
        tokens: The column with token counts; words are counted without one.
        min_documents: Smaller groups are shown and not compared.
        resamples: How many bootstrap resamples.
        seed: For the resamples.
        filters: Filters of your own to audit beside those that decided: a function, a column, a
            datatrove filter, dolma attributes, a fastText file.
        locate: How documents without a country are placed; null leaves them unknown.
    """

    groups: tuple[str, ...] = (AUTO,)
    covariates: Path | None = None
    clusters: str | None = None
    tokens: str | None = None
    min_documents: int = Field(default=30, ge=1)
    resamples: int = Field(default=2000, ge=100, le=100_000)
    seed: int = 0
    filters: dict[str, AdapterConfig] = Field(default_factory=dict)
    locate: LocateSettings | None = Field(default_factory=LocateSettings)

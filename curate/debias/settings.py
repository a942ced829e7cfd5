"""The config of ``hinterland debias``: a method, and a section for each that needs one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hinterland.core.config import Config
from hinterland.curate.audit.command import AuditSettings
from hinterland.curate.debias.equalize import Mode
from hinterland.curate.debias.selection import Unit

__all__ = ["CapConfig", "CommandConfig", "Method", "ParetoConfig", "QuotaConfig", "RakeConfig"]

Method = Literal["equalize", "rake", "quota", "cap", "pareto"]
Amount = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class RakeConfig(Config):
    """Weights with which the kept documents have several references' shares.

    Attributes:
        margins: Grouping or column → its reference: "population", "internet_users", a CSV
            or Parquet file, or the shares themselves by group, on any scale.
        of: Whether shares are of documents or of tokens.
        min_weight: The smallest weight of a kept document.
        max_weight: The largest: how often a document may be repeated.
        tolerance: The distance from a share within which it is met.
        max_iterations: The most sweeps over all margins.
    """

    margins: dict[str, dict[str, float] | str] = Field(default_factory=dict)
    of: Unit = "documents"
    min_weight: float = Field(default=0.0, ge=0, le=1)
    max_weight: float = Field(default=5.0, ge=1)
    tolerance: float = Field(default=1e-6, gt=0, lt=1)
    max_iterations: int = Field(default=1000, ge=1)


class QuotaConfig(Config):
    """A wanted number or share of each source.

    Attributes:
        by: The column or grouping.
        wanted: Group → how many documents or tokens.
        shares: Group → its share of `total`, instead.
        total: What shares are shares of; what is kept now of these groups by default.
        of: Documents or tokens.
        others: Whether groups without a quota stay or go.
        readmit: Fill with dropped documents too, the least severe first.
    """

    by: str = "source"
    wanted: dict[str, Amount] | None = None
    shares: dict[str, Share] | None = None
    total: Amount | None = None
    of: Unit = "documents"
    others: Literal["keep", "drop"] = "keep"
    readmit: bool = False


class CapConfig(Config):
    """The most of each source.

    Attributes:
        by: The column or grouping.
        most: The most documents or tokens.
        share: The largest share of what is kept, instead.
        most_of: Other limits for single groups.
        of: Documents or tokens.
    """

    by: str = "source"
    most: Amount | None = None
    share: float | None = Field(default=None, gt=0, le=1)
    most_of: dict[str, Amount] = Field(default_factory=dict)
    of: Unit = "documents"


class ParetoConfig(Config):
    """Keep with probability (2 − score)^−alpha.

    Attributes:
        column: The score, 0 to 1.
        alpha: Larger is stricter.
        inverse: Weigh by the inverse probability.
        max_weight: The largest weight; no bound by default.
    """

    column: str = "quality.score"
    alpha: float = Field(default=9.0, gt=0, allow_inf_nan=False)
    inverse: bool = False
    max_weight: float | None = Field(default=None, ge=1, allow_inf_nan=False)


class CommandConfig(AuditSettings):
    """The command's config. The keys from `mode` to `locked_filters` are those of "equalize".

    Attributes:
        corpus: A corpus, decided or with scores, or the folder of a curate run.
        out: The folder to write.
        method: "equalize", "rake", "quota", "cap" or "pareto".
        group: The grouping that "equalize" evens out, and by which the cost's disparity is
            measured: region, subregion, a covariate's column, or a column of the corpus.
        quality: A column, higher is better: what goes first, and the cost's quality. By
            default the bits per byte that `hinterland curate` wrote, lower is better.
        lower_is_better: Turn the quality column (for "equalize" on a score, the score) round.
        mode: "readmit" drops nothing; "most_tokens" cuts others where a group cannot come
            back; "budget" keeps the number of tokens, or more of them where `max_loss` asks
            for it; "rate" gives all groups one rate.
        disparity: The least share of the best-kept group's retention.
        target: The retention to readmit up to, or in mode "rate" that of all groups.
        max_severity: The worst violation that may come back.
        max_loss: The largest share of the tokens kept before that "most_tokens" and "budget"
            may drop; 1, the default, sets no bound.
        severity: A column with severities (0 passes); from the rules in the manifest by default.
        score: Even out this score, instead of the rules: one threshold for each group.
        rate: The share of documents that one threshold of the score for all would keep.
        threshold: That threshold, instead.
        locked_filters: Documents that these drop never come back.
        rake: For the method "rake".
        quota: For the method "quota".
        cap: For the method "cap".
        pareto: For the method "pareto".
    """

    corpus: Path
    out: Path = Path("debiased")
    method: Method = "equalize"
    group: str = "region"
    quality: str | None = None
    lower_is_better: bool = False
    mode: Mode = "readmit"
    disparity: float = Field(default=0.95, gt=0, le=1)
    target: float | None = Field(default=None, ge=0, le=1)
    max_severity: float | None = Field(default=None, ge=0)
    max_loss: float = Field(default=1.0, ge=0, le=1)
    severity: str | None = None
    score: str | None = None
    rate: float | None = Field(default=None, ge=0, le=1)
    threshold: float | None = Field(default=None, allow_inf_nan=False)
    locked_filters: tuple[str, ...] = ("exact_dup", "near_dup", "empty")
    rake: RakeConfig = Field(default_factory=RakeConfig)
    quota: QuotaConfig = Field(default_factory=QuotaConfig)
    cap: CapConfig = Field(default_factory=CapConfig)
    pareto: ParetoConfig = Field(default_factory=ParetoConfig)

    @model_validator(mode="after")
    def _fits_the_method(self) -> Self:
        if self.method == "rake" and not self.rake.margins:
            raise ValueError("method rake needs rake.margins, such as {region: population}")
        if self.method == "quota" and (self.quota.wanted is None) == (self.quota.shares is None):
            raise ValueError("method quota needs either quota.wanted or quota.shares, such as {web: 1000}")
        if self.method == "cap" and self.cap.most is None and self.cap.share is None and not self.cap.most_of:
            raise ValueError("method cap needs cap.most, cap.share or cap.most_of")
        scored = self.rate is not None, self.threshold is not None
        if self.score is not None and sum(scored) != 1:
            raise ValueError("a score needs either rate (0.5 keeps the best half) or threshold")
        if self.score is None and any(scored):
            raise ValueError("rate and threshold go with score, the column that they are of")
        if self.score is not None and (self.severity or self.quality):
            raise ValueError("a score stands for severity and quality: leave these out")
        return self

"""What a decision is told beyond the filters' rules; the models are sections of a config."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hinterland.core.config import Config
from hinterland.core.expressions import Expression, parse

__all__ = ["Cap", "DecisionsConfig", "Drop", "Mixing", "Pareto", "ToxicShare"]


Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


class Drop(Config):
    """A rule as an expression over score columns (see `core.expressions`).

    Attributes:
        when: Documents for which this is true are dropped.
        unless: Documents for which this is false are dropped. One of the two is given;
            for a document with a missing value both may be unknown, and it passes.
        reason: What goes into a document's reasons; the expression itself if not given.
    """

    when: str | None = None
    unless: str | None = None
    reason: str = ""

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        if (self.when is None) == (self.unless is None):
            raise ValueError("give either `when` or `unless`")
        self.expression()
        return self

    def expression(self) -> Expression:
        """Return the condition.

        Raises:
            ConfigError: It is not an expression.
        """
        key = "when" if self.when is not None else "unless"
        return parse(str(getattr(self, key)), where=f"drop.{key}")

    @property
    def name(self) -> str:
        """The reason, also where none is given."""
        return self.reason or (self.when if self.when is not None else f"not ({self.unless})")


class Pareto(Config):
    """Keep with a probability that grows with a score: P(keep) = (2 − score)^−alpha.

    The rule of GPT-3 (Brown et al. 2020: keep if a Pareto draw exceeds 1 − score) as its
    probability. The draw is a Lomax variate X, P(X > x) = (1 + x)^−alpha (as in Gururangan
    et al. 2022). A score of 0.5 is kept with 2.6%, 0.9 with 42%, 1 always.

    Attributes:
        column: The score, 0 to 1; what lies outside is clipped. A missing one keeps.
        alpha: The shape; larger is stricter.
        draw: Drop by chance, and leave the weight at 1. Otherwise every document stays with
            the probability as its weight, so the expected share kept is the mean weight.
        reason: What is given to documents that are drawn out.
    """

    column: str = "quality.score"
    alpha: float = Field(default=9.0, gt=0, allow_inf_nan=False)
    draw: bool = False
    reason: str = "pareto"


class ToxicShare(Config):
    """Drop by toxicity, or its lack, so that a share of the corpus is toxic.

    ``clean`` drops what is toxic. ``inverse`` drops what is not (the inverse toxicity
    filter of Longpre et al. 2023, A Pretrainer's Guide to Training Data). ``ratio`` drops,
    by chance, from whichever side is too large, until the toxic ones' share of what was
    measured and is kept is ``share``, to within one document.

    Attributes:
        column: The score.
        threshold: A document is toxic from this score on. One without a score is neither,
            and passes.
        mode: What to drop.
        share: The toxic share to reach, for ``ratio``.
        reason: What is given to the documents dropped.
    """

    column: str = "toxicity.score"
    threshold: float = Field(default=0.5, allow_inf_nan=False)
    mode: Literal["clean", "inverse", "ratio"] = "clean"
    share: Share | None = None
    reason: str = "toxicity"

    @model_validator(mode="after")
    def _share_of_ratio(self) -> Self:
        if (self.mode == "ratio") != (self.share is not None):
            raise ValueError("`share` goes with mode `ratio`")
        return self


class Cap(Config):
    """At most so much of each source, or of each value of another column.

    Attributes:
        by: The column that groups; documents without a value are the group ``null``.
        limit: The most that a group keeps: documents, or the sum of ``of``; null is no limit.
        limits: Other limits for single groups, by name.
        of: The column that is summed, such as ``gopher_quality.words``; a document without
            a value counts nothing. Documents are counted if it is not given.
        best: The column by which a group's documents are chosen, largest first, those
            without a value last; by chance (under the seed) if not given.
        lowest: Take the smallest values of ``best`` first.
        reason: What is given to documents beyond the limit; ``cap.<by>`` if not given.
    """

    by: str = "source"
    limit: Amount | None = None
    limits: dict[str, Amount | None] = Field(default_factory=dict)
    of: str | None = None
    best: str | None = None
    lowest: bool = False
    reason: str = ""

    @model_validator(mode="after")
    def _some_limit(self) -> Self:
        if self.limit is None and all(limit is None for limit in self.limits.values()):
            raise ValueError("give a `limit`, or `limits` by group")
        return self

    def limit_of(self, group: str) -> float:
        """Return a group's limit, infinite if there is none."""
        limit = self.limits.get(group, self.limit)
        return math.inf if limit is None else limit

    @property
    def name(self) -> str:
        """The reason, also where none is given."""
        return self.reason or f"cap.{self.by}"


class Mixing(Config):
    """Weights with which the groups' shares of the corpus are the ones wanted.

    Attributes:
        by: The column that groups; documents without a value are the group ``null``.
        shares: Each group's share of the weighted total. What they leave to 1 goes to the
            groups that are not named, in proportion to their size.
        of: The column whose sum is shared out, such as ``gopher_quality.words``; a document
            without a value counts nothing. Documents are counted if it is not given.
        total: The weighted total; as much as there was before if not given.
        most: The largest factor on a document's weight, so the most often that it is
            repeated. A group that would need more makes the total smaller, and the shares
            stay right. (Up to four passes over data do nearly as well as new data:
            Muennighoff et al. 2023, Scaling Data-Constrained Language Models.)
        reason: What is given to documents whose group has no share.
    """

    by: str = "source"
    shares: dict[str, Share] = Field(min_length=1)
    of: str | None = None
    total: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    most: float = Field(default=4.0, gt=0, allow_inf_nan=False)
    reason: str = "mixing"

    @model_validator(mode="after")
    def _shares_of_one(self) -> Self:
        if sum(self.shares.values()) > 1 + 1e-9:
            raise ValueError(f"the shares add up to {sum(self.shares.values()):.6g}, above 1")
        return self


class DecisionsConfig(Config):
    """How to decide over the scores, beside the filters' rules; applied in this order.

    Attributes:
        drop: Rules as expressions. All that apply are given as reasons, as for filters.
        pareto: Weights, or a draw, by a quality score.
        caps: The most of each source. What follows goes by the documents that are left.
        toxicity: The share of toxic documents.
        mixing: Weights by source.
    """

    drop: tuple[Drop, ...] = ()
    pareto: Pareto | None = None
    caps: tuple[Cap, ...] = ()
    toxicity: ToxicShare | None = None
    mixing: Mixing | None = None

    def columns(self) -> list[tuple[str, str]]:
        """Return the columns that the sections name, with where each is named."""
        found = [
            *(
                (f"caps.{at}.{key}", getattr(cap, key))
                for at, cap in enumerate(self.caps)
                for key in _OF_CAPS
            ),
            ("pareto.column", self.pareto and self.pareto.column),
            ("toxicity.column", self.toxicity and self.toxicity.column),
            ("mixing.by", self.mixing and self.mixing.by),
            ("mixing.of", self.mixing and self.mixing.of),
        ]
        return [(place, column) for place, column in found if column]


_OF_CAPS = ("by", "of", "best")

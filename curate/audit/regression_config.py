"""What a config says of an audit's regressions: which rows, which columns, which models."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import Field, ValidationError, field_validator, model_validator

from hinterland.core.config import Config
from hinterland.core.errors import ConfigError, nearest

__all__ = ["Errors", "Kind", "ModelConfig", "RegressionConfig"]

Kind: TypeAlias = Literal["ols", "logit"]
Errors: TypeAlias = Literal["nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster"]


class ModelConfig(Config):
    """One regression.

    Attributes:
        name: What it is called.
        outcome: The column explained: a score, ``keep`` or ``keep:FILTER``, or a derived one.
        terms: The columns it is explained by, beside a constant.
        kind: "ols", or "logit" for an outcome of 0 and 1.
        errors: Standard errors: "nonrobust"; "HC0" to "HC3", robust to unequal variance (White
            1980; MacKinnon and White 1985); "cluster", robust also to dependence within clusters.
        cluster: The column whose values are the clusters ("country", "source"), or several whose
            combinations are (county and state).
        extends: A model above: what is not given here is as there, and its terms come first.
    """

    name: str = Field(min_length=1)
    outcome: str = ""
    terms: tuple[str, ...] = ()
    kind: Kind = "ols"
    errors: Errors = "HC1"
    cluster: tuple[str, ...] = ()
    extends: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _cluster_alone(cls, values: Any) -> Any:
        """A cluster column without a word on errors means clustered errors."""
        if isinstance(values, dict) and values.get("cluster") and "errors" not in values:
            return {**values, "errors": "cluster"}
        return values

    @field_validator("cluster", mode="before")
    @classmethod
    def _one_or_more(cls, cluster: Any) -> Any:
        if isinstance(cluster, str):
            return (cluster,)
        return () if cluster is None else cluster

    @model_validator(mode="after")
    def _has_cluster(self) -> ModelConfig:
        given = "errors" in self.model_fields_set
        if given and self.errors == "cluster" and not self.cluster and not self.extends:
            raise ValueError("errors: cluster needs a column, set cluster: country")
        if self.errors != "cluster" and self.cluster:
            raise ValueError(f"errors: {self.errors} has no clusters, remove cluster or set errors: cluster")
        return self


class RegressionConfig(Config):
    """Regressions on one preparation; a plain list of models is all of its ``models``.

    Attributes:
        where: Which rows count, an expression (`core.expressions`).
        derive: New columns, name: expression; each may use the ones above it.
        categorical: Columns of names that become one term a name, and the name that the others
            are compared with; null takes the most frequent.
        same_rows: Whether all models rest on the rows that have all of their columns, so that
            they can be compared.
        models: The models.
    """

    where: str | None = None
    derive: dict[str, str] = Field(default_factory=dict)
    categorical: dict[str, str | None] = Field(default_factory=dict)
    same_rows: bool = True
    models: tuple[ModelConfig, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _plain_list(cls, values: Any) -> Any:
        return {"models": values} if isinstance(values, list | tuple) else values

    @field_validator("where", mode="before")
    @classmethod
    def _as_text(cls, where: Any) -> Any:
        return str(where) if isinstance(where, bool) else where  # YAML reads `true` as one

    @field_validator("derive", mode="before")
    @classmethod
    def _numbers_as_text(cls, derive: Any) -> Any:
        """YAML reads an expression such as ``1`` as a number."""
        if not isinstance(derive, dict):
            return derive
        return {k: str(v) if isinstance(v, int | float) else v for k, v in derive.items()}

    def resolved(self) -> tuple[ModelConfig, ...]:
        """Return the models with what they extend written out.

        Raises:
            ConfigError: A name occurs twice, a model extends one that is not above it, has no
                outcome or no term, or the same term twice.
        """
        done: dict[str, ModelConfig] = {}
        for model in self.models:
            if model.name in done:
                raise ConfigError(
                    f"two models are called {model.name!r}", where="regression.models", cure="rename one"
                )
            done[model.name] = _complete(model, done)
        return tuple(done.values())


def _complete(model: ModelConfig, above: dict[str, ModelConfig]) -> ModelConfig:
    where = f"regression.models, {model.name}"
    if model.extends is not None:
        if model.extends not in above:
            raise ConfigError(
                f"extends {model.extends!r}, which is not a model above it",
                where=where,
                cure=nearest(model.extends, above),
            )
        model = _merge(above[model.extends], model, where)
    if not model.outcome:
        raise ConfigError("no outcome", where=where, cure="set outcome to the column to explain")
    if not model.terms:
        raise ConfigError("no terms", where=where, cure="set terms to the columns that may explain it")
    for term in model.terms:
        if model.terms.count(term) > 1:
            raise ConfigError(f"the term {term!r} occurs twice", where=where, cure="leave one")
        if term == model.outcome:
            raise ConfigError(f"{term!r} is both outcome and term", where=where, cure="remove one")
        if term == "const":
            raise ConfigError("a term called 'const'", where=where, cure="rename it: const is the constant")
    return model


def _merge(base: ModelConfig, model: ModelConfig, where: str) -> ModelConfig:
    """Return ``model`` with the base's values where it has none, and its own terms after the base's."""
    own = model.model_dump(exclude_unset=True)
    values = base.model_dump() | own | {"extends": None, "terms": (*base.terms, *model.terms)}
    if own.get("errors", "cluster") != "cluster":
        values["cluster"] = ()
    try:
        return ModelConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError(str(error.errors()[0]["msg"]), where=where, cure="set cluster") from error

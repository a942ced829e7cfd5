"""How a config names a filter of another tool, in full (``kind: callable``) or by its first key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag, field_serializer, model_validator

from hinterland.core.config import Config
from hinterland.curate.audit.adapters.base import Bound

__all__ = [
    "AdapterConfig",
    "CallableFilter",
    "ColumnFilter",
    "DatatroveFilter",
    "DolmaFilter",
    "FastTextFilter",
    "Filters",
]


class _Bounded(Config):
    """A filter whose numbers decide.

    Attributes:
        at_least: The least score that is kept.
        at_most: The largest score that is kept.
    """

    at_least: float | None = Field(default=None, allow_inf_nan=False)
    at_most: float | None = Field(default=None, allow_inf_nan=False)

    @model_validator(mode="after")
    def _one_side(self) -> _Bounded:
        if self.at_least is not None and self.at_most is not None:
            raise ValueError("give at_least or at_most, not both")
        return self

    @property
    def bound(self) -> Bound | None:
        """The threshold and its side."""
        if self.at_least is not None:
            return Bound(">=", self.at_least)
        return Bound("<=", self.at_most) if self.at_most is not None else None


class CallableFilter(_Bounded):
    """A Python function of a text.

    Attributes:
        callable: The function, or where it is: ``package.module:function`` or
            ``folder/file.py:function``. It returns True to keep, a number (see ``at_least``), or a
            dict with ``keep``, ``score`` and ``reason``, of which the first or second is needed.
        batch: Whether it takes a list of texts and returns a list of results.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    kind: Literal["callable"] = "callable"
    callable: str | Callable[..., Any]
    batch: bool = False

    @field_serializer("callable")
    def _named(self, value: Any) -> str:
        return value if isinstance(value, str) else _name_of(value)


class ColumnFilter(Config):
    """Columns of the corpus and a condition that keeps a document.

    Attributes:
        column: The condition, an expression (`core.expressions`): ``quality >= 0.5``. A
            document for which it is unknown is kept.
    """

    kind: Literal["column"] = "column"
    column: str


class DatatroveFilter(Config):
    """A filter of datatrove.

    Attributes:
        datatrove: The filter, or where it, its class or a function that makes it is:
            ``datatrove.pipeline.filters:GopherQualityFilter``.
        options: Arguments of the class or function.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    kind: Literal["datatrove"] = "datatrove"
    datatrove: Any
    options: dict[str, Any] = Field(default_factory=dict)

    @field_serializer("datatrove")
    def _named(self, value: Any) -> str:
        return value if isinstance(value, str) else _name_of(value)


class DolmaFilter(Config):
    """Attributes that dolma wrote, and a condition over them that keeps a document.

    Attributes:
        dolma: An attributes folder, or one of its files; its lines are joined to the corpus by id.
        keep: The condition over attributes by name, with or without what stands before the
            tagger's name: ``gopher_v1__word_count >= 50``. An attribute's value is the score of
            its first span; ``.count``, ``.max``, ``.min``, ``.sum`` and ``.characters`` behind
            the name are over all its spans.
    """

    kind: Literal["dolma"] = "dolma"
    dolma: Path
    keep: str


class FastTextFilter(_Bounded):
    """A fastText classifier and the label whose probability decides.

    Attributes:
        fasttext: A supervised model, ``.bin`` or ``.ftz``.
        label: The label, as it stands in the model.
    """

    kind: Literal["fasttext"] = "fasttext"
    fasttext: Path
    label: str

    @model_validator(mode="after")
    def _has_bound(self) -> FastTextFilter:
        if self.bound is None:
            raise ValueError("a classifier's probability needs at_least or at_most")
        return self


_KINDS = ("callable", "column", "datatrove", "dolma", "fasttext")


def _kind_of(value: Any) -> str | None:
    """Return which kind a config is: what it says, or the first of the kinds among its keys."""
    if isinstance(value, Config):
        return str(getattr(value, "kind", "")) or None
    if not isinstance(value, dict):
        return None
    return str(value["kind"]) if "kind" in value else next((kind for kind in _KINDS if kind in value), None)


AdapterConfig: TypeAlias = Annotated[
    Annotated[CallableFilter, Tag("callable")]
    | Annotated[ColumnFilter, Tag("column")]
    | Annotated[DatatroveFilter, Tag("datatrove")]
    | Annotated[DolmaFilter, Tag("dolma")]
    | Annotated[FastTextFilter, Tag("fasttext")],
    Discriminator(
        _kind_of,
        custom_error_type="filter_kind",
        custom_error_message=f"a filter is given by one of {', '.join(_KINDS)}",
    ),
]


class Filters(Config):
    """A section of filters by name, each in full or in the compact form.

    Attributes:
        filters: ``{mine: {callable: "pkg.mod:keep"}, hq: {column: "quality >= 0.5"}}``.
    """

    filters: dict[str, AdapterConfig] = Field(default_factory=dict)


def _name_of(value: Any) -> str:
    kind = value if hasattr(value, "__qualname__") else type(value)
    return f"{kind.__module__}:{kind.__qualname__}"

"""The seam for filters: each scores every document and brings default rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Protocol, cast

from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from hinterland.core.errors import ConfigError, nearest
from hinterland.core.registry import Registry
from hinterland.core.run import fingerprint
from hinterland.curate.rule import Rule

__all__ = ["FILTERS", "Filter", "Scores", "content_of", "make_filters"]

#: Columns by name, each of shape (documents,): floats, whole numbers, booleans or strings.
Scores = dict[str, NDArray[Any]]

#: Options by filter name: the fields of the filter's dataclass.
Options = Mapping[str, Mapping[str, Any]]


class Filter(Protocol):
    """Scores documents; it never drops one.

    A filter that reads files also has a method ``content() -> str`` that returns a hash
    of them, so that documents are scored again when a file changes.
    """

    @property
    def name(self) -> str:
        """The first part of its columns' names."""
        ...

    @property
    def variant(self) -> str:
        """Whose reading of the rules this is ("paper")."""
        ...

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The default rules over its columns; measures without a rule are for information."""
        ...

    def score(self, texts: Sequence[str]) -> Scores:
        """Return the columns ``<filter>.<measure>``, one value per text.

        A measure that is not defined for a text (a share of no lines) is NaN. A value
        depends on its own text alone. Given a `curate.words.Batch`, the texts are split
        once for all filters.
        """
        ...


#: Each entry makes a filter from its options, which all have defaults.
FILTERS: Registry[Callable[..., Filter]] = Registry("filter")


def make_filters(names: Iterable[str], options: Options | None = None) -> tuple[Filter, ...]:
    """Return the filters called ``names``, in that order, each once.

    Args:
        names: Names of filters; ``c4@dolma`` is the variant ``dolma`` of ``c4``.
        options: Options by name, as it stands in ``names``.

    Raises:
        ConfigError: Options are given for a filter that is not among the names, or a
            filter has no such option, or it has the wrong type.
        RegistryError: There is no such filter or variant.
    """
    import hinterland.curate.filters  # noqa: F401 - registers the ones that ship with the kit

    names, options = list(dict.fromkeys(names)), options or {}
    for name in options:
        if name not in names:
            raise ConfigError(
                f"options for {name!r}, which is not among the filters",
                where="options",
                cure=f"add it to filters; {nearest(name, names)}",
            )
    return tuple(_make(name, options.get(name, {})) for name in names)


def _make(name: str, options: Mapping[str, Any]) -> Filter:
    base, _, variant = name.partition("@")
    make: Any = FILTERS.get(base)
    given = dict(options) | ({"variant": variant} if variant else {})
    if is_dataclass(make):
        known = [field.name for field in fields(make) if field.init]
        for option in given:
            if option not in known:
                raise ConfigError(
                    f"the filter {base!r} has no option {option!r}",
                    where=f"options.{name}",
                    cure=nearest(option, known),
                )
        try:
            made: Filter = TypeAdapter(make).validate_python(given)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise ConfigError(
                f"{first['msg']}: {first['input']!r}", where=f"options.{name}.{place}", cure="correct it"
            ) from error
        return made
    return cast("Filter", make(**given))


def content_of(filters: Iterable[Filter]) -> str:
    """Return a hash over what the filters are: names, options, and files that they read."""
    described = []
    for each in filters:
        content = getattr(each, "content", None)
        described.append((each.name, repr(each), content() if callable(content) else ""))
    return fingerprint(described)

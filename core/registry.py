"""Named implementations of a seam; other packages add theirs by entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from hinterland.core.errors import RegistryError, nearest

__all__ = ["Registry"]

T = TypeVar("T")


class Registry(Generic[T]):
    """A mapping from names to implementations of one kind.

    Args:
        kind: What is registered, in the singular ("filter", "metric").

    A distribution adds its own with an entry point in the group ``hinterland.<kind>``;
    it is imported only when it is asked for.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that files its argument under ``name``.

        Raises:
            RegistryError: The name is taken.
        """

        def add(item: T) -> T:
            if name in self._items:
                raise RegistryError(f"{self.kind} {name!r} is registered twice", cure="choose another name")
            self._items[name] = item
            return item

        return add

    def get(self, name: str) -> T:
        """Return the implementation called ``name``.

        Raises:
            RegistryError: There is none (the cure names the nearest), or it cannot be loaded.
        """
        if name not in self._items:
            for point in entry_points(group=f"hinterland.{self.kind}", name=name):
                try:
                    self._items[name] = point.load()
                except (ImportError, AttributeError) as error:
                    raise RegistryError(
                        f"{self.kind} {name!r} cannot be loaded: {error}",
                        where=point.value,
                        cure="install the package that adds it anew",
                    ) from error
        try:
            return self._items[name]
        except KeyError:
            raise RegistryError(f"unknown {self.kind} {name!r}", cure=nearest(name, self)) from None

    def __iter__(self) -> Iterator[str]:
        outside = {point.name for point in entry_points(group=f"hinterland.{self.kind}")}
        return iter(sorted({*self._items, *outside}))

    def __contains__(self, name: object) -> bool:
        return name in set(self)

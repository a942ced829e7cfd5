"""How a config's words become a system."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import packages_distributions
from typing import Any, Protocol, runtime_checkable

from hinterland.core.errors import ConfigError, RegistryError
from hinterland.core.registry import Registry
from hinterland.core.system import System

__all__ = ["SYSTEMS", "KnowsIds", "SystemFactory", "build_system"]

#: (name, the other keys of the system's section in the config) → a system. A factory
#: checks its keys itself, best with `hinterland.core.config.parse_config`.
SystemFactory = Callable[[str, Mapping[str, Any]], System]

SYSTEMS: Registry[SystemFactory] = Registry("system")


@runtime_checkable
class KnowsIds(Protocol):
    """A system that has its answers by question id and must be told the ids."""

    def know_ids(self, ids: Mapping[str, str]) -> None:
        """Take the question ids, by the wording of the question."""
        ...


@cache
def _installed() -> frozenset[str]:
    """Return the names that installed packages can be imported by (takes about a second)."""
    return frozenset(packages_distributions())


def _dotted(path: str) -> SystemFactory:
    """Return the factory at ``module:function`` of an installed package.

    A config is data and may come from anywhere, so it cannot name a module that merely
    lies in the current folder.
    """
    module, _, name = path.partition(":")
    cure = "give module:function of an installed package"
    if module.partition(".")[0] not in _installed():
        raise RegistryError(f"system {path!r} is not in an installed package", cure=cure)
    try:
        factory = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise RegistryError(f"system {path!r} cannot be loaded: {error}", cure=cure) from error
    if not callable(factory):
        raise RegistryError(f"system {path!r} is not a function", cure=cure)
    return factory  # type: ignore[no-any-return]  # what it returns is checked when it is built


def build_system(kind: str, name: str, options: Mapping[str, Any], ids: Mapping[str, str]) -> System:
    """Build a system.

    Args:
        kind: A registered name, or ``module:function``.
        name: The name in tables.
        options: The keys of its section, ``kind`` and ``name`` left out.
        ids: Question ids by wording, for systems that need them.

    Raises:
        RegistryError: The kind is unknown or cannot be loaded.
        ConfigError: The options are wrong, or what was built is no system.
    """
    factory = _dotted(kind) if ":" in kind else SYSTEMS.get(kind)
    system = factory(name, options)
    if not isinstance(system, System):
        raise ConfigError(
            f"{kind!r} built a {type(system).__name__}, which is not a system",
            where=f"system {name!r}",
            cure="a system has name, fingerprint and answer()",
        )
    if isinstance(system, KnowsIds):
        system.know_ids(ids)
    return system

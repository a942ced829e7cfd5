"""The error tree. Each message says what was found, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "ConfigError",
    "CorpusError",
    "EndpointError",
    "EngineError",
    "HinterlandError",
    "IndexBundleError",
    "MissingDependencyError",
    "ModelSourceError",
    "RegistryError",
    "StorageError",
    "nearest",
]


class HinterlandError(Exception):
    """Base of every error a user can cause.

    Args:
        found: What was found, in a few words.
        where: The file, key or address it was found at.
        cure: What the user can do about it.
    """

    def __init__(self, found: str, *, where: str = "", cure: str = "") -> None:
        self.found, self.where, self.cure = found, where, cure
        super().__init__(found)

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        cure = f"\n  → {self.cure}" if self.cure else ""
        return f"{self.found}{place}{cure}"


class ConfigError(HinterlandError):
    """A config file or override that cannot be used."""


class CorpusError(HinterlandError):
    """A corpus, shard or record that is not what its manifest says."""


class IndexBundleError(HinterlandError):
    """A published index that is damaged, newer, or not made for what it is asked."""


class StorageError(HinterlandError):
    """The disk is full, or a path cannot be read or written."""


class MissingDependencyError(HinterlandError):
    """A package is not installed; the cure is the exact command."""


class ModelSourceError(HinterlandError):
    """A model that cannot be found or loaded."""


class EndpointError(HinterlandError):
    """A model endpoint that does not answer, or answers with an error."""


class EngineError(HinterlandError):
    """A worker of an engine died."""


class RegistryError(HinterlandError):
    """An unknown name; the cure lists the nearest and the known ones."""


#: Of more known names than this, the closest few are shown.
_MANY, _SHOWN = 30, 8


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "did you mean …" for the closest known name, and the known names, or the closest of many.

    >>> nearest("gohper", ["gopher", "c4"])
    "did you mean 'gopher'? Known: c4, gopher"
    """
    names = sorted(set(known))
    close = get_close_matches(name, names, n=_SHOWN, cutoff=0.5)
    guess = f"did you mean '{close[0]}'? " if close else ""
    if len(names) > _MANY:
        shown = [*close, *(each for each in names if each not in close)][:_SHOWN]
        return f"{guess}Known: {', '.join(shown)} and {len(names) - _SHOWN} more"
    return f"{guess}Known: {', '.join(names) or 'none'}"

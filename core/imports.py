"""Optional packages: asked for when needed, with the exact command where they are missing."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from hinterland.core.errors import MissingDependencyError

__all__ = ["require", "require_faiss"]


def require(module: str, *, cure: str) -> ModuleType:
    """Import and return ``module``.

    Raises:
        MissingDependencyError: It is not installed; ``cure`` is the command to run.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        raise MissingDependencyError(f"the package {missing!r} is not installed", cure=cure) from error


def require_faiss() -> ModuleType:
    """Import and return faiss.

    Raises:
        MissingDependencyError: Neither faiss-cpu nor faiss-gpu is installed.
    """
    return require(
        "faiss",
        cure="pip install 'hinterland[cpu]' for faiss-cpu, or 'hinterland[gpu]' for faiss-gpu (NVIDIA)",
    )

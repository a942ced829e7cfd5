"""hinterland: adapt a language model to a domain, and see who the filters leave out.

The rooms are subpackages: ``core``, ``curate``, ``indexes``, ``rag``, ``adapt``,
``eval``, ``demo``. Importing this package imports none of them, so that the command
line stays fast; `audit` is fetched when it is first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hinterland.curate.audit.audit import audit

__version__ = "0.1.0"
__all__ = ["__version__", "audit"]


def __getattr__(name: str) -> Any:
    if name == "audit":
        from hinterland.curate.audit.audit import audit

        return audit
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

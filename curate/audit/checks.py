"""Settings that no corpus could make right, refused before anything is read."""

from __future__ import annotations

from pathlib import Path

from hinterland.core.errors import ConfigError, nearest
from hinterland.curate.audit.adapters import make_adapter
from hinterland.curate.audit.adapters.config import CallableFilter, ColumnFilter, DolmaFilter, FastTextFilter
from hinterland.curate.audit.covariates import Covariates
from hinterland.curate.audit.settings import AuditSettings

__all__ = ["check_out", "check_settings"]

_REFERENCES = ("population", "internet users", "none")


def check_settings(settings: AuditSettings) -> None:
    """Refuse files that are not there, covariates that cannot be read, filters that cannot be made.

    Filters whose making loads a model or another tool are made when they are needed.

    Raises:
        ConfigError: A file or function that is named is not there, or an expression is none.
        CorpusError: The covariates cannot be read.
    """
    if settings.covariates is not None:
        Covariates.read(settings.covariates)
    if isinstance(settings.reference, Path) and not settings.reference.exists():
        raise ConfigError(
            f"no reference {str(settings.reference)!r}",
            where="reference",
            cure=f"give a file; {nearest(str(settings.reference), _REFERENCES)}",
        )
    for name, each in settings.filters.items():
        if isinstance(each, CallableFilter | ColumnFilter):
            make_adapter(name, each)
        elif isinstance(each, DolmaFilter):
            _is_there(each.dolma, f"filters.{name}")
        elif isinstance(each, FastTextFilter):
            _is_there(each.fasttext, f"filters.{name}")
    exposure = settings.exposure
    if exposure is None:
        return
    if exposure.results is None and (exposure.index is None or exposure.queries is None):
        raise ConfigError(
            "no results to look at",
            where="exposure",
            cure="give results: FILE, or index: FOLDER and queries: FILE",
        )
    for key in ("results", "index", "queries", "qrels"):
        path = getattr(exposure, key)
        if path is not None:
            _is_there(path, f"exposure.{key}")


def check_out(out: Path, corpus: Path) -> None:
    """Refuse to write into a corpus, or into the run's folder that it lies in.

    Args:
        out: The folder to write.
        corpus: The folder with the corpus' manifest.

    Raises:
        ConfigError: What is read would be written over.
    """
    own = corpus.resolve()
    taken = {own, *([own.parent] if own.name == "corpus" else [])}
    if out.resolve() in taken or own in out.resolve().parents:
        raise ConfigError(
            f"{out} is the folder of the corpus itself", where="out", cure="give another folder with --out"
        )


def _is_there(path: Path, where: str) -> None:
    if not path.exists():
        raise ConfigError(f"no such file or folder: {path}", where=where, cure="check the path")

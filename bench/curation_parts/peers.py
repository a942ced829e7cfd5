"""The tools to compare with, each in an environment of its own with pinned versions."""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from gpu_parts.common import SkippedError

from hinterland.core.files import write_text
from hinterland.core.models import cache_dir
from hinterland.core.progress import console

__all__ = ["DATATROVE", "DOLMA", "Peer", "default_folder"]

_READY = ".ready"
_PATIENCE = 900  # seconds for pip; a resolver that needs longer is stuck


@dataclass(frozen=True)
class Peer:
    """A published tool.

    Attributes:
        name: Its name on the package index.
        version: The version that is compared.
        program: The file in this folder that runs in its environment.
        packages: What else to install.
        alone: Whether it is installed without its dependencies. dolma's pin NumPy 1,
            S3 clients and a compiler's worth of others that its taggers do not use.
        beside: What else to install without dependencies.
    """

    name: str
    version: str
    program: str
    packages: tuple[str, ...]
    alone: bool = False
    beside: tuple[str, ...] = ()

    def python(self, folder: Path) -> Path:
        """Return the interpreter of the tool's environment, which is made if it is missing.

        Args:
            folder: Where environments live.

        Raises:
            SkippedError: The tool cannot be installed here.
        """
        home = folder / f"{self.name}-{self.version}"
        python = home / "bin" / "python"
        ready, wanted = home / _READY, " ".join([*self.packages, *self.beside])
        if not ready.is_file() or ready.read_text(encoding="utf-8") != wanted:
            console().print(f"  installing {self.name} {self.version} into {home}", markup=False)
            try:
                venv.create(home, with_pip=True, clear=True)
                own = (f"{self.name}=={self.version}",)
                bare = (*self.beside, *(own if self.alone else ()))
                if bare:
                    _pip(python, "--no-deps", *bare)
                _pip(python, *self.packages, *(() if self.alone else own))
            except (OSError, subprocess.SubprocessError) as error:
                raise SkippedError(f"{self.name} cannot be installed: {_last_line(error)}") from error
            write_text(ready, wanted)
        return python


def _pip(python: Path, *arguments: str) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, timeout=_PATIENCE, capture_output=True, text=True)


def _last_line(error: Exception) -> str:
    output = getattr(error, "stderr", None) or str(error)
    lines = [line for line in str(output).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__


def default_folder() -> Path:
    """Return where environments live unless told otherwise."""
    return cache_dir() / "bench" / f"python{sys.version_info.major}.{sys.version_info.minor}"


#: spaCy splits its words, and is no dependency of datatrove's; neither are the next three.
DATATROVE = Peer(
    "datatrove",
    "0.10.1",
    "peer_datatrove.py",
    (
        "spacy==3.8.18",
        "regex==2026.11.15",
        "xxhash==3.8.2",
        "tokenizers==0.23.3",
        "numpy==2.4.6",
    ),
)
DOLMA = Peer("dolma", "1.2.1", "peer_dolma.py", ("msgspec==0.22.0", "typing-extensions==4.16.0"), alone=True)

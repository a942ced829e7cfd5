"""Publish an index as one unit, and open it again only if it is whole.

    <root>/versions/<version>/dense.faiss      the vectors
                             /chunks.parquet   texts, spans, sources, and each one's row among the vectors
                             /bm25/            the words
                             /manifest.json    settings and the SHA-256 of each file
    <root>/CURRENT                             the name of the version that is served

A version's name is the hash of its manifest, and the manifest holds the hashes of the
files, so a version never changes once it is there. `CURRENT` is replaced by an atomic
rename: a reader sees the old version or the new one, and a writer that is killed leaves
the old one served.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hinterland.core.errors import IndexBundleError
from hinterland.core.files import (
    hash_file,
    read_json,
    storage_errors,
    sweep_half_written,
    write_json,
    write_text,
)
from hinterland.core.locks import hold
from hinterland.indexes.names import is_plain

__all__ = [
    "CHUNKS",
    "CURRENT",
    "DENSE",
    "MANIFEST",
    "Bundle",
    "check_version",
    "current_version",
    "drop_version",
    "open_bundle",
    "publish",
    "read_current",
    "serve",
    "sweep",
    "writer_lock",
]

T = TypeVar("T")

CURRENT, DENSE, CHUNKS, MANIFEST = "CURRENT", "dense.faiss", "chunks.parquet", "manifest.json"
_FORMAT = 2
_KEEP = 2  # versions on disk: the one served and the one before it
_REBUILD = "restore the file, or build the index again"
_NEW = ".new"  # how folders begin that are no version, or none any more
_COMING = ".publishing"  # names the version that is there but not served yet
_TRIES = 20  # versions that may be pruned one after another while a reader opens


@dataclass(frozen=True, slots=True)
class Bundle:
    """One published version whose files were checked.

    Attributes:
        folder: The version's folder.
        version: Its name.
        manifest: What its manifest says.
    """

    folder: Path
    version: str
    manifest: dict[str, Any]


@contextmanager
def writer_lock(root: Path, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold ``root`` for one writer. The lock ends with the process, however it ends.

    Args:
        root: The index's folder.
        wait_seconds: How long to wait for another writer before giving up.

    Raises:
        StorageError: Another writer holds it, or the folder cannot be written.
    """
    cure = "wait for it (wait_seconds), or give another folder"
    with hold(root / ".lock", "another process is writing this index", cure=cure, wait_seconds=wait_seconds):
        yield


def _sync(path: Path) -> None:
    """Flush a file or folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _whole(folder: Path, files: Mapping[str, str]) -> bool:
    """Whether a version that is already there holds exactly what its name promises."""
    found = {name: hash_file(folder / name) for name in (*files, MANIFEST) if (folder / name).is_file()}
    return (
        all(found.get(name) == digest for name, digest in files.items())
        and found.get(MANIFEST, "")[:24] == folder.name
    )


def publish(
    root: Path, fill: Callable[[Path], None], manifest: Mapping[str, Any], *, keep: int = _KEEP
) -> Bundle:
    """Write a version and make it the one served. The caller holds `writer_lock`.

    Args:
        root: The index's folder.
        fill: Writes all files of the version but the manifest into the empty folder it is
            given, in folders of their own if it likes.
        manifest: What else the manifest says; equal content gives an equal version.
        keep: How many versions stay on disk.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    versions = root / "versions"
    with storage_errors(root):
        versions.mkdir(parents=True, exist_ok=True)
        _clear(versions)
        new = versions / f"{_NEW}.{os.getpid()}"
        new.mkdir()
        try:
            fill(new)
            paths = sorted(path for path in new.rglob("*") if path.is_file())
            files = {path.relative_to(new).as_posix(): hash_file(path) for path in paths}
            write_json(new / MANIFEST, {"kind": "index", "format": _FORMAT, **manifest, "files": files})
            version = hash_file(new / MANIFEST)[:24]
            for path in [*new.rglob("*"), new]:
                _sync(path)
            folder = versions / version
            if folder.exists() and not _whole(folder, files):
                folder.rename(versions / f"{_NEW}.damaged.{os.getpid()}")
            if not folder.exists():
                write_text(root / _COMING, version + "\n")
                new.rename(folder)
            _sync(versions)
        finally:
            shutil.rmtree(new, ignore_errors=True)
        serve(root, version)
        (root / _COMING).unlink(missing_ok=True)
        others = sorted(
            (other for other in versions.glob("[!.]*") if other != folder and other.is_dir()),
            key=lambda other: other.stat().st_mtime,
            reverse=True,
        )
        for old in others[max(keep - 1, 0) :]:
            drop_version(root, old.name)
        _clear(versions)
    return Bundle(folder, version, read_json(folder / MANIFEST))


def _clear(versions: Path) -> None:
    """Delete what is no version: of writers that were killed, or damaged and made anew."""
    for leftover in versions.glob(f"{_NEW}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def serve(root: Path, version: str) -> None:
    """Make a version that is there the one served, by an atomic rename. The caller holds the lock."""
    write_text(root / CURRENT, version + "\n")
    _sync(root)
    os.utime(root / "versions" / version)


def drop_version(root: Path, version: str) -> None:
    """Delete a version. It vanishes from the list at once: nobody sees half of it."""
    folder = root / "versions" / version
    gone = folder.with_name(f"{_NEW}.gone.{version}")
    shutil.rmtree(gone, ignore_errors=True)
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def sweep(root: Path, *, spare: Path | None = None) -> None:
    """Delete what killed writers left: half files, half folders, versions never served.

    The caller holds `writer_lock`, so nobody else's work is on the way but in ``spare``.

    Args:
        root: The index's folder.
        spare: A folder whose half files stay.

    Raises:
        StorageError: The folder cannot be written.
    """
    versions, coming = root / "versions", root / _COMING
    sweep_half_written(root, spare=spare)
    with storage_errors(root):
        if coming.is_file():
            version = coming.read_text(encoding="utf-8").strip()
            served = (root / CURRENT).is_file() and current_version(root) == version
            if is_plain(version) and not served and (versions / version).is_dir():
                drop_version(root, version)
            coming.unlink()
        _clear(versions)


def current_version(root: Path) -> str:
    """Return the name of the version served.

    Raises:
        IndexBundleError: No index was published here.
    """
    pointer = root / CURRENT
    if not pointer.is_file():
        raise IndexBundleError(
            f"no index here: {CURRENT} is missing", where=str(root), cure="run: hinterland index build"
        )
    return pointer.read_text(encoding="utf-8").strip()


def read_current(root: Path, read: Callable[[Bundle], T]) -> T:
    """Check the served version, read it, and return what ``read`` made of it.

    A writer may publish and prune while a reader is between the pointer and the files; then
    the version served by now is read instead.

    Raises:
        IndexBundleError: See `check_version`; or what ``read`` raises.
    """
    for _ in range(_TRIES):
        version = current_version(root)
        try:
            return read(check_version(root, version))
        except (IndexBundleError, OSError):
            if current_version(root) == version:
                raise
    raise IndexBundleError(
        "versions come and go faster than they can be read", where=str(root), cure="keep more versions"
    )


def open_bundle(root: Path) -> Bundle:
    """Check the served version's files and return it.

    Raises:
        IndexBundleError: See `check_version`.
    """
    return read_current(root, lambda bundle: bundle)


def check_version(root: Path, version: str) -> Bundle:
    """Check a version's files and return it.

    Raises:
        IndexBundleError: There is no index, a file is missing, cut off or changed, or the
            format is newer than this version reads.
    """
    folder = root / "versions" / version
    path = folder / MANIFEST
    if not path.is_file():
        raise IndexBundleError("the index's manifest is missing", where=str(path), cure=_REBUILD)
    if hash_file(path)[:24] != version:
        raise IndexBundleError(
            "the manifest is corrupt: its hash is not the version's name", where=str(path), cure=_REBUILD
        )
    manifest = read_json(path)
    if manifest.get("kind") != "index":
        raise IndexBundleError(
            "this is not an index's manifest", where=str(path), cure="give an index folder"
        )
    if manifest.get("format", 0) > _FORMAT:
        raise IndexBundleError(
            f"the index has format {manifest['format']}, this version reads up to {_FORMAT}",
            where=str(path),
            cure="upgrade hinterland",
        )
    for name, expected in manifest["files"].items():
        file = folder / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise IndexBundleError(
                "the manifest names a file outside of the version", where=f"{path}: {name}", cure=_REBUILD
            )
        if not file.is_file():
            raise IndexBundleError("a file of the index is missing", where=str(file), cure=_REBUILD)
        if hash_file(file) != expected:
            raise IndexBundleError(
                "a file of the index is corrupt: its SHA-256 differs from the manifest's",
                where=str(file),
                cure=_REBUILD,
            )
    return Bundle(folder, version, manifest)

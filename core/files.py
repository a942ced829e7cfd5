"""Atomic writes and content hashes: a file is either whole or not there."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hinterland.core.errors import StorageError

__all__ = [
    "atomic_dir",
    "atomic_path",
    "hash_file",
    "hash_tree",
    "read_json",
    "storage_errors",
    "sweep_half_written",
    "write_json",
    "write_text",
]

_CURES = {
    errno.ENOSPC: (
        "the disk is full",
        "free some space or give another folder, then run the same command again",
    ),
    errno.EDQUOT: ("the disk quota is used up", "free some space or give another folder, then run again"),
    errno.EACCES: ("no permission to write", "give a folder you may write to"),
    errno.EPERM: ("no permission to write", "give a folder you may write to"),
    errno.EROFS: ("the file system is read-only", "give a folder you may write to"),
    errno.ENOTDIR: ("a file stands where a folder is needed", "give another folder"),
    errno.EEXIST: ("a file stands where a folder is needed", "give another folder"),
    errno.ENAMETOOLONG: ("the name is too long for the file system", "give a shorter one"),
    errno.EISDIR: ("a folder stands where a file is needed", "give another name"),
    errno.EFBIG: (
        "the file would be larger than allowed here",
        "raise the limit (ulimit -f), then run again",
    ),
}


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals about ``path`` into a `StorageError`.

    Raises:
        StorageError: The disk is full, read-only, or not writable for this user.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _CURES:
            raise
        found, cure = _CURES[error.errno]
        raise StorageError(found, where=str(error.filename or path), cure=cure) from error


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that becomes it by rename on success.

    The content is flushed to disk before the rename, so that a reader never sees half a
    file, also after a power cut. On any error the temporary file is removed.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            yield temporary
            with temporary.open("rb+") as handle:
                os.fsync(handle.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_dir(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that replaces ``path`` on success, and vanishes on error.

    An existing folder is moved aside for the rename and deleted after it.

    Raises:
        StorageError: The disk is full, the parent cannot be written, or ``path`` is a file.
    """
    with storage_errors(path):
        if path.exists() and not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
        old = temporary.with_suffix(".old")
        try:
            yield temporary
            temporary.chmod(0o755)
            if path.exists():
                path.rename(old)
            try:
                temporary.rename(path)
            except OSError:
                if old.exists():  # what was there before is worth more than nothing
                    old.rename(path)
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` atomically, as UTF-8."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` to ``path`` atomically as readable, key-ordered JSON.

    Lone surrogates, as Python has them for file names that are not UTF-8, are escaped.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=str) + "\n"
    write_text(path, text.encode("utf-8", "backslashreplace").decode())


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        StorageError: It is missing, unreadable or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StorageError("no such file", where=str(path), cure="check the path") from error
    except (OSError, ValueError) as error:
        raise StorageError(
            f"not readable as JSON: {error}", where=str(path), cure="delete it and run again"
        ) from error


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, as hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def hash_tree(path: Path) -> str:
    """Return one SHA-256 over the names and contents of all files below ``path``."""
    if path.is_file():
        return hash_file(path)
    total = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        name = os.fsencode(file.relative_to(path).as_posix())
        total.update(name + f"\0{hash_file(file)}\n".encode())
    return total.hexdigest()


def sweep_half_written(folder: Path, *, spare: Path | None = None) -> None:
    """Delete the temporary files and folders of writers that were killed; nobody may be writing.

    Args:
        folder: Where they are, at any depth.
        spare: A folder below, in which somebody may be writing.

    Raises:
        StorageError: The folder cannot be written.
    """
    with storage_errors(folder):
        for path in [*folder.rglob(".*.tmp"), *folder.rglob(".*.old")]:
            if spare is not None and spare in path.parents:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)  # it may have been in such a folder

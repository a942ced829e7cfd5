"""What there is to read: files, folders of files, corpora, saved data sets, patterns, hub ids."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from glob import glob, has_magic
from pathlib import Path

from hinterland.core.corpus import MANIFEST
from hinterland.core.errors import ConfigError, CorpusError, HinterlandError, StorageError
from hinterland.core.files import hash_tree, read_json
from hinterland.core.run import fingerprint
from hinterland.curate.readers import known_suffixes
from hinterland.curate.readers.base import has_reader
from hinterland.curate.readers.dolma import attribute_files, is_attributes

__all__ = ["find_inputs", "find_inputs_outside", "hash_input", "is_corpus", "is_hub"]


def is_hub(path: Path) -> bool:
    """Whether this names a data set, ``hf:NAME[:CONFIG][:SPLIT]``, and not a file."""
    return str(path).startswith("hf:")


def is_corpus(path: Path) -> bool:
    """Whether ``path`` is a corpus folder of the kit."""
    manifest = path / MANIFEST
    if not _is(manifest.is_file):
        return False
    try:
        content = read_json(manifest)
    except HinterlandError:
        return True  # meant to be one: opening it says what is wrong
    return isinstance(content, dict) and content.get("kind") == "corpus"


def find_inputs(paths: Sequence[Path | str]) -> list[Path]:
    """Return the corpora, files and data sets to read, in the order given; folders in the order of names.

    A path may be a file, a folder (searched with what is below it), a corpus, a data set
    saved by ``save_to_disk``, a pattern (``pages/**/*.jsonl.gz``), or ``hf:NAME``. Files of
    unknown kinds, links to nothing and folders that may not be searched are returned
    too, to be rejected by name. Hidden files are passed over.

    Raises:
        CorpusError: A path does not exist, or a folder or pattern holds nothing to read.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if is_hub(path) or (path.is_symlink() and not _is(path.exists)):
            found.append(path)
        elif _is(path.exists):
            found += _below(path) if path.is_dir() and not is_corpus(path) else [path]
        elif has_magic(str(path)):
            files = _matching(path)
            if not files:
                raise CorpusError("nothing matches this pattern", where=str(path), cure="check the pattern")
            found += files
        else:
            raise CorpusError("no such file or folder", where=str(path), cure="check the path")
    return found


def find_inputs_outside(paths: Sequence[Path | str], out: Path) -> list[Path]:
    """Return `find_inputs` without what lies in ``out``: what an earlier run wrote is no input.

    Raises:
        ConfigError: A path that is given lies in ``out``, where the run would replace it.
        CorpusError: As `find_inputs`.
    """
    inside = _lies_in(out)
    for path in map(Path, paths):
        if inside(path):
            raise ConfigError(
                f"the input {path} lies in the folder that the run writes, which would replace it",
                where=f"out: {out}",
                cure="give another folder (--out FOLDER)",
            )
    return [path for path in find_inputs(paths) if not inside(path)]


def _lies_in(out: Path) -> Callable[[Path], bool]:
    """Return whether a path is ``out`` or below it, whatever links and dots lead there."""
    real = Path(os.path.realpath(out))
    folder_of = cache(os.path.realpath)  # files have their folders in common

    def inside(path: Path) -> bool:
        place = Path(folder_of(path.parent), path.name) if path.name != ".." else Path(folder_of(path))
        return not is_hub(path) and place.is_relative_to(real)

    return inside


def hash_input(path: Path) -> str:
    """Return a hash of an input, with the attributes beside a dolma file.

    It is empty for a data set that is elsewhere, and for what cannot be read and will be rejected.
    """
    try:
        if is_hub(path):
            local = Path(str(path).removeprefix("hf:").partition(":")[0])
            return hash_tree(local) if local.is_dir() else ""
        beside = attribute_files(path)
        own = hash_tree(path)
        return fingerprint(own, {name: hash_tree(file) for name, file in beside.items()}) if beside else own
    except (OSError, StorageError):
        return ""


def _matching(pattern: Path) -> list[Path]:
    """Return what matches a pattern, and what is in folders that do, each once."""
    found: dict[Path, None] = {}
    for match in map(Path, sorted(glob(str(pattern), recursive=True))):  # noqa: PTH207 - absolute too
        if not _is(match.is_dir) or is_corpus(match):
            found.setdefault(match)
        elif "**" not in pattern.parts:  # else what is below matches, too, or shall not
            found.update(dict.fromkeys(_readable(match)))
    return list(found)


def _below(folder: Path) -> list[Path]:
    """Return what there is to read in a folder."""
    files = _readable(folder)
    if not any(path.is_dir() or has_reader(path) for path in files):
        raise CorpusError(
            "nothing to read in here", where=str(folder), cure=f"known: {', '.join(known_suffixes())}"
        )
    return files


def _readable(folder: Path) -> list[Path]:
    files = sorted(_walk(folder, frozenset()), key=lambda path: path.parts)
    return [path for path in files if not is_attributes(path)]


def _walk(folder: Path, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    """Yield files and corpora; links to folders are followed, but never back to one above."""
    try:
        status = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder  # it is rejected by name when it is read
        return
    me = (status.st_dev, status.st_ino)
    if me in above:
        yield folder
        return
    saved = _saved_files(folder)
    if saved is not None:
        yield from saved
        return
    for entry in entries:
        path = folder / entry.name
        if entry.name.startswith(".") or entry.name == "dataset_dict.json":
            continue
        if _is(path.is_dir) and not is_corpus(path):
            yield from _walk(path, above | {me})
        else:
            yield path


def _is(kind: Callable[[], bool]) -> bool:
    try:
        return kind()
    except OSError:  # it may not even be looked at
        return False


def _saved_files(folder: Path) -> list[Path] | None:
    """Return the files of a data set saved by ``save_to_disk``; None if it is none."""
    if not all(_is((folder / name).is_file) for name in ("state.json", "dataset_info.json")):
        return None
    try:
        return [folder / entry["filename"] for entry in read_json(folder / "state.json")["_data_files"]]
    except (HinterlandError, KeyError, TypeError):
        return None

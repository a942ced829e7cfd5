"""Texts to measure on: pages of installed packages' documentation, prose, or a folder's files."""

from __future__ import annotations

import ast
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from gpu_parts.common import SEED

from hinterland.core.corpus import Corpus
from hinterland.core.engine import LocalEngine
from hinterland.core.errors import CorpusError
from hinterland.core.files import write_text
from hinterland.core.progress import track
from hinterland.core.run import fingerprint
from hinterland.core.seeds import generator
from hinterland.curate.read import read_corpus

__all__ = [
    "Page",
    "folder_texts",
    "megabytes",
    "own_root",
    "package_pages",
    "prose",
    "sample",
    "site_packages",
    "write_pages",
]

#: An id and a text.
Page = tuple[str, str]

_FILES = (".md", ".rst", ".txt", ".html")
_NAMES = ("METADATA", "LICENSE", "COPYING", "NOTICE", "README", "CHANGES", "CHANGELOG", "AUTHORS")
#: Shorter texts are no pages, longer ones are data (word lists, tables).
_LEAST, _MOST = 200, 400_000
_DOCSTRING = 120
#: A plain text file longer than this is cut into pieces: a book is no document.
_PIECE = 20_000


def site_packages(python: Path) -> Path:
    """Return where an environment's packages are."""
    return next(iter(sorted(python.parent.parent.glob("lib/python*/site-packages"))))


def package_pages(roots: Sequence[Path], limit: int, cache: Path) -> list[Page]:
    """Return up to ``limit`` pages: first documentation files, then the docstrings of modules.

    Pages are those files that are UTF-8 with 200 to 400,000 characters, each text once;
    then, module by module in a seeded order, the docstrings of 120 characters and more of
    a module, its classes and its functions, as one page.

    Args:
        roots: Folders of installed packages.
        limit: The most pages.
        cache: A folder where they are kept for another run on the same packages.
    """
    installed = sorted(path.as_posix() for root in roots for path in root.glob("*.dist-info"))
    file = cache / f"pages-{fingerprint(installed, limit)}.jsonl"
    if not file.exists():
        write_pages(file, _distinct(roots, limit))
    with file.open(encoding="ascii") as handle:
        return [(row["id"], row["text"]) for row in map(json.loads, handle)]


def _distinct(roots: Sequence[Path], limit: int) -> list[Page]:
    seen: set[str] = set()
    pages: list[Page] = []
    for key, text in track(_candidates(roots), "reading documentation"):
        if _LEAST <= len(text) <= _MOST and text.strip() and text not in seen:
            seen.add(text)
            pages.append((key, text))
            if len(pages) == limit:
                break
    return pages


def _candidates(roots: Sequence[Path]) -> Iterator[Page]:
    modules: list[Path] = []
    for root in roots:
        paths = sorted(Path(place, name) for place, _, names in os.walk(root) for name in names)
        modules += [path for path in paths if path.suffix == ".py"]
        for path in paths:
            if path.suffix.lower() in _FILES or path.name.split(".")[0] in _NAMES:
                yield path.as_posix(), _read(path)
    order = generator(SEED, "modules").permutation(len(modules))
    for path in (modules[index] for index in order):
        source = _read(path)
        if '"""' in source:
            yield path.as_posix(), _docstrings(source)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _docstrings(source: str) -> str:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    parts = [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, documented)]
    return "\n\n".join(part for part in parts if len(part) >= _DOCSTRING)


def prose() -> list[Page]:
    """Return English prose that a package brings: the World Factbook's texts, one page a place.

    Raises:
        MissingDependencyError: The package is not installed.
    """
    from hinterland.demo.factbook import load_entries, plain_text

    pages = []
    for entry in load_entries():
        texts = (plain_text(value) for value in _strings(entry.data))
        pages.append((entry.code, "\n".join(text for text in texts if len(text.split()) >= 30)))
    return [page for page in pages if len(page[1]) >= _LEAST]


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def folder_texts(folder: Path) -> list[Page]:
    """Return the texts in a folder, as `hinterland curate` reads them: of any kind, broken ones left out.

    A text of more than 20,000 characters is cut at line ends.

    Raises:
        CorpusError: There is no text in it.
    """
    with TemporaryDirectory() as work:
        read = read_corpus([folder], Path(work) / "read", engine=LocalEngine(), work=Path(work) / "work")
        table = Corpus.open(read.corpus).read(columns=["id", "text"])
    pages = [
        (f"{name}#{at}", piece)
        for name, text in zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True)
        for at, piece in enumerate(_pieces(text))
        if piece.strip()
    ]
    if not pages:
        raise CorpusError("no text in here", where=str(folder), cure="give a folder with text")
    return pages


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > _PIECE:
        stop = text.rfind("\n", start, start + _PIECE) + 1
        stop = stop if stop > start else start + _PIECE
        yield text[start:stop]
        start = stop
    yield text[start:]


def megabytes(pages: Iterable[Page]) -> float:
    """Return the size of the texts as UTF-8, in MB (10^6 bytes)."""
    return sum(len(text.encode("utf-8", "replace")) for _, text in pages) / 1e6


def sample(pages: Sequence[Page], size: float) -> list[Page]:
    """Return pages in a seeded order until they have ``size`` MB, or all of them."""
    chosen: list[Page] = []
    have = 0.0
    for index in generator(SEED, "sample").permutation(len(pages)):
        if have >= size:
            break
        chosen.append(pages[index])
        have += megabytes([pages[index]])
    return chosen


def write_pages(path: Path, pages: Iterable[Page]) -> Path:
    """Write pages as JSONL with ``id`` and ``text``; return the path."""
    rows = (json.dumps({"id": key, "text": text}, ensure_ascii=True) for key, text in pages)
    write_text(path, "".join(f"{row}\n" for row in rows))
    return path


def own_root() -> Path:
    """Return where this interpreter's packages are."""
    return site_packages(Path(sys.executable))

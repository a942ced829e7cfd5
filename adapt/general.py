"""Plain English outside the domain, to see what adapting makes a model forget.

Without a file of the user's, the text is Python's own language reference, which every Python
has with it (``pydoc_data.topics``): technical prose with no geography in it. It differs a
little between Python versions, so its hash is part of the result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from hinterland.adapt.documents import Document, read_documents
from hinterland.core.corpus import MANIFEST, Corpus
from hinterland.core.errors import CorpusError
from hinterland.core.seeds import generator

__all__ = ["documents_of_file", "general_documents", "prose_paragraphs", "reference_documents"]

_PARAGRAPH = re.compile(r"\n\s*\n")
#: Signs that a block is not a paragraph of prose: lists, grammars, versions, headings, code.
_NOT_PROSE = re.compile(
    r"^(?:\s|[*\-+•]\s|\d+\.\s|\||>>>|\.\.|\[|Note:|(?:Changed|Added|New|Deprecated) )|::=|^[*=~-]{4,}$", re.M
)
_MARKUP = re.compile(r"\*\*?(?=\S)([^*\n]+?)(?<=\S)\*\*?|``?([^`\n]+?)``?")
_MINIMUM = 160  # characters; shorter blocks are captions and fragments
_LETTERS = 0.72  # the least share of letters; code and tables have fewer


def prose_paragraphs(text: str) -> list[str]:
    """Return the paragraphs of prose in a marked-up text, unwrapped, in order.

    A paragraph starts at the left margin, has at least 160 characters, mostly letters, and
    ends as a sentence does. Emphasis and code marks are taken off.
    """
    found = []
    for block in _PARAGRAPH.split(text):
        if _NOT_PROSE.search(block.strip("\n")):
            continue
        plain = " ".join(_MARKUP.sub(lambda match: match[1] or match[2], block).split())
        letters = sum(character.isalpha() for character in plain)
        if len(plain) >= _MINIMUM and plain[-1] in ".!?" and letters >= _LETTERS * len(plain):
            found.append(plain)
    return found


def _grouped(name: str, paragraphs: Iterable[str], size: int) -> list[Document]:
    """Join paragraphs into documents of at least ``size`` characters; a shorter rest stands alone."""
    documents: list[Document] = []
    held: list[str] = []

    def close() -> None:
        if held:
            documents.append(Document(f"{name}-{len(documents)}", "\n\n".join(held)))
            held.clear()

    for paragraph in paragraphs:
        held.append(paragraph)
        if sum(map(len, held)) >= size:
            close()
    close()
    return documents


def reference_documents(topics: Mapping[str, str] | None = None, *, size: int = 800) -> list[Document]:
    """Return Python's language reference as documents of about ``size`` characters.

    Args:
        topics: Texts by name; Python's own when ``None``.
        size: Characters to fill a document with, at paragraph boundaries.
    """
    if topics is None:
        from pydoc_data.topics import topics as own

        topics = own
    seen: set[str] = set()
    documents: list[Document] = []
    for name in sorted(topics):
        fresh = [item for item in prose_paragraphs(topics[name]) if item not in seen]  # topics overlap
        seen.update(fresh)
        documents += _grouped(f"python-{name}", fresh, size)
    return documents


def documents_of_file(path: Path, *, size: int = 800) -> list[Document]:
    """Return a text file cut at blank lines into documents of about ``size`` characters.

    Raises:
        CorpusError: The file is missing, not UTF-8, or holds no text.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CorpusError(
            f"cannot read the general text: {reason}",
            where=str(path),
            cure="give a UTF-8 text file or a corpus",
        ) from error
    blocks = [block.strip() for block in _PARAGRAPH.split(text)]
    documents = _grouped(path.stem, [block for block in blocks if block], size)
    if not documents:
        raise CorpusError("the general text is empty", where=str(path), cure="give a file with text")
    return documents


def general_documents(path: Path | None, *, count: int, seed: int) -> list[Document]:
    """Return ``count`` documents of general text, chosen under ``seed``, in their order.

    Args:
        path: A UTF-8 text file or a corpus folder; ``None`` is Python's language reference.
        count: How many; all if there are fewer.
        seed: The run's seed.

    Raises:
        CorpusError: The file or corpus cannot be read, or holds no text.
    """
    if path is None:
        documents = reference_documents()
    elif (path / MANIFEST).is_file():
        documents = [item for item in read_documents(Corpus.open(path)) if item.text.strip()]
    else:
        documents = documents_of_file(path)
    chosen = generator(seed, "general").permutation(len(documents))[:count]
    return [documents[index] for index in sorted(chosen.tolist())]

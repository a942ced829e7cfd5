"""The documents that a model is adapted on, and those that are held out to measure it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hinterland.core.corpus import Corpus
from hinterland.core.errors import ConfigError, CorpusError, nearest
from hinterland.core.places import check_country, subregion_of
from hinterland.core.record import content_id
from hinterland.core.run import fingerprint
from hinterland.core.seeds import generator

__all__ = [
    "Document",
    "Split",
    "choose_countries",
    "hash_documents",
    "read_documents",
    "sample_documents",
    "split_documents",
]


@dataclass(frozen=True, slots=True)
class Document:
    """One text.

    Attributes:
        id: Its record's id.
        text: The text itself.
        weight: By how much its share of the training tokens is multiplied; 0 leaves it out.
        country: ISO 3166-1 alpha-3, or ``None`` where it is unknown.
    """

    id: str
    text: str
    weight: float = 1.0
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """Documents to train on, documents to measure on, and what was left out of training.

    Attributes:
        train: Documents with a positive weight that are not held out.
        held_out: Documents that the model never sees in training.
        duplicates: Training documents left out because a held-out one has the same text.
        unweighted: Documents left out because their weight is 0 (a filter did not keep them).
        empty: Documents left out because they hold only white space.
    """

    train: tuple[Document, ...]
    held_out: tuple[Document, ...]
    duplicates: int = 0
    unweighted: int = 0
    empty: int = 0


def read_documents(corpus: Corpus) -> list[Document]:
    """Return a corpus's documents; ``weight`` and ``keep`` columns are honoured if there.

    Raises:
        CorpusError: A shard is damaged, or a weight is negative, null or not finite.
    """
    names = set(corpus.manifest.get("columns", {}))
    extra = [name for name in ("weight", "keep") if name in names]
    table = corpus.read(["id", "text", "country", *extra])
    rows = table.num_rows
    weights = table["weight"].to_pylist() if "weight" in extra else [1.0] * rows
    keeps = table["keep"].to_pylist() if "keep" in extra else [True] * rows
    documents = []
    for name, text, country, weight, keep in zip(
        table["id"].to_pylist(), table["text"].to_pylist(), table["country"].to_pylist(), weights, keeps,
        strict=True,
    ):  # fmt: skip
        if weight is None or not math.isfinite(weight) or weight < 0:
            raise CorpusError(
                f"document {name} has weight {weight}",
                where=str(corpus.path),
                cure="a weight is a number of 0 or more: run debias again",
            )
        documents.append(Document(name, text, float(weight) if keep else 0.0, country))
    return documents


def hash_documents(documents: Iterable[Document]) -> str:
    """Return a hash of all that training depends on: ids, texts, weights, in order."""
    return fingerprint([(item.id, content_id(item.text), item.weight) for item in documents])


def choose_countries(documents: Sequence[Document], count: int, *, seed: int) -> frozenset[str]:
    """Choose ``count`` countries to hold out, spread evenly over the UN subregions.

    Subregions take turns, so that each is measured before any is measured twice.
    """
    groups: dict[str, list[str]] = {}
    for country in sorted({item.country for item in documents if item.country}):
        groups.setdefault(subregion_of(country), []).append(country)
    random = generator(seed, "hold-out")
    queues = [list(random.permutation(groups[name])) for name in sorted(groups)]
    queues = [queues[index] for index in random.permutation(len(queues))]
    chosen: list[str] = []
    while len(chosen) < count and any(queues):
        chosen += [str(queue.pop()) for queue in queues if queue]
    return frozenset(chosen[:count])


def split_documents(
    documents: Sequence[Document], *, ids: Iterable[str] = (), countries: Iterable[str] = ()
) -> Split:
    """Hold out the documents named by id or country; whole countries, so that nothing leaks.

    Args:
        documents: All documents.
        ids: Document ids to hold out.
        countries: ISO 3166-1 alpha-3 codes to hold out.

    Raises:
        CorpusError: A country code is unknown to ISO 3166-1.
        ConfigError: An id or country names no document, or nothing is left to train on.
    """
    wanted_ids, wanted_countries = frozenset(ids), frozenset(countries)
    _check(wanted_ids, {item.id for item in documents}, "document id")
    for code in sorted(wanted_countries):
        check_country(code, where="hold-out")
    _check(wanted_countries, {item.country for item in documents if item.country}, "country")
    left_out: Counter[str] = Counter()
    held_out = []
    rest = []
    for item in documents:
        if not item.text.strip():
            left_out["empty"] += 1
        elif item.id in wanted_ids or item.country in wanted_countries:
            held_out.append(item)
        else:
            rest.append(item)
    held_texts = {item.text for item in held_out}
    train = []
    for item in rest:
        if item.text in held_texts:
            left_out["duplicates"] += 1
        elif item.weight == 0:
            left_out["unweighted"] += 1
        else:
            train.append(item)
    if not train:
        raise ConfigError(
            f"no document is left to train on: {len(documents)} found, {len(held_out)} held out, "
            f"{left_out['unweighted']} with weight 0",
            cure="hold out fewer, or keep more",
        )
    return Split(tuple(train), tuple(held_out), **left_out)


def _check(wanted: frozenset[str], known: set[str], what: str) -> None:
    missing = sorted(wanted - known)
    if missing:
        raise ConfigError(
            f"hold-out: no document has {what} {missing[0]!r}", cure=nearest(missing[0], sorted(known)[:50])
        )


def sample_documents(documents: Sequence[Document], count: int, *, seed: int) -> list[Document]:
    """Choose ``count`` documents, spread evenly over countries, in their order.

    Countries take turns, each giving its documents in an order drawn under ``seed``, so that
    a country with much text does not outweigh the others in what is measured.
    """
    random = generator(seed, "sample")
    groups: dict[str, list[int]] = {}
    for index in random.permutation(len(documents)).tolist():
        groups.setdefault(documents[index].country or "", []).append(index)
    chosen: list[int] = []
    while len(chosen) < count and any(groups.values()):
        chosen += [queue.pop() for queue in groups.values() if queue]
    return [documents[index] for index in sorted(chosen[:count])]

"""The gate's questions: the user's own, else sentences and titles of held-out documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hinterland.core.errors import ConfigError
from hinterland.core.seeds import generator
from hinterland.indexes.adapt_retriever.documents import Passage
from hinterland.indexes.adapt_retriever.gate import Exam
from hinterland.indexes.adapt_retriever.pairs import Pair, body_without_title, cloze_pairs
from hinterland.indexes.adapt_retriever.settings import GateSettings

__all__ = ["PSEUDO", "USERS", "given_exam", "pseudo_exam"]

PSEUDO = "pseudo-queries from held-out documents"
USERS = "the user's queries and judgements"


def pseudo_exam(
    held_out: Sequence[Passage], train: Sequence[Passage], settings: GateSettings, *, seed: int
) -> Exam:
    """Ask one question to each held-out document, and take it out of the document.

    Titles and drawn sentences take turns where there are titles. A title is not shown in its
    document's passages, a sentence is cut out of its passage: neither is found by being there.

    Args:
        held_out: Passages of held-out documents.
        train: Further passages that are searched.
        settings: How many queries and passages.
        seed: Draws sentences and passages.

    Raises:
        ConfigError: Fewer than six documents have a question: no difference could be told from chance.
    """
    sentences = cloze_pairs(held_out, keep=0, seed=seed, name="exam")
    draw = generator(seed, "retriever", "exam", "sentence")
    by_document: dict[str, list[Pair]] = {}
    for pair in sentences:
        by_document.setdefault(held_out[pair.passage].document, []).append(pair)
    documents = sorted({passage.document for passage in held_out})
    titles = {passage.document: passage.title for passage in held_out if passage.title}
    queries: dict[str, str] = {}
    cut: dict[int, str] = {}
    for number, document in enumerate(documents[: settings.queries]):
        choices = by_document.get(document, [])
        if document in titles and (number % 2 == 0 or not choices):
            queries[document] = titles[document]
        elif choices:
            pair = choices[int(draw.integers(len(choices)))]
            queries[document] = pair.query
            cut[pair.passage] = pair.positive
    if len(queries) < 6:
        raise ConfigError(
            f"{len(queries)} held-out documents can be asked about; with fewer than six no difference can be"
            " told from chance",
            where="gate.hold_out",
            cure="give a larger corpus, raise gate.hold_out, or give queries of your own",
        )
    shown = []
    for row, passage in enumerate(held_out):
        by_title = queries.get(passage.document) == passage.title
        shown.append(cut.get(row) or (body_without_title(passage) if by_title else passage.shown))
    owners = [passage.document for passage in held_out]
    room = len(train) if settings.passages is None else max(settings.passages - len(shown), 0)
    order = generator(seed, "retriever", "exam", "passages").permutation(len(train))[:room]
    for row in sorted(order.tolist()):
        shown.append(train[row].shown)
        owners.append(train[row].document)
    asked = sorted(queries)
    return Exam(
        tuple(shown),
        tuple(owners),
        tuple(queries[document] for document in asked),
        tuple({document: 1.0} for document in asked),
        PSEUDO,
        tuple("title" if queries[document] == titles.get(document) else "cloze" for document in asked),
    )


def given_exam(
    passages: Sequence[Passage], queries: Mapping[str, str], qrels: Mapping[str, Mapping[str, float]]
) -> Exam:
    """Return an exam of judged queries over all passages.

    Queries without a relevant document among the passages are left out.

    Raises:
        ConfigError: Fewer than six queries are left.
    """
    there = {passage.document for passage in passages}
    relevant = {
        name: {
            document: float(grade) for document, grade in judged.items() if grade > 0 and document in there
        }
        for name, judged in qrels.items()
        if name in queries
    }
    asked = sorted(name for name, judged in relevant.items() if judged)
    if len(asked) < 6:
        raise ConfigError(
            f"{len(asked)} queries have a relevant document in the corpus; at least six are needed",
            where="queries",
            cure="check that the judgements name the corpus's document ids",
        )
    return Exam(
        tuple(passage.shown for passage in passages),
        tuple(passage.document for passage in passages),
        tuple(queries[name] for name in asked),
        tuple(relevant[name] for name in asked),
        USERS,
    )

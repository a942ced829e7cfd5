"""Test collections in BEIR's layout: corpus.jsonl.gz, queries.jsonl, qrels/test.tsv."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

__all__ = ["REFERENCES", "Collection", "collections_in", "read_collection"]

#: nDCG@10 to be reproduced within .005: BM25 (k1 .9, b .4, English stems), MiniLM by exact search.
REFERENCES = {
    "scifact": {"bm25": 0.676, "dense": 0.646},
    "cranfield": {"bm25": 0.358, "dense": 0.395},
    "medline": {"bm25": 0.671, "dense": 0.788},
}


@dataclass(frozen=True)
class Collection:
    """Documents, and the test queries with their relevant documents."""

    name: str
    ids: list[str]
    titles: list[str]
    texts: list[str]
    queries: dict[str, str]
    qrels: dict[str, dict[str, float]]

    def chunks(self) -> pa.Table:
        """Return each document, whole, as one chunk."""
        size = len(self.ids)
        nothing = pa.nulls(size, pa.string())
        return pa.table(
            {
                "id": [f"{identity}:whole" for identity in self.ids],
                "document_id": self.ids,
                "start": [0] * size,
                "end": [len(text) for text in self.texts],
                "text": self.texts,
                "title": self.titles,
                "source": [self.name] * size,
                **dict.fromkeys(("license", "url", "date", "country", "lang"), nothing),
            }
        )

    def records(self) -> pa.Table:
        """Return the documents as a corpus's records, titles in ``meta``."""
        meta = [json.dumps({"title": title}) if title else None for title in self.titles]
        return pa.table(
            {"id": self.ids, "text": self.texts, "source": [self.name] * len(self.ids), "meta": meta}
        )


def collections_in(folder: Path) -> list[str]:
    """Return the names of the collections in a folder; those with references first."""
    there = {path.parent.parent.name for path in folder.glob("*/qrels/test.tsv")}
    return [*(name for name in REFERENCES if name in there), *sorted(there - REFERENCES.keys())]


def read_collection(folder: Path) -> Collection:
    """Read a collection; queries without a relevant document are left out."""
    with gzip.open(folder / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        documents = [json.loads(line) for line in lines]
    qrels: dict[str, dict[str, float]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, relevance = line.split("\t")
        if float(relevance) > 0:
            qrels.setdefault(query, {})[document] = float(relevance)
    with (folder / "queries.jsonl").open(encoding="utf-8") as lines:
        texts = {query["_id"]: query["text"] for query in map(json.loads, lines)}
    return Collection(
        folder.name,
        [document["_id"] for document in documents],
        [document.get("title", "") for document in documents],
        [document["text"] for document in documents],
        {name: texts[name] for name in qrels},
        qrels,
    )

"""Near-duplicates found among pages with planted copies, by the kit and by datatrove."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from gpu_parts.common import Row, Table

from curation_parts.data import Page, write_pages
from curation_parts.planting import Planted, jaccard
from curation_parts.worker import Worker
from hinterland.core.engine import LocalEngine
from hinterland.curate.dedup import NearDuplicates, find_duplicates
from hinterland.curate.scoring import score_shard

__all__ = ["Found", "found_by_datatrove", "found_by_us", "table_of"]

_ROWS = 1000


@dataclass(frozen=True)
class Found:
    """What a tool found.

    Attributes:
        tool: Its name.
        cluster: Each document's cluster, for those that have a duplicate.
        kept: The documents that stay.
    """

    tool: str
    cluster: Mapping[str, Any]
    kept: frozenset[str]

    def together(self, pair: tuple[str, str]) -> bool:
        """Whether both documents are in one cluster."""
        return pair[0] in self.cluster and self.cluster[pair[0]] == self.cluster.get(pair[1])

    def members(self) -> list[list[str]]:
        """Return the documents of each cluster of two or more."""
        found: dict[Any, list[str]] = defaultdict(list)
        for key, cluster in self.cluster.items():
            found[cluster].append(key)
        return [keys for keys in found.values() if len(keys) > 1]


def found_by_us(pages: Sequence[Page], settings: NearDuplicates, folder: Path) -> Found:
    """Search with the kit's own stages: score the shards, then find duplicates across them."""
    texts, scored = folder / "texts", folder / "scored"
    for place in (texts, scored):
        place.mkdir(parents=True)
    shards: list[Path] = []
    for number, start in enumerate(range(0, len(pages), _ROWS)):
        part = pages[start : start + _ROWS]
        table = pa.table({"id": [key for key, _ in part], "text": [text for _, text in part]})
        name = f"part-{number:05d}.parquet"
        pq.write_table(table, texts / name)
        pq.write_table(score_shard(table, filters=(), minhash=settings.minhash), scored / name)
        shards.append(texts / name)
    beside = [scored / shard.name for shard in shards]
    find_duplicates(shards, beside, folder / "out", settings, engine=LocalEngine(), work=folder / "work")
    rows = pa.concat_tables(pq.read_table(folder / "out" / shard.name) for shard in shards)
    keys = rows["id"].to_pylist()
    clusters = zip(keys, rows["near_dup.cluster"].to_pylist(), rows["near_dup.size"].to_pylist(), strict=True)
    firsts = zip(keys, rows["near_dup.first"].to_pylist(), strict=True)
    return Found(
        "hinterland",
        {key: cluster for key, cluster, size in clusters if size > 1},
        frozenset(key for key, first in firsts if first),
    )


def found_by_datatrove(worker: Worker, pages: Sequence[Page], folder: Path) -> Found:
    """Search with datatrove's four MinHash stages."""
    found = worker.call("near_duplicates", path=str(write_pages(folder / "planted.jsonl", pages)))
    return Found("datatrove", found["clusters"], frozenset(found["kept"]))


def table_of(planted: Planted, found: Sequence[Found], threshold: float) -> tuple[Table, list[Row]]:
    """Return the comparison, and the false ones: what is in a cluster and like nothing in it.

    Args:
        planted: The pages and the planted pairs.
        found: What each tool found.
        threshold: The least Jaccard similarity of near-duplicates.
    """
    texts = dict(planted.pages)
    alike = [value >= threshold for value in jaccard(planted.pairs, texts)]
    table = Table(
        "Near-duplicates",
        [
            f"{len(planted.pages):,} pages, of which {len(planted.pairs)} are planted copies with 5 to 20% of"
            f" the words left out, replaced or put in; {sum(alike)} of them have a true Jaccard similarity of"
            f" {threshold} or more to their original (5-word runs).",
            "Found: the original and its copy are in one cluster. False: a document of a cluster that is"
            f" below {threshold} to all others of it, whichever tool's reading of words is taken.",
        ],
    )
    false: list[Row] = []
    for each in found:
        wrong = list(_false(each, texts, threshold))
        false += wrong
        removed = set(texts) - each.kept
        table.rows.append(
            {
                "tool": each.tool,
                "planted": len(planted.pairs),
                "found": sum(map(each.together, planted.pairs)),
                f"found of {sum(alike)}": sum(
                    each.together(pair) for pair, true in zip(planted.pairs, alike, strict=True) if true
                ),
                "clusters": len(each.members()),
                "documents in them": sum(map(len, each.members())),
                "left out": len(removed),
                "false": len(wrong),
            }
        )
    return table, false


def _false(found: Found, texts: dict[str, str], threshold: float) -> Iterator[Row]:
    for members in found.members():
        best = dict.fromkeys(members, 0.0)
        # Neighbours first: in most clusters all are alike, and few pairs need a look.
        for pair in [*pairwise(members), *((a, b) for a in members for b in members if a < b)]:
            if min(best[pair[0]], best[pair[1]]) < threshold:
                value = jaccard([pair], texts)[0]
                for key in pair:
                    best[key] = max(best[key], value)
        for key, value in best.items():
            if value < threshold:
                yield {"tool": found.tool, "page": key, "cluster of": len(members), "closest": value}

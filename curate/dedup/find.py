"""The duplicate search over a scored corpus, from its shards to columns beside them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hinterland.core.engine import Engine
from hinterland.core.files import read_json, storage_errors, write_json
from hinterland.core.run import fingerprint
from hinterland.curate.dedup.bands import make_plan, share_band
from hinterland.curate.dedup.cluster import make_clusters
from hinterland.curate.dedup.columns import make_columns, write_shard
from hinterland.curate.dedup.gather import gather, make_order
from hinterland.curate.dedup.layout import Group, Place, groups_of, load
from hinterland.curate.dedup.paragraphs import PARAGRAPHS_PER_PART, copied_paragraphs
from hinterland.curate.dedup.settings import NearDuplicates
from hinterland.curate.dedup.shingles import write_shingles
from hinterland.curate.dedup.verify import SIMILAR_PER_PIECE, similar_to_kept, verify_buckets, verify_pairs

__all__ = ["find_duplicates"]

_FOOTER_BYTES = 64 * 1024


def find_duplicates(
    texts: Sequence[Path],
    scored: Sequence[Path],
    out: Path,
    settings: NearDuplicates,
    *,
    engine: Engine,
    work: Path,
) -> dict[str, Any]:
    """Find equal documents, equal paragraphs and near-duplicates, and write them per shard.

    Each shard of ``out`` has ``id`` and, in the order of the corpus' rows:

    - ``exact_dup.cluster``, the hash that documents have in common that are equal but for
      case and white space; ``exact_dup.size``; ``exact_dup.first``, whether this copy is
      the kept one.
    - ``para_dup.share``, the share of the characters of a document's paragraphs that lie
      in copies: paragraphs that also stand in a document before it in the policy's order,
      or earlier in itself; NaN without a paragraph. ``para_dup.copies``, how many there are.
    - ``near_dup.cluster``, the id of the kept document; ``near_dup.size``;
      ``near_dup.first``, whether this is the kept one; ``near_dup.jaccard``, the true
      similarity to it (1 for itself and its exact copies; NaN where there is no duplicate).
      Exact copies are always in one cluster, also without a word.
    - ``_order``, a document's place in the policy's order over the corpus, from 0;
      ``_exact_cluster`` and ``_near_cluster``, that of the first document of its cluster.
      Deciding needs them, and they are not published.

    What is kept here is kept of all documents; a decision lets another copy take the place
    of one that other rules drop (`curate.decide.decide_columns`).

    The result depends neither on the order of documents and shards nor on the engine and
    its workers. Finished pieces stay in ``work``, so that a killed run goes on from them;
    what is there is tied to the shards and the settings.

    Args:
        texts: The corpus' shards: ``id``, ``text``, and ``date`` or ``source`` if the
            policy asks for it.
        scored: The score shards of the same names and rows, with ``_exact``, ``_bands``,
            ``_paragraphs`` and ``_paragraph_characters``.
        out: A folder for the columns. Shards that are there are taken as finished, so it
            must not be that of other shards or settings.
        settings: The policy, the threshold and the MinHash settings of ``_bands``.
        engine: Runs the pieces.
        work: A folder for unfinished work.

    Returns:
        A card: ``documents``, ``policy``, ``repeated_ids`` (told apart by their row), and
        for ``exact`` and ``near`` the ``clusters`` of two or more, the ``documents`` in
        them, the ``copies`` not kept and the ``largest`` cluster. For ``near`` also
        ``candidate_pairs`` (each once; those of large buckets once a band), which are
        ``verified``, ``refused``, or, in large buckets, not compared: ``implied`` where
        both are like the same leader, else ``skipped``; and ``below_threshold``, members
        that are in by way of others and less like the kept document than the threshold. For
        ``paragraphs`` the counts.

    Raises:
        ConfigError: The policy is unknown.
        CorpusError: A shard is damaged, lacks a column, or the shards do not belong together.
        EngineError: A worker died.
        StorageError: The disk is full, or a folder cannot be written.
    """
    groups = groups_of(texts, scored)
    root = work / f"duplicates-{_fingerprint(texts, scored, settings)}"
    place = Place(root, len(groups))
    card, targets = root / "card.json", [out / path.name for path in texts]
    with storage_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        out.mkdir(parents=True, exist_ok=True)
    if not card.exists() or not all(target.exists() for target in targets):
        with engine.started():
            _search(place, groups, settings, engine)
            engine.produce(
                partial(write_shard, place=place),
                list(enumerate(scored)),
                targets,
                label="duplicates: columns",
            )
        write_json(card, read_json(place.columns / "card.json"))
        for folder in root.iterdir():
            if folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)
    found: dict[str, Any] = read_json(card)
    return found


def _search(place: Place, groups: tuple[Group, ...], settings: NearDuplicates, engine: Engine) -> None:
    """Make all pieces up to the columns."""
    bands, threshold = settings.bands, settings.threshold

    def stage(name: str, make: Callable[[Any, Path], None], items: Sequence[Any]) -> list[Path]:
        targets = place.pieces(name, len(items))
        engine.produce(make, items, targets, label=f"duplicates: {name}")
        return targets

    def single(target: Path, make: Callable[[Any, Path], None], item: Any) -> None:
        engine.produce(make, [item], [target], label=f"duplicates: {target.name}")

    parts = max(1, -(-sum(group.paragraphs for group in groups) // PARAGRAPHS_PER_PART))
    stage("gathered", partial(gather, policy=settings.policy, bands=bands, parts=parts), groups)
    single(place.order, partial(make_order, policy=settings.policy), place)
    stage("paragraphs", partial(copied_paragraphs, place=place), range(parts))
    stage("bands", partial(share_band, place=place, bucket=settings.bucket), range(bands))
    single(place.plan, partial(make_plan, bands=bands), place)
    plan = json.loads((place.plan / "plan.json").read_text(encoding="utf-8"))
    stage("shingles", partial(write_shingles, place=place, minhash=settings.minhash), groups)
    pairs = stage(
        "pairs", partial(verify_pairs, place=place, bands=bands, threshold=threshold), plan["pairs"]
    )
    buckets = stage(
        "buckets",
        partial(verify_buckets, place=place, threshold=threshold, leaders=settings.leaders),
        plan["buckets"],
    )
    single(place.clusters, partial(make_clusters, place=place, chains=settings.chains), [*pairs, *buckets])
    number = len(load(place.clusters, "pairs"))
    bounds = [(at, min(at + SIMILAR_PER_PIECE, number)) for at in range(0, number, SIMILAR_PER_PIECE)]
    stage("similar", partial(similar_to_kept, place=place), bounds)
    pieces = {"pairs": len(pairs), "buckets": len(buckets), "similar": len(bounds), "paragraphs": parts}
    single(place.columns, partial(make_columns, place=place, settings=settings, pieces=pieces), groups)


def _fingerprint(texts: Sequence[Path], scored: Sequence[Path], settings: NearDuplicates) -> str:
    """Return a hash of the settings and of every shard's size and Parquet footer."""
    total = hashlib.sha256()
    for path in [*texts, *scored]:
        size = path.stat().st_size
        with path.open("rb") as handle:
            handle.seek(max(0, size - _FOOTER_BYTES))
            total.update(f"{path.name}\0{size}\0".encode() + handle.read())
    return fingerprint(settings.model_dump(mode="json"), total.hexdigest())

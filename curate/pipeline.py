"""Curation as a library: score every document, find duplicates, decide, write. Nothing is dropped."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hinterland.core.corpus import Corpus
from hinterland.core.engine import Engine, LocalEngine
from hinterland.core.errors import CorpusError
from hinterland.core.files import read_json, write_json
from hinterland.core.models import find_model
from hinterland.core.run import fingerprint
from hinterland.curate.config import CurateConfig
from hinterland.curate.deciding import check_thresholds, decide_shards, write_curated
from hinterland.curate.dedup import find_duplicates
from hinterland.curate.filter import content_of, make_filters
from hinterland.curate.lm_quality import score_quality
from hinterland.curate.scoring import score_shards

__all__ = ["Scored", "check_thresholds", "decide_corpus", "score_corpus", "score_documents"]

#: Where the scores lie, in the order their columns stand in the curated corpus.
FOLDERS = ("filters", "duplicates", "quality")
CARDS = "cards.json"


@dataclass(frozen=True)
class Scored:
    """A corpus' scores, apart from its text.

    Attributes:
        folder: Holds a folder of Parquet files for each kind of score, named and ordered
            as the corpus' shards are.
        cards: What there is to say about scores: the duplicates, the quality model's fit.
    """

    folder: Path
    cards: dict[str, Any]

    @classmethod
    def open(cls, folder: Path) -> Scored:
        """Open scores that are there.

        Raises:
            StorageError: They are not.
        """
        return cls(folder, read_json(folder / CARDS))

    def lists(self, names: list[str]) -> list[list[Path]]:
        """Return the score files of shards called ``names``, a list for each kind of score."""
        return [[self.folder / kind / name for name in names] for kind in FOLDERS if self._has(kind)]

    def _has(self, kind: str) -> bool:
        return (self.folder / kind).is_dir()


def score_documents(corpus: Corpus, config: CurateConfig, *, out: Path, work: Path, engine: Engine) -> Scored:
    """Run all filters, the duplicate search and the quality score over a corpus.

    Args:
        corpus: The documents.
        config: What to run.
        out: A folder for the scores; finished shards in it are taken as they are, so it
            must not be that of another corpus or other filters.
        work: A folder for unfinished work; a killed run goes on from it. Its contents are
            tied to the corpus and the config by fingerprint.
        engine: Runs stages over shards.

    Raises:
        ConfigError: A filter's option is wrong.
        CorpusError: A shard of the corpus is missing or corrupt.
        ModelSourceError: The quality model cannot be had.
        RegistryError: A filter is unknown.
    """
    texts = [path for path, _ in corpus.shards()]
    minhash = config.duplicates.minhash if config.duplicates is not None else None
    cards: dict[str, Any] = {"lm_quality": {"model": None}, "duplicates": None}
    with engine.started():
        scored = score_shards(
            texts,
            out / "filters",
            filters=config.filters,
            options=config.options,
            minhash=minhash,
            engine=engine,
        )
        if config.duplicates is not None:
            cards["duplicates"] = find_duplicates(
                texts, scored, out / "duplicates", config.duplicates, engine=engine, work=work
            )
        if config.quality.model is not None:
            cards["lm_quality"] = score_quality(
                texts, scored, out / "quality", config.quality, seed=config.seed, engine=engine, work=work
            )
    for each in make_filters(config.filters, config.options):
        info = getattr(each, "info", None)
        if callable(info):
            cards[each.name] = info()
    write_json(out / CARDS, cards)
    return Scored(out, cards)


def decide_corpus(
    corpus: Corpus,
    scored: Scored,
    config: CurateConfig,
    out: Path,
    *,
    rejected: int = 0,
    engine: Engine | None = None,
    work: Path | None = None,
) -> Corpus:
    """Decide, join the scores to their documents, and write the result as a corpus.

    The manifest holds the counts, the rules as applied, what each filter keeps on its own,
    the reasons, how many documents each rule could not measure, and the cards.

    Args:
        corpus: The documents that were scored; columns of these names are replaced.
        scored: Their scores.
        config: The thresholds, and what decides beside them.
        out: Where to write; an existing corpus is replaced.
        rejected: Documents that could not be read, for the count.
        engine: Joins shards side by side; this process if not given.
        work: A folder for unfinished shards; one beside ``out`` if not given. Removed at the end.

    Raises:
        ConfigError: A threshold names no rule, an expression no column.
        CorpusError: The scores are not those of this corpus, or documents went missing.
    """
    texts = [path for path, _ in corpus.shards()]
    lists = scored.lists([path.name for path in texts])
    decisions, rules = decide_shards(texts, lists, config)
    kept = int(decisions.keep.sum())
    counts = {
        "in": len(corpus) + rejected,
        "kept": kept,
        "decided_out": len(decisions) - kept,
        "rejected": rejected,
    }
    if counts["in"] != counts["kept"] + counts["decided_out"] + counts["rejected"]:
        raise CorpusError(f"documents went missing: {counts}", where=str(out), cure="report this as a bug")
    filters = make_filters(config.filters, config.options)
    manifest = {
        "counts": counts,
        "expected_documents": round(float(decisions.weight.sum()), 2),
        "reasons": decisions.counts(),
        "kept_by_filter": decisions.kept_by_filter,
        "unmeasured": {name: number for name, number in decisions.unmeasured.items() if number},
        "decisions": decisions.reports,
        "rules": [rule.to_dict() for rule in rules],
        "filters": {each.name: each.variant for each in filters},
        "masked": list(config.mask),
        "cards": scored.cards,
        "config": config.model_dump(mode="json"),
        "parents": {"corpus": fingerprint(corpus.manifest["shards"])},
    }
    work = work or out.with_name(f".{out.name}.work")
    decided = hashlib.sha256(decisions.keep.tobytes() + decisions.weight.tobytes()).hexdigest()
    work /= fingerprint(manifest, content_of(filters), decided)
    curated = write_curated(
        texts,
        lists,
        decisions,
        out,
        mask=config.mask,
        engine=engine or LocalEngine(),
        work=work,
        manifest=manifest,
    )
    shutil.rmtree(work, ignore_errors=True)
    return curated


def score_corpus(
    corpus: Corpus,
    out: Path,
    config: CurateConfig | None = None,
    *,
    engine: Engine | None = None,
    rejected: int = 0,
    work: Path | None = None,
) -> Corpus:
    """Score a corpus and decide: `score_documents`, then `decide_corpus`.

    The bytes written are the same for any engine and number of workers, and after a kill.

    Args:
        corpus: The documents.
        out: Where the curated corpus goes; an existing one is replaced.
        config: Filters, thresholds, duplicates, quality; the defaults if not given.
        engine: Runs stages over shards; this process if not given.
        rejected: Documents that could not be read, for the count.
        work: Where unfinished work is kept for a later run, in a folder of its own that is
            removed on success.

    Raises:
        ConfigError: A threshold names no rule, or a filter's option is wrong.
        CorpusError: The corpus is damaged.
        ModelSourceError: The quality model cannot be had.
        RegistryError: A filter is unknown.
    """
    config, engine = config or CurateConfig(), engine or LocalEngine()
    check_thresholds(config)
    work = work or out.with_name(f".{out.name}.work")
    known = {"decide", "thresholds", "mask"}
    filters = content_of(make_filters(config.filters, config.options))
    model = find_model(config.quality.model).fingerprint() if config.quality.model else ""
    settings = config.model_dump(mode="json", exclude=known)
    place = work / fingerprint(corpus.fingerprint, settings, filters, model)
    scored = score_documents(corpus, config, out=place / "scores", work=place, engine=engine)
    curated = decide_corpus(
        corpus, scored, config, out, rejected=rejected, engine=engine, work=place / "write"
    )
    shutil.rmtree(place, ignore_errors=True)
    with suppress(OSError):  # something else is in there
        work.rmdir()
    return curated

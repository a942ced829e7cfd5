"""Curation as a library: score every document, find duplicates, decide, write. Nothing is dropped."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hinterland.core.corpus import Corpus
from hinterland.core.engine import Engine, LocalEngine
from hinterland.core.errors import CorpusError
from hinterland.core.models import find_model
from hinterland.core.run import fingerprint
from hinterland.curate.config import CurateConfig
from hinterland.curate.deciding import check_thresholds, decide_shards, write_curated
from hinterland.curate.dedup import NearDuplicates, find_duplicates
from hinterland.curate.filter import content_of, make_filters
from hinterland.curate.lm_quality import score_quality
from hinterland.curate.scoring import score_shards

__all__ = [
    "DUPLICATES",
    "FILTERS",
    "PLACES",
    "QUALITY",
    "Scored",
    "check_thresholds",
    "decide_corpus",
    "kinds_of",
    "score_corpus",
    "score_documents",
    "score_filters",
    "score_kind",
]

#: Kinds of scores, each in a folder of its own, in the order their columns stand in the curated corpus.
FILTERS, DUPLICATES, QUALITY, PLACES = "filters", "duplicates", "quality", "places"
#: Under which name what there is to say about a kind stands in the manifest.
CARDS = {DUPLICATES: "duplicates", QUALITY: "lm_quality", PLACES: "places"}


@dataclass(frozen=True)
class Scored:
    """A corpus' scores, apart from its text.

    Attributes:
        folder: Holds a folder of Parquet files for each kind of score, named and ordered
            as the corpus' shards are.
        kinds: The kinds that belong to this curation; others may lie there from before.
        cards: What there is to say about scores: the duplicates, the quality model's fit.
    """

    folder: Path
    kinds: tuple[str, ...]
    cards: dict[str, Any]

    def lists(self, names: Sequence[str]) -> list[list[Path]]:
        """Return the score files of shards called ``names``, a list for each kind of score."""
        return [[self.folder / kind / name for name in names] for kind in self.kinds]

    @classmethod
    def of(
        cls, folder: Path, config: CurateConfig, infos: Mapping[str, Any], found: Mapping[str, Any]
    ) -> Scored:
        """Return the scores in ``folder``.

        Args:
            folder: Where they lie.
            config: What was run.
            infos: What filters say of the files they read, by filter.
            found: The cards of the other kinds, by kind.
        """
        cards = {"lm_quality": {"model": None}, "duplicates": None, "places": None, **infos}
        return cls(folder, kinds_of(config), cards | {CARDS[kind]: card for kind, card in found.items()})


def kinds_of(config: CurateConfig) -> tuple[str, ...]:
    """Return the kinds of scores that a config asks for."""
    duplicates = (DUPLICATES,) if config.duplicates is not None else ()
    quality = (QUALITY,) if config.quality.model is not None else ()
    return (FILTERS, *duplicates, *quality, *((PLACES,) if config.locate is not None else ()))


def score_filters(corpus: Corpus, config: CurateConfig, out: Path, *, engine: Engine) -> dict[str, Any]:
    """Run all filters over a corpus; return what they say of the files they read.

    Args:
        corpus: The documents.
        config: Names and options of filters, and how to sign for near-duplicates.
        out: A folder for the scores; finished shards in it are taken as they are, so it
            must not be that of another corpus or other filters.
        engine: Runs the filters over shards.

    Raises:
        ConfigError: A filter's option is wrong.
        CorpusError: A shard of the corpus is missing or corrupt.
        RegistryError: A filter is unknown.
    """
    minhash = config.duplicates.minhash if config.duplicates is not None else None
    score_shards(
        [path for path, _ in corpus.shards()],
        out,
        filters=config.filters,
        options=config.options,
        minhash=minhash,
        engine=engine,
    )
    infos = {each.name: getattr(each, "info", None) for each in make_filters(config.filters, config.options)}
    return {name: info() for name, info in infos.items() if callable(info)}


def score_kind(
    kind: str, corpus: Corpus, config: CurateConfig, out: Path, *, filters: Path, engine: Engine, work: Path
) -> dict[str, Any]:
    """Make a kind of scores beside the filters', and return their card.

    Args:
        kind: ``duplicates`` or ``quality``, which look at the whole corpus, or ``places``.
        corpus: The documents.
        config: What to run.
        out: A folder for the columns, as for `score_filters`.
        filters: The folder that `score_filters` wrote.
        engine: Runs the pieces.
        work: A folder for unfinished work; a killed run goes on from it. Its contents are
            tied to the corpus and the config by fingerprint.

    Raises:
        CorpusError: A shard of the corpus is missing or corrupt.
        ModelSourceError: The quality model cannot be had.
    """
    texts = [path for path, _ in corpus.shards()]
    if kind == PLACES:
        from hinterland.curate.geo.locate_shards import locate_shards

        return locate_shards(texts, out, config.locate, engine).card()
    scored = [filters / path.name for path in texts]
    if kind == DUPLICATES:
        settings = config.duplicates or NearDuplicates()
        return find_duplicates(texts, scored, out, settings, engine=engine, work=work)
    return score_quality(texts, scored, out, config.quality, seed=config.seed, engine=engine, work=work)


def score_documents(corpus: Corpus, config: CurateConfig, *, out: Path, work: Path, engine: Engine) -> Scored:
    """Run all filters, the duplicate search and the quality score over a corpus.

    Args:
        corpus: The documents.
        config: What to run.
        out: A folder for the scores, as for `score_filters`.
        work: A folder for unfinished work, as for `score_kind`.
        engine: Runs stages over shards.

    Raises:
        ConfigError: A filter's option is wrong.
        CorpusError: A shard of the corpus is missing or corrupt.
        ModelSourceError: The quality model cannot be had.
        RegistryError: A filter is unknown.
    """
    with engine.started():
        infos = score_filters(corpus, config, out / FILTERS, engine=engine)
        found = {
            kind: score_kind(
                kind, corpus, config, out / kind, filters=out / FILTERS, engine=engine, work=work
            )
            for kind in kinds_of(config)[1:]
        }
    return Scored.of(out, config, infos, found)


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
    with engine.started():
        scored = score_documents(corpus, config, out=place / "scores", work=place, engine=engine)
        curated = decide_corpus(
            corpus, scored, config, out, rejected=rejected, engine=engine, work=place / "write"
        )
    shutil.rmtree(place, ignore_errors=True)
    with suppress(OSError):  # something else is in there
        work.rmdir()
    return curated

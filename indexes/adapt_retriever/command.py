"""`hinterland index adapt-retriever`: a corpus or an index in, a better encoder out, or the base kept."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

import hinterland.indexes.adapt_retriever.open_model  # noqa: F401 - files itself in LANGUAGE_MODELS
from hinterland.core.corpus import Corpus
from hinterland.core.errors import ConfigError
from hinterland.core.run import peak_rss_mb
from hinterland.indexes.adapt_retriever.documents import Passage
from hinterland.indexes.adapt_retriever.index_vectors import vectors_of_index
from hinterland.indexes.adapt_retriever.language_model import LANGUAGE_MODELS, LanguageModel
from hinterland.indexes.adapt_retriever.material import all_pairs, prepare
from hinterland.indexes.adapt_retriever.recipe import (
    Judgements,
    adapt_retriever,
    passages_of_table,
    split_for,
)
from hinterland.indexes.adapt_retriever.settings import AdaptSettings, QuerySet
from hinterland.indexes.adapt_retriever.training import (
    contrastive_loss,
    freeze_below,
    load_encoder,
    train_encoder,
)
from hinterland.indexes.adapt_retriever.vectors import Known
from hinterland.indexes.build import read_documents
from hinterland.indexes.bundle import CHUNKS, CURRENT, open_bundle
from hinterland.indexes.embed import SentenceEmbedder
from hinterland.indexes.queries import read_judgements, read_queries

__all__ = ["CommandConfig", "plan", "render", "run"]

_TIMED = 4  # steps that a dry run times; the first, which warms up, does not count
_SAMPLE = 32  # passages that a dry run embeds


class CommandConfig(AdaptSettings):
    """Config of ``hinterland index adapt-retriever``.

    Attributes:
        corpus: A corpus's folder, or an index's, whose chunks are used as they are.
        out: The run folder; the encoder appears in it as ``model/encoder``.
        only_kept: Leave out what the corpus's ``keep`` column rejects, and weights of 0.
        queries: Queries and judgements of your own for the gate; they are not trained on.
        general: A general set, to see what is forgotten: queries, judgements and their corpus.
    """

    corpus: Path
    out: Path = Field(default=Path("runs/retriever"))
    only_kept: bool = True
    queries: QuerySet | None = None
    general: QuerySet | None = None


def plan(config: CommandConfig) -> dict[str, Any]:
    """Make the pairs, time a few steps, and say what the whole will take; write nothing."""
    table = _rows(config.corpus, only_kept=config.only_kept)
    passages = passages_of_table(table, config.embed, tokens=config.pairs.passage_tokens)
    split = split_for(passages, config, with_queries=config.queries is not None)
    made, _ = all_pairs(split.train, config)
    step, embedding = _time(split.train, config)
    searched = len(passages) if config.queries else min(len(passages), config.gate.passages or len(passages))
    candidates = 0 if config.negatives.margin is None else len(split.train)
    counts = {kind: len(found) for kind, found in sorted(made.items())}
    if "generated" in config.pairs.kinds and config.language_model:
        counts["generated (asked for)"] = min(config.pairs.generated.passages, len(split.train))
    replug = config.replug
    return {
        "documents": len({passage.document for passage in passages}),
        "passages": len(passages),
        "held_out_documents": len({passage.document for passage in split.held_out}),
        "pairs": counts,
        "decided_by": _decided_by(config),
        "steps": config.train.steps,
        "pairs_used": min(sum(counts.values()), config.train.steps * config.train.batch),
        "seconds_a_step": round(step, 2),
        "seconds_estimated": round(config.train.steps * step + (candidates + 2 * searched) * embedding, 1),
        "language_model_calls": replug.contexts * replug.passages if replug else 0,
        "peak_memory_mb": round(peak_rss_mb()),
    }


def run(config: CommandConfig) -> dict[str, Any]:
    """Adapt, measure, and publish the encoder if it is better."""
    table = _rows(config.corpus, only_kept=config.only_kept)
    judged = _judged(config.queries) if config.queries else None
    general: tuple[pa.Table, Judgements] | None = None
    if config.general is not None:
        if config.general.corpus is None:
            raise ConfigError(
                "the general set names no corpus", where="general.corpus", cure="give its folder"
            )
        general = _rows(config.general.corpus, only_kept=False), _judged(config.general)
    with _language_model(config) as model:
        names = set(AdaptSettings.model_fields)
        settings = AdaptSettings.model_validate(config.model_dump(include=names))
        result = adapt_retriever(
            table,
            config.out,
            settings,
            judged=judged,
            general=general,
            language_model=model,
            known=_known(config),
        )
    return {"out": str(config.out), **result.as_json()}


def render(result: dict[str, Any]) -> str:
    """Return the result in a few lines."""
    used = ", ".join(f"{count:,} {kind}" for kind, count in result["counts"]["pairs_used"].items())
    lines = [f"{result['verdict']}: embed.model: {result['model']}"]
    for name in ("gate", "general"):
        found = result[name]
        if found:
            lines.append(
                f"  {name}: nDCG@{found['k']} {found['base']:.3f} -> {found['adapted']:.3f}"
                f" ({found['difference']:+.3f}, 95 % {found['low']:+.3f} to {found['high']:+.3f},"
                f" p = {found['p']:.4f}) on {found['queries']:,} queries: {found['source']}"
            )
            kinds = ", ".join(
                f"{kind} {part['difference']:+.3f} (p = {part['p']:.4f})"
                for kind, part in found["by_kind"].items()
            )
            lines += [f"    by kind, each has to be better: {kinds}"] if len(found["by_kind"]) > 1 else []
    if result["gate"]["better"] and result["verdict"] != "adapted":
        lines.append(
            "  made-up queries do not decide: give queries and judgements of your own, or set"
            " gate.made_up: decide"
        )
    training = result["training"]["pairs"]
    lines.append(
        f"  {training['steps']:,} steps ({used}); loss {training['loss_first_tenth']:.3f} ->"
        f" {training['loss_last_tenth']:.3f}; {result['seconds']:.1f} s"
    )
    return "\n".join(lines)


def _judged(files: QuerySet) -> Judgements:
    return read_queries(files.queries), read_judgements(files.qrels)


def _decided_by(config: CommandConfig) -> str:
    """Return what lets the encoder through, so that nobody waits for one that cannot be."""
    if config.queries is not None:
        return "your own queries"
    made_up = config.gate.made_up == "decide"
    return "made-up queries" if made_up else "nothing: without queries of your own the base is kept"


def _rows(folder: Path, *, only_kept: bool) -> pa.Table:
    """Return a corpus's rows, or the chunks of the index that is served."""
    if (folder / CURRENT).is_file():
        return pq.read_table(open_bundle(folder).folder / CHUNKS)
    return read_documents(Corpus.open(folder), only_kept=only_kept)


def _known(config: CommandConfig) -> Known:
    """Return the vectors that the indexes given as corpora have of their chunks."""
    folders = {config.corpus, *([config.general.corpus] if config.general else [])}
    known: Known = {}
    for folder in folders:
        if folder is not None and (folder / CURRENT).is_file():
            known |= vectors_of_index(folder, SentenceEmbedder(config.embed))
    return known


@contextmanager
def _language_model(config: CommandConfig) -> Iterator[LanguageModel | None]:
    """Open the language model that the config names, if it names one."""
    if config.language_model is None:
        yield None
        return
    settings = dict(config.language_model)
    provider = settings.pop("provider", None)
    if not isinstance(provider, str):
        raise ConfigError(
            "the language model names no provider",
            where="language_model.provider",
            cure=f"set it to one of: {', '.join(LANGUAGE_MODELS)}",
        )
    with LANGUAGE_MODELS.get(provider)(settings) as model:
        yield model


def _time(passages: tuple[Passage, ...], config: CommandConfig) -> tuple[float, float]:
    """Return the seconds of a step of training, and of embedding a passage."""
    embedder = SentenceEmbedder(config.embed)
    short = config.train.model_copy(update={"steps": _TIMED, "checkpoint_every": _TIMED + 1})
    kinds = tuple(kind for kind in config.pairs.kinds if kind != "generated") or ("cloze",)
    few = config.model_copy(
        update={
            "train": short,
            "negatives": config.negatives.model_copy(update={"margin": None}),
            "pairs": config.pairs.model_copy(update={"kinds": kinds}),  # no model is asked in a dry run
        }
    )
    material = prepare(passages, few, embedder)
    model = load_encoder(config.embed, tokens=config.pairs.passage_tokens)
    freeze_below(model, config.train.top_layers)
    with tempfile.TemporaryDirectory() as folder:
        loss = contrastive_loss(model, short)
        done = train_encoder(model, loss, material.columns, short, Path(folder), seed=0, label="timed steps")
    texts = [passage.shown for passage in passages[:_SAMPLE]]
    embedder.passages(texts[:2])  # the first call loads and warms up; it is not timed
    start = time.perf_counter()
    embedder.passages(texts)
    return statistics.median(done.step_seconds[1:]), (time.perf_counter() - start) / len(texts)

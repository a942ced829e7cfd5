"""Adapt a retriever: split, pairs, negatives, training, REPLUG where asked for, gate, model.

Each stage is done once in the run folder; a killed run goes on where it was. The adapted
encoder appears in ``<out>/model/encoder``, and only if the gate lets it through.
"""

from __future__ import annotations

import gc
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hinterland.core.errors import ConfigError
from hinterland.core.files import atomic_dir, atomic_path
from hinterland.core.models import find_model
from hinterland.core.run import Run, StageRecord, fingerprint
from hinterland.core.seeds import integer
from hinterland.indexes.adapt_retriever.card import retriever_card
from hinterland.indexes.adapt_retriever.documents import (
    Passage,
    Split,
    from_chunks,
    from_corpus,
    split_documents,
)
from hinterland.indexes.adapt_retriever.exam import given_exam, pseudo_exam
from hinterland.indexes.adapt_retriever.gate import Exam, Verdict, compare, may_decide, scores
from hinterland.indexes.adapt_retriever.language_model import LanguageModel
from hinterland.indexes.adapt_retriever.material import prepare
from hinterland.indexes.adapt_retriever.replug import contexts, replug_columns, replug_loss
from hinterland.indexes.adapt_retriever.settings import AdaptSettings
from hinterland.indexes.adapt_retriever.trained import ENCODER, WEIGHTS, load_trained, save_encoder
from hinterland.indexes.adapt_retriever.training import (
    Trained,
    contrastive_loss,
    freeze_below,
    load_encoder,
    train_encoder,
)
from hinterland.indexes.adapt_retriever.vectors import Known
from hinterland.indexes.embed import EmbedConfig, SentenceEmbedder

__all__ = ["Adapted", "Judgements", "adapt_retriever", "adapted_encoder", "passages_of_table", "split_for"]

#: Queries by id, and relevance by query and document.
Judgements = tuple[Mapping[str, str], Mapping[str, Mapping[str, float]]]


@dataclass(frozen=True, slots=True)
class Adapted:
    """What came of it.

    Attributes:
        embed: The encoder to use: the adapted one, or the base where that was kept.
        shipped: Whether it is the adapted one.
        verdict: The gate's comparison.
        general: The same on general queries; ``None`` where none were given.
        counts: Pairs by kind, what was left out.
        training: Steps, first and last losses, precision, seconds.
        seconds: All told.
    """

    embed: EmbedConfig
    shipped: bool
    verdict: Verdict
    general: Verdict | None
    counts: dict[str, Any]
    training: dict[str, Any]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return it as a mapping."""
        return {
            "verdict": "adapted" if self.shipped else "kept the base",
            "model": self.embed.model,
            "gate": self.verdict.as_json(),
            "general": self.general.as_json() if self.general else None,
            "counts": self.counts,
            "training": self.training,
            "seconds": round(self.seconds, 2),
        }


def passages_of_table(table: pa.Table, embed: EmbedConfig, *, tokens: int) -> list[Passage]:
    """Return passages of a corpus's rows, or of an index's chunks."""
    if "document_id" in table.column_names:
        return from_chunks(table)
    return from_corpus(table, SentenceEmbedder(embed).tokenizer, tokens=tokens)


def adapted_encoder(
    corpus: pa.Table,
    base: EmbedConfig,
    out: Path,
    *,
    settings: AdaptSettings | None = None,
    judged: Judgements | None = None,
    seed: int = 0,
) -> EmbedConfig:
    """Adapt an encoder to a corpus, and return the encoder to use from then on.

    Args:
        corpus: Rows with ``id``, ``text`` and, where there is one, ``title`` or ``meta``.
        base: The base encoder.
        out: The run folder. Called again with the same arguments, what is done is reused.
        settings: How; its ``embed`` and ``seed`` give way to the arguments.
        judged: Queries and judgements for the gate; without them it makes its own queries.
        seed: Chooses what is held out, orders the data.

    Returns:
        The adapted encoder's config, or ``base`` itself where the gate kept it.
    """
    plain = (settings or AdaptSettings()).model_copy(update={"embed": base, "seed": seed})
    return adapt_retriever(corpus, out, plain, judged=judged).embed


def adapt_retriever(
    table: pa.Table,
    out: Path,
    settings: AdaptSettings,
    *,
    judged: Judgements | None = None,
    general: tuple[pa.Table, Judgements] | None = None,
    language_model: LanguageModel | None = None,
    known: Known | None = None,
) -> Adapted:
    """Adapt an encoder to a corpus or an index, and let it through only if it is better.

    Args:
        table: A corpus's rows, or an index's chunks.
        out: The run folder.
        settings: How.
        judged: The user's queries and judgements, for the gate alone.
        general: Another corpus with judged queries, to see what was forgotten.
        language_model: Writes queries and gives log-probabilities.
        known: The base's vectors of passages, where there are any: those are not embedded again.

    Raises:
        ConfigError: A language model is needed and missing, or there are too few queries.
        CorpusError: There are too few documents or pairs.
        ModelSourceError: The base is no sentence encoder, or cannot be loaded.
        RetrieverTrainingError: The loss is not finite.
        StorageError: The disk is full, or another run holds the folder.
    """
    begun = time.perf_counter()
    asked_for = {"replug": settings.replug is not None, "pairs.kinds": "generated" in settings.pairs.kinds}
    for where, needed in asked_for.items():
        if needed and language_model is None:
            raise ConfigError(
                "a language model is needed, and there is none",
                where=where,
                cure="set language_model, or leave this out",
            )
    if settings.threads is not None:
        import torch

        torch.set_num_threads(settings.threads)
    work = _Work(table, settings, judged, general, language_model, known)
    run = Run(out, command="index adapt-retriever", config=settings.model_dump(mode="json"))
    with run.locked():
        trained = run.stage("train", work.train, depends=work.depends(), keep_partial=True)
        after = {"weights": trained.outputs[WEIGHTS.name], **work.measures()}
        gate = run.stage("gate", lambda folder: work.gate(folder, out / "train"), depends=after)
        verdict = Verdict(**gate.result["gate"])
        embed, ship = settings.embed, verdict.better and may_decide(verdict, settings.gate)
        if ship:
            depends = {"weights": trained.outputs[WEIGHTS.name], "gate": gate.fingerprint}
            run.stage("model", lambda folder: work.model(folder, trained, gate), depends=depends)
            embed = embed.model_copy(update={"model": str(out / ENCODER)})
        else:
            shutil.rmtree(out / ENCODER.parent, ignore_errors=True)  # of a run with other settings
        other = gate.result["general"]
        adapted = Adapted(
            embed=embed,
            shipped=ship,
            verdict=verdict,
            general=Verdict(**other) if other else None,
            counts=trained.result["counts"],
            training=trained.result["training"],
            seconds=time.perf_counter() - begun,
        )
        run.finish(result=adapted.as_json())
    return adapted


class _Work:
    """The stages' work, over what they share: the passages, the split, the settings."""

    def __init__(
        self,
        table: pa.Table,
        settings: AdaptSettings,
        judged: Judgements | None,
        general: tuple[pa.Table, Judgements] | None,
        language_model: LanguageModel | None,
        known: Known | None,
    ) -> None:
        self.settings, self.language_model = settings, language_model
        tokens = settings.pairs.passage_tokens
        self.passages = passages_of_table(table, settings.embed, tokens=tokens)
        self.licenses = _licenses(table)
        self.split = split_for(self.passages, settings, with_queries=judged is not None)
        self.exams: dict[str, Exam] = {}
        if judged is None:
            held_out, rest = self.split.held_out, self.split.train
            self.exams["gate"] = pseudo_exam(held_out, rest, settings.gate, seed=settings.seed)
        else:
            self.exams["gate"] = given_exam(self.passages, *judged)
        if general is not None:
            other = passages_of_table(general[0], settings.embed, tokens=tokens)
            self.exams["general"] = given_exam(other, *general[1])
        self.base_hash = find_model(settings.embed.model).fingerprint()
        self.known: Known = dict(known or {})  # the base's vectors
        self.data_hash = fingerprint([asdict(passage) for passage in self.passages])

    @cached_property
    def base(self) -> SentenceEmbedder:
        """The base encoder, as it is used."""
        return SentenceEmbedder(self.settings.embed)

    def depends(self) -> dict[str, Any]:
        """What the trained weights depend on."""
        config = self.settings.model_dump(mode="json", exclude={"threads", "language_model", "embed"})
        config["train"].pop("checkpoint_every")
        config["gate"] = {name: config["gate"][name] for name in ("hold_out", "queries")}
        model = self.language_model.fingerprint if self.language_model else None
        return {
            "model": self.base_hash,
            "data": self.data_hash,
            "train": fingerprint([asdict(passage) for passage in self.split.train]),
            "config": config,
            "language_model": model,
            "prompts": [self.settings.embed.query_prompt, self.settings.embed.passage_prompt],
        }

    def measures(self) -> dict[str, Any]:
        """What the gate's figures depend on besides the weights."""
        return {
            "base": self.base.fingerprint,
            "exams": fingerprint([asdict(exam) for exam in self.exams.values()]),
            "gate": self.settings.gate.model_dump(mode="json", exclude={"made_up"}),
            "seed": self.settings.seed,
        }

    def train(self, folder: Path) -> Mapping[str, Any]:
        """Train, and write the weights."""
        from safetensors.torch import save_file

        settings, passages = self.settings, self.split.train
        generate = self.language_model.generate if self.language_model else None
        material = prepare(passages, settings, self.base, generate, known=self.known)
        model = load_encoder(settings.embed, tokens=settings.pairs.passage_tokens)
        freeze_below(model, settings.train.top_layers)
        prompts = (self.base.query_prompt, self.base.passage_prompt)
        done = train_encoder(
            model,
            contrastive_loss(model, settings.train),
            material.columns,
            settings.train,
            folder / ".pairs",
            seed=integer(settings.seed, "retriever", "train"),
            prompts=prompts,
            label="pairs",
        )
        training = {"pairs": _told(done)}
        if settings.replug is not None and self.language_model is not None:
            training["replug"] = _told(self._replug(model, folder, prompts))
        with atomic_path(folder / WEIGHTS.name) as temporary:
            save_file(
                {name: value.contiguous() for name, value in model.state_dict().items()}, str(temporary)
            )
        del model
        gc.collect()
        counts = {
            **material.counts,
            "documents": len({passage.document for passage in self.passages}),
            "held_out_documents": len({passage.document for passage in self.split.held_out}),
            "duplicates_of_held_out_left_out": self.split.duplicates,
        }
        return {"training": training, "counts": counts}

    def _replug(self, model: Any, folder: Path, prompts: tuple[str, str]) -> Trained:
        settings, model_of_language = self.settings.replug, self.language_model
        assert settings is not None and model_of_language is not None  # noqa: S101, PT018 - the caller looked
        found = contexts(self.split.train, settings, seed=self.settings.seed)
        columns = replug_columns(
            found, self.split.train, self.base, model_of_language.log_probability, settings, known=self.known
        )
        how = self.settings.train.model_copy(
            update={
                "steps": settings.steps,
                "batch": min(settings.batch, max(len(columns["anchor"]), 1)),
                "learning_rate": settings.learning_rate,
            }
        )
        return train_encoder(
            model,
            replug_loss(model, settings.gamma),
            {"replug": columns},
            how,
            folder / ".replug",
            seed=integer(self.settings.seed, "retriever", "replug"),
            prompts=prompts,
            label="replug",
        )

    def _candidate(self, train: Path) -> SentenceEmbedder:
        """Return the adapted encoder, used as the base is."""
        candidate = SentenceEmbedder(self.settings.embed)
        load_trained(candidate._model, train / WEIGHTS.name)
        return candidate

    def gate(self, folder: Path, train: Path) -> Mapping[str, Any]:
        """Measure both encoders on every exam."""
        k, seed = self.settings.gate.k, self.settings.seed
        found: dict[str, dict[str, Any] | None] = {"gate": None, "general": None}
        first = {}
        for name, exam in self.exams.items():
            first[name] = scores(self.base, exam, k=k, label=f"{name}: base", known=self.known)
        candidate, learnt = self._candidate(train), Known()
        for name, exam in self.exams.items():
            second = scores(candidate, exam, k=k, label=f"{name}: adapted", known=learnt)
            found[name] = compare(first[name], second, exam, self.settings.gate, seed=seed).as_json()
            np.savez(folder / f"{name}.npz", base=first[name], adapted=second)
        return found

    def model(self, folder: Path, trained: StageRecord, gate: StageRecord) -> Mapping[str, Any]:
        """Write the adapted encoder with its card; the folder appears whole."""
        settings = self.settings
        with atomic_dir(folder / ENCODER.name) as temporary:
            save_encoder(settings.embed, folder.parent / WEIGHTS, temporary)
            card = retriever_card(
                base=settings.embed.model,
                base_hash=self.base_hash,
                data_hash=self.data_hash,
                counts=trained.result["counts"],
                training=trained.result["training"],
                verdicts={name: found for name, found in gate.result.items() if found},
                licenses=self.licenses,
                config=settings.model_dump(mode="json", exclude={"language_model"}),
            )
            (temporary / "README.md").write_text(card, encoding="utf-8")
        return {"model": str(folder / ENCODER.name)}


def split_for(passages: Sequence[Passage], settings: AdaptSettings, *, with_queries: bool) -> Split:
    """Return what is learnt from and what is held out; with queries of the user's own, nothing is."""
    split = split_documents(
        passages, share=settings.gate.hold_out, seed=settings.seed, most=settings.gate.queries
    )
    return Split(tuple(passages), (), 0) if with_queries else split


def _told(done: Trained) -> dict[str, Any]:
    """Return what a training did, in a few numbers."""
    losses, tenth = done.losses, max(1, len(done.losses) // 10)
    return {
        "steps": len(losses),
        "loss_first_tenth": round(float(np.mean(losses[:tenth])), 4),
        "loss_last_tenth": round(float(np.mean(losses[-tenth:])), 4),
        "parameters": done.parameters,
        "precision": done.precision,
        "resumed_at": done.resumed_at,
        "seconds": round(done.seconds, 1),
    }


def _licenses(table: pa.Table) -> list[tuple[str, int]]:
    """Return the sources' licences with their rows, most first."""
    if "license" not in table.column_names:
        return []
    found = Counter(name or "not stated" for name in table["license"].to_pylist())
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))

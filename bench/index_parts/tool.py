"""What the measuring asks of a tool, in whatever environment it runs; see `serve` for the protocol.

Only what every environment has: the standard library, NumPy, PyTorch, FAISS, sentence-transformers.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from serve import documents, serve

__all__ = ["Found", "Tool", "answer_for", "encoder"]

#: Ranked passages: id, score and text of each.
Found = list[tuple[str, float, str]]
T = TypeVar("T")
_WARM = 5  # queries before any is timed
_SHARED = ("torch", "transformers", "sentence-transformers", "tokenizers", "faiss-cpu", "numpy")


class Tool(Protocol):
    """A tool with its encoder loaded."""

    #: Packages whose versions are reported.
    packages: tuple[str, ...]

    def prepare(self, ids: list[str], texts: list[str], folder: Path) -> None:
        """Put the passages into the form that the tool reads; not timed."""
        ...

    def build(self, folder: Path) -> None:
        """Embed the passages, index them exactly (inner product) and save all in ``folder``."""
        ...

    def open(self, folder: Path) -> None:
        """Load what was saved."""
        ...

    def search(self, query: str, k: int) -> Found:
        """Return the best passages for a query."""
        ...

    def search_vector(self, query: str, vector: Any, k: int) -> Found:
        """Return the best passages for a query whose vector is at hand, shape (dimension,)."""
        ...

    def search_many(self, queries: list[str], k: int) -> list[Found]:
        """Return the best passages for each query, by the tool's call for many, if it has one."""
        ...


def encoder(model: str) -> Any:
    """Return the bare encoder, as sentence-transformers runs it in float32 on the CPU."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(model, device="cpu").eval()


def clocked(work: Callable[[], T]) -> tuple[T, dict[str, float]]:
    """Return the result of ``work``, with seconds by the clock and of the processor (all threads)."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def peak_mb() -> float:
    """Return the most memory that this process has held, in MB of 10^6 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


class _Session:
    """One tool, called from outside."""

    def __init__(self, make: Callable[..., Tool]) -> None:
        self._make = make
        self._tool: Tool | None = None
        self._texts: list[str] = []
        self._model = ""
        self._bare: Any = None

    @property
    def tool(self) -> Tool:
        if self._tool is None:
            raise RuntimeError("start was not called")
        return self._tool

    def start(
        self, *, model: str, threads: int, passages: str, folder: str, **settings: Any
    ) -> dict[str, Any]:
        """Load the encoder and the passages; warm up."""
        import faiss
        import torch

        torch.set_num_threads(threads)
        faiss.omp_set_num_threads(threads)
        rows = list(documents(passages))
        self._model, self._texts = model, [text for _, text in rows]
        self._tool = self._make(model=model, **settings)
        work = Path(folder)
        # A few passages first: the first call of a library loads more than the second.
        self.tool.prepare([key for key, _ in rows[:4]], self._texts[:4], work / "warm-texts")
        self.tool.build(work / "warm")
        self.tool.prepare([key for key, _ in rows], self._texts, work / "texts")
        return {
            "threads": [torch.get_num_threads(), faiss.omp_get_max_threads()],
            "mb": peak_mb(),
            "versions": {
                name: found for name in (*self.tool.packages, *_SHARED) if (found := _version(name))
            },
        }

    def build(self, *, folder: str) -> dict[str, float]:
        """Build once; return seconds, the peak of memory so far and the size on disk."""
        _, seconds = clocked(lambda: self.tool.build(Path(folder)))
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
        return {**seconds, "mb": peak_mb(), "bytes": size}

    def encode(self, *, batch: int, out: str = "") -> dict[str, float]:
        """Embed the passages with the bare encoder; keep the vectors in ``out``."""
        self._bare = self._bare or encoder(self._model)
        vectors, seconds = clocked(
            lambda: self._bare.encode(
                self._texts, batch_size=batch, normalize_embeddings=True, show_progress_bar=False
            )
        )
        if out:
            np.save(out, vectors)
        return seconds

    def open(self, *, folder: str) -> dict[str, float]:
        """Load what was saved."""
        return clocked(lambda: self.tool.open(Path(folder)))[1]

    def ranks(self, *, queries: Sequence[str], k: int) -> list[list[str]]:
        """Return the ids of the ranked passages of each query."""
        return [[key for key, _, _ in self.tool.search(query, k)] for query in queries]

    def latency(self, *, queries: list[str], k: int, vectors: str) -> dict[str, list[float]]:
        """Return the milliseconds of each query's parts, timed one after the other.

        Returns:
            ``total``: the tool's search from text to passages; ``encoder``: the bare encoder;
            ``faiss``: an exact search in bare FAISS; ``search``: the tool's search where the
            query's vector is at hand.
        """
        import faiss

        self._bare = self._bare or encoder(self._model)
        rows = np.ascontiguousarray(np.load(vectors), np.float32)
        flat = faiss.IndexFlatIP(rows.shape[1])
        flat.add(rows)
        times: dict[str, list[float]] = {name: [] for name in ("total", "encoder", "faiss", "search")}

        def timed(name: str, work: Callable[[], T]) -> T:
            start = time.perf_counter()
            result = work()
            times[name].append(1000 * (time.perf_counter() - start))
            return result

        for query in [*queries[:_WARM], *queries]:
            vector = timed("encoder", lambda query=query: self._embed(query))  # type: ignore[misc]
            timed("total", lambda query=query: self.tool.search(query, k))  # type: ignore[misc]
            timed("faiss", lambda vector=vector: flat.search(vector[None], k))  # type: ignore[misc]
            timed(
                "search",
                lambda query=query, vector=vector: self.tool.search_vector(query, vector, k),  # type: ignore[misc]
            )
        return {name: values[_WARM:] if len(queries) > _WARM else values for name, values in times.items()}

    def _embed(self, query: str) -> Any:
        return self._bare.encode([query], normalize_embeddings=True, show_progress_bar=False)[0]

    def many(self, *, queries: list[str], k: int) -> dict[str, float]:
        """Return the seconds for all queries at once."""
        return clocked(lambda: self.tool.search_many(queries, k))[1]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def answer_for(make: Callable[..., Tool]) -> None:
    """Serve a tool until stdin ends.

    Args:
        make: Loads the tool; called with ``model`` (a folder) and its settings.
    """
    session = _Session(make)
    names = ("start", "build", "encode", "open", "ranks", "latency", "many")
    serve({name: getattr(session, name) for name in names})

"""Synthetic vectors, their exact neighbours, and recall."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpu_parts.common import SEED
from hinterland.adapt.precision import device
from hinterland.core.progress import track
from hinterland.core.seeds import generator, integer

__all__ = ["DIMENSION", "NEIGHBOURS", "Mixture", "Rows", "Vectors", "exact_neighbours", "recalls"]

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]

DIMENSION, NEIGHBOURS = 384, 10


@dataclass(frozen=True)
class Mixture:
    """Unit vectors with neighbourhoods like those of embeddings.

    A vector is ``normalise(lift · (centre + 0.5 · a) + 0.1 · b)``: one of the centres in 32
    dimensions, drawn with probability ∝ 1/√rank, a Gaussian step ``a`` from it, a linear map
    to 384 dimensions, and Gaussian noise ``b`` there. Drawn on the device in blocks, each from
    its own stream under the seed; another device draws other vectors of the same kind.
    """

    clusters: int
    latent: int = 32
    spread: float = 0.5
    noise: float = 0.1
    block: int = 2**18

    def draw(self, count: int, name: str) -> Vectors:
        """Return ``count`` vectors of the stream ``name``, shape (count, 384), on the CPU."""
        import torch

        place = device()
        random = generator(SEED, "mixture")
        centres = torch.from_numpy(random.standard_normal((self.clusters, self.latent), np.float32))
        lift = torch.from_numpy(random.standard_normal((self.latent, DIMENSION), np.float32))
        centres, lift = centres.to(place), lift.to(place) / math.sqrt(self.latent)
        chance = torch.arange(1, self.clusters + 1, device=place, dtype=torch.float32).rsqrt()
        found = np.empty((count, DIMENSION), np.float32)
        for start in track(range(0, count, self.block), f"draw {name}"):
            size = min(self.block, count - start)
            stream = torch.Generator(place).manual_seed(integer(SEED, name, start))
            chosen = torch.multinomial(chance, size, replacement=True, generator=stream)
            step = torch.randn(size, self.latent, device=place, generator=stream)
            noise = torch.randn(size, DIMENSION, device=place, generator=stream)
            raw = (centres[chosen] + self.spread * step) @ lift + self.noise * noise
            found[start : start + size] = torch.nn.functional.normalize(raw, dim=1).cpu().numpy()
        return found


def exact_neighbours(vectors: Vectors, queries: Vectors) -> Rows:
    """Return the rows of the nearest vectors by float32 inner products, shape (queries, 10)."""
    import torch

    asked = torch.from_numpy(queries).to(device())
    best = torch.full((len(queries), NEIGHBOURS), -torch.inf, device=asked.device)
    rows = torch.full((len(queries), NEIGHBOURS), -1, device=asked.device, dtype=torch.long)
    for start in track(range(0, len(vectors), 2**18), "exact search"):
        block = torch.from_numpy(vectors[start : start + 2**18]).to(asked.device)
        score, row = (asked @ block.T).topk(min(NEIGHBOURS, len(block)), dim=1)
        both = torch.cat([best, score], dim=1).topk(NEIGHBOURS, dim=1)
        best = both.values
        rows = torch.cat([rows, row + start], dim=1).gather(1, both.indices)
    return np.asarray(rows.cpu().numpy(), np.int64)


def recalls(found: Rows, truth: Rows) -> NDArray[np.float64]:
    """Return each query's share of true neighbours found, shape (queries,)."""
    return np.asarray(
        [len(np.intersect1d(a, b)) / NEIGHBOURS for a, b in zip(found, truth, strict=True)], np.float64
    )

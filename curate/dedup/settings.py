"""What the duplicate search is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from hinterland.core.config import Config
from hinterland.curate.dedup.policy import Policy

if TYPE_CHECKING:
    from hinterland.curate.kernels.minhash import MinHash

__all__ = ["Chains", "NearDuplicates"]

#: What becomes of A ~ B ~ C where A and C are not alike. ``join``: one cluster, of which
#: one is kept, so that a member may be unlike the kept one (``near_dup.jaccard`` says how
#: much). ``split``: in the policy's order, a document that is like a kept one joins it, and
#: any other is kept, so that nothing is left out without a kept document that is like it,
#: as far as no other rule drops that one (see `curate.decide.decide_columns`).
Chains = Literal["join", "split"]


class NearDuplicates(Config):
    """How duplicates are found and which copy is kept.

    Attributes:
        policy: Which copy of a cluster is kept: the one with the smallest id (``first``),
            the most characters (``longest``), the earliest date (``oldest``), or the source
            with the fewest documents (``rarest``). Always keeping the largest source's
            copy is itself a bias.
        threshold: The least Jaccard similarity of two documents' shingle sets.
        chains: Whether documents that are alike only by way of others are one cluster.
        bands: Bands of the MinHash signature.
        rows: Hash functions in a band.
        shingle: Normalised words in a shingle.
        seed: Chooses the hash functions.
        bucket: Documents that share a band are compared each with each, up to this
            many. In a larger bucket each is compared with leaders: those before it, in the
            policy's order, that were like no earlier leader.
        leaders: Leaders of a bucket at most; comparisons with others are left out and
            counted. Most pairs meet in other bands too.
    """

    policy: Policy = "first"
    threshold: float = Field(default=0.7, gt=0, le=1)
    chains: Chains = "join"
    bands: int = Field(default=22, ge=1)
    rows: int = Field(default=5, ge=1)
    shingle: int = Field(default=5, ge=1)
    seed: int = 1
    bucket: int = Field(default=32, ge=2, le=1000)
    leaders: int = Field(default=32, ge=1)

    @property
    def minhash(self) -> MinHash:
        """The settings of the signatures and shingle sets."""
        from hinterland.curate.kernels.minhash import MinHash

        return MinHash(self.bands, self.rows, self.shingle, self.seed)

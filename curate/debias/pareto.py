"""Keep with a probability that grows with quality: the Pareto rule, by group.

P(keep) = (2 − score)^−alpha: keep where a Lomax draw exceeds 1 − score (Brown et al. 2020,
GPT-3, appendix A; as in Gururangan et al. 2022). A soft threshold keeps some of what a
hard one drops altogether.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from hinterland.core.errors import ConfigError
from hinterland.core.places import UNKNOWN
from hinterland.curate.debias.arrays import (
    Groups,
    Ids,
    as_grouping,
    as_numbers,
    as_tokens,
    as_weights,
    check_lengths,
)
from hinterland.curate.debias.counted import counted
from hinterland.curate.debias.selection import Selection, selected
from hinterland.curate.sampling import keep_probability, uniform
from hinterland.curate.score_columns import TableColumns

__all__ = ["pareto"]


def pareto(
    score: ArrayLike,
    group: Groups,
    ids: Ids,
    *,
    alpha: float = 9.0,
    seed: int = 0,
    inverse: bool = False,
    max_weight: float = math.inf,
    kept: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    tokens: ArrayLike | None = None,
    quality: ArrayLike | None = None,
    name: str = "pareto",
    min_documents: int = 30,
    exempt: Sequence[str] = (UNKNOWN,),
) -> Selection:
    """Draw documents by quality, and say what each group keeps on average and in this draw.

    The draw of a document depends on its id and the seed alone. With ``inverse`` a document
    that is drawn weighs 1 / P(keep) times what it did (Horvitz and Thompson 1952): sums over
    the sample then estimate those over all documents, at the price of a small effective
    sample; ``max_weight`` bounds the repeats, and gives that up where it binds.

    Args:
        score: Quality, 0 to 1, shape (documents,); what lies outside is clipped, and NaN
            keeps, as in `hinterland.curate`.
        group: Label of each document, for the report.
        ids: Ids of the documents, on which the draw depends.
        alpha: The shape, above 0; larger is stricter.
        seed: Another seed gives another draw.
        inverse: Weigh by the inverse probability.
        max_weight: The largest weight.
        kept: Which documents are kept now; all by default. Others do not come back.
        weight: Their weights, 1 by default.
        tokens: Tokens of each document.
        quality: For the cost; the score by default.
        name: Names the stream of random numbers: two rules with different names are independent.
        min_documents: Smaller groups do not count for the cost's disparity.
        exempt: Groups that do not count for it.

    Raises:
        ConfigError: ``alpha`` or ``max_weight`` is out of range.
        CorpusError: The arrays differ in length, or tokens or weights are negative or missing.
    """
    if not (alpha > 0 and math.isfinite(alpha)):
        raise ConfigError(f"alpha is {alpha}", where="pareto", cure="give a number above 0")
    if not max_weight >= 1:
        raise ConfigError(f"max_weight is {max_weight}", where="pareto", cure="give 1 or more")
    grouping = as_grouping(group)
    size = len(grouping)
    before, token_counts = as_weights(kept, weight, size), as_tokens(tokens, size)
    scores, held = as_numbers(score, size, "scores"), before > 0
    column = ids if isinstance(ids, pa.Array | pa.ChunkedArray) else pa.array(list(ids), pa.string())
    check_lengths({"documents": size, "ids": len(column)})
    chance = keep_probability(scores, alpha)
    bits = TableColumns(pa.table({"id": column})).draws(seed, "debias", name)
    drawn = held & (uniform(bits) < chance)
    weights = np.minimum(before / chance, np.maximum(max_weight, before)) if inverse else before
    after = np.where(drawn, weights, 0.0)
    groups = len(grouping.labels)
    expected = np.bincount(grouping.codes, weights=held * chance, minlength=groups).astype(np.float64)
    return selected(
        "pareto",
        grouping,
        before,
        after,
        token_counts,
        wanted=expected,
        quality=scores if quality is None else as_numbers(quality, size, "qualities"),
        unmet={},
        notes=_notes(scores[held], drawn, after, max_weight if inverse else math.inf),
        settings={"alpha": alpha, "seed": seed, "inverse": inverse},
        min_documents=min_documents,
        exempt=exempt,
    )


def _notes(
    scores: NDArray[np.float64],
    drawn: NDArray[np.bool_],
    after: NDArray[np.float64],
    most: float,
) -> list[str]:
    notes = []
    if bare := int(np.isnan(scores).sum()):
        one, several = "document has no score and is kept.", "documents have no score and are kept."
        notes.append(counted(bare, one, several))
    if outside := int(((scores < 0) | (scores > 1)).sum()):
        one, several = "score lies outside 0 to 1 and counts", "scores lie outside 0 to 1 and count"
        notes.append(f"{counted(outside, one, several)} as the nearer end.")
    if len(scores) and not drawn.any():
        notes.append("No document was drawn: the scores are too low for this alpha.")
    if math.isfinite(most) and (bound := int((after >= most * (1 - 1e-12)).sum())):
        many = counted(bound, "document is", "documents are")
        notes.append(f"{many} at the largest weight, {most:g}, which biases sums.")
    return notes

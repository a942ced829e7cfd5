"""C4's rules: which lines a page keeps, and whether enough sentences are left.

Raffel et al., *Exploring the Limits of Transfer Learning with a Unified Text-to-Text
Transformer* (JMLR 21, 2020), section 2.2, with the numbers of the first version and of
the released code: lines of at least 3 words, pages of at least 5 sentences. (The journal
version exchanges the two.) Lines with words over 1,000 characters and lines with policy
phrases go as in the released code. The list of bad words is left out: it removes text by
and about minorities (Dodge et al. 2021, arXiv:2104.08758).

C4 rewrites pages; here nothing is rewritten. The measures say what C4 would have left:
``kept_characters``, the share of the lines' characters that C4 keeps, has no rule and is
NaN for a document without lines. A line must end in . ? ! or a straight quotation mark,
not in an ellipsis; citations such as [1] behind the end do not count. A sentence ends in
. ? or ! before a word that begins with a capital or a digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hinterland.curate.filter import FILTERS
from hinterland.curate.kernels.lines import c4_counts
from hinterland.curate.rule import Rule
from hinterland.curate.variant import Measures, Reading, VariantFilter
from hinterland.curate.variants import datatrove, dolma
from hinterland.curate.words import Batch

__all__ = ["C4", "measure"]

MIN_SENTENCES = 5
MIN_WORDS = 3
MAX_WORD_LENGTH = 1000

RULES = (
    Rule("sentences", "sentences", low=MIN_SENTENCES),
    Rule("lorem_ipsum", "lorem_ipsum", high=0),
    Rule("curly_bracket", "curly_bracket", high=0),
)


def measure(
    batch: Batch,
    *,
    min_words: int = MIN_WORDS,
    max_word_length: int = MAX_WORD_LENGTH,
    terminal_punctuation: bool = True,
) -> Measures:
    """Return C4's measures, each of shape (documents,)."""
    counts = c4_counts(
        batch.data,
        batch.split,
        min_words=min_words,
        max_word_length=max_word_length,
        terminal_punctuation=terminal_punctuation,
    )
    with np.errstate(invalid="ignore"):
        kept = counts.kept / counts.characters
    return {
        "sentences": counts.sentences.astype(np.float64),
        "lorem_ipsum": counts.lorem_ipsum.astype(bool),
        "curly_bracket": counts.curly.astype(bool),
        "kept_characters": kept,
    }


@FILTERS.register("c4")
@dataclass(frozen=True)
class C4(VariantFilter):
    """C4's filter, as the paper states it or as a tool reads it.

    Args:
        variant: Whose reading; the other arguments are for the paper's.
        min_words: The fewest words in a line.
        max_word_length: The most characters in a word.
        terminal_punctuation: Whether a line must end in . ? ! or a quotation mark
            (FineWeb's recipe switches this off).
    """

    min_words: int = MIN_WORDS
    max_word_length: int = MAX_WORD_LENGTH
    terminal_punctuation: bool = True

    base: ClassVar[str] = "c4"
    readings: ClassVar[Mapping[str, Reading]] = {
        "paper": Reading(measure, RULES),
        "datatrove": datatrove.C4,
        "dolma": dolma.C4,
    }

    def measure(self, batch: Batch) -> Measures:
        """See `VariantFilter.measure`."""
        if self.variant != "paper":
            return super().measure(batch)
        return measure(
            batch,
            min_words=self.min_words,
            max_word_length=self.max_word_length,
            terminal_punctuation=self.terminal_punctuation,
        )

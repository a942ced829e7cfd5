"""Personal data that patterns can find: counts by kind. Masking it is `curate.masking`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hinterland.curate.filter import FILTERS, Scores
from hinterland.curate.personal import find_personal
from hinterland.curate.rule import Rule

__all__ = ["Pii"]

_COLUMNS = {"email": "pii.emails", "phone": "pii.phones", "ip": "pii.ips", "card": "pii.cards"}


@FILTERS.register("pii")
@dataclass(frozen=True)
class Pii:
    """Counts of e-mail addresses, telephone numbers, public IP addresses and card numbers.

    Columns: ``pii.emails``, ``pii.phones``, ``pii.ips``, ``pii.cards``, and ``pii.any``. No
    default rule drops by them: a contact address is no reason to lose a page. The patterns
    (`curate.personal`) are made for precision, so a 0 is no promise that there is nothing.
    """

    name: ClassVar[str] = "pii"
    variant: ClassVar[str] = "ours"
    rules: ClassVar[tuple[Rule, ...]] = ()

    def score(self, texts: Sequence[str]) -> Scores:
        """See `Filter.score`."""
        found = [Counter(span.kind for span in find_personal(text)) for text in texts]
        columns: Scores = {
            column: np.array([counts[kind] for counts in found], dtype=np.int64)
            for kind, column in _COLUMNS.items()
        }
        columns["pii.any"] = np.array([bool(counts) for counts in found], dtype=bool)
        return columns

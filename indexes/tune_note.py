"""One line about an index's promised recall, for whoever searches it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["promise_note"]


def promise_note(manifest: Mapping[str, Any]) -> str:
    """Return what a manifest promises of recall, or an empty string if it was never tuned.

    >>> promise_note({"tuning": {"exact": True}})
    'exact search: recall 1'
    >>> promise_note({"tuning": {"promise": 0.95, "k": 10, "recall": 0.957, "met": True}})
    'recall@10 of 0.95 promised, 0.957 measured'
    """
    tuning = manifest.get("tuning")
    if not tuning:
        return ""
    if tuning.get("exact"):
        return "exact search: recall 1"
    said = f"recall@{tuning['k']} of {tuning['promise']:g} promised, {tuning['recall']:.3f} measured"
    checked = tuning.get("checked")
    if tuning.get("stale"):
        return f"{said} before the last changes; to measure again: hinterland index tune --set check=true"
    if checked and not checked["holds"]:
        return f"{said}, {checked['recall']:.3f} since: the promise is broken; run: hinterland index tune"
    if not tuning.get("met"):
        return f"{said}: no setting of this index kept the promise"
    return said

"""Where each document is from: the first rule that says so, with its name and how sure it is.

In order: what columns say (country, first-level division, ZIP code, coordinates), the address, place
names in the text, author and publisher. Unknown stays unknown. A row whose country column
names a state that is gone or a body such as the EU is placed by its finer columns or not at all:
what it says is known, and a guess from its address would contradict it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from hinterland.core.config import Config
from hinterland.core.errors import CorpusError
from hinterland.core.record import BASE_SCHEMA
from hinterland.curate.geo.fields import Field, Fields
from hinterland.curate.geo.placing import RULES, Placing

__all__ = ["PLACE_SCHEMA", "UNKNOWN_RULE", "LocateSettings", "Located", "Rule", "locate", "locate_report"]

#: The columns that come out, after ``id`` where there is one.
PLACE_SCHEMA = pa.schema(
    [BASE_SCHEMA.field(name) for name in ("country", "admin1", "lat", "lon", "geo_from", "geo_confidence")]
)
Rule = Literal["columns", "url", "text", "author"]
#: Under this name rows without a place are counted.
UNKNOWN_RULE = "unknown"
#: Unrecognised values that are named.
MOST_VALUES = 20


class LocateSettings(Config):
    """How documents are placed.

    Attributes:
        columns: For some fields the columns, or keys of the JSON column ``meta``, that hold
            them, in place of the usual names (`fields.USUAL`).
        rules: The rules, in the order in which they are tried.
        min_confidence: A rule that is less sure than this does not place a document.
        workers: Processes, for corpora of several shards.
    """

    columns: dict[Field, tuple[str, ...]] = Setting(default_factory=dict)
    rules: tuple[Rule, ...] = ("columns", "url", "text", "author")
    min_confidence: float = Setting(default=0.5, ge=0, le=1)
    workers: int = Setting(default=1, ge=1)


@dataclass(frozen=True)
class Located:
    """Documents with their places, and what is to be said about them.

    Attributes:
        table: ``id`` where there is one, and the columns of `PLACE_SCHEMA`.
        rules: Documents by ``geo_from``; those without a place under `UNKNOWN_RULE`.
        not_placed: Documents whose country column named none, by why: "dissolved", "body", "unknown".
        unrecognised: What these columns held and in how many documents, most frequent first, 20 at most.
        notes: What else was found, in documents: "coordinates swapped", "… out of range", "… zero",
            "… far" from any place, "… elsewhere" than the country, "addresses unreadable".
    """

    table: pa.Table
    rules: Counter[str] = field(default_factory=Counter)
    not_placed: Counter[str] = field(default_factory=Counter)
    unrecognised: tuple[tuple[str, int], ...] = ()
    notes: Counter[str] = field(default_factory=Counter)


def locate(table: pa.Table, settings: LocateSettings | None = None) -> pa.Table:
    """Return where each document is from; see `locate_report`."""
    return locate_report(table, settings).table


def locate_report(table: pa.Table, settings: LocateSettings | None = None) -> Located:
    """Return where each document is from, and what was found on the way.

    A country that is there already is kept, with its ``geo_from`` if it has one.

    Args:
        table: Documents; ``text`` is read of those that no rule before has placed.
        settings: The defaults when ``None``.

    Raises:
        CorpusError: A column that the settings name is neither in the table nor in ``meta``.
    """
    settings = settings or LocateSettings()
    placing = run_rules(table, settings)
    check_named(settings, placing.fields.has, documents=table.num_rows)
    return Located(
        table_of(placing),
        rules_of(placing),
        +placing.not_placed,
        most_frequent(placing.values),
        +placing.notes,
    )


def run_rules(table: pa.Table, settings: LocateSettings) -> Placing:
    """Return the documents after all rules; see `locate_report`."""
    placing = Placing(table, Fields(table, settings.columns), settings.min_confidence)
    for rule in settings.rules:
        RULES[rule](placing)
    return placing


def check_named(settings: LocateSettings, has: Callable[[Field], bool], *, documents: int) -> None:
    """Raise `CorpusError` where none of the columns that the settings name for a field is there."""
    for name, columns in settings.columns.items():
        if documents and not has(name):
            raise CorpusError(
                f"no column {' or '.join(map(repr, columns))} for {name!r}",
                where="columns",
                cure="name a column, or a key of the JSON column meta",
            )


def most_frequent(values: Counter[str]) -> tuple[tuple[str, int], ...]:
    """Return values and how often each is, the most frequent first."""
    return tuple(sorted(values.items(), key=lambda each: (-each[1], each[0]))[:MOST_VALUES])


def table_of(placing: Placing) -> pa.Table:
    """Return the columns of `PLACE_SCHEMA`, after ``id`` where there is one."""
    rule, confidence = placing.rule.copy(), placing.confidence.copy()
    rule[placing.unplaced], confidence[placing.unplaced] = None, np.nan
    columns: Sequence[pa.Array] = [
        pa.array(placing.country, pa.string()),
        pa.array(placing.admin1, pa.string()),
        pa.array(placing.lat, pa.float64(), from_pandas=True),
        pa.array(placing.lon, pa.float64(), from_pandas=True),
        pa.array(rule, pa.string()),
        pa.array(confidence, pa.float64(), from_pandas=True),
    ]
    found = pa.table(columns, schema=PLACE_SCHEMA)
    if "id" not in placing.table.column_names:
        return found
    return found.add_column(0, placing.table.schema.field("id"), placing.table["id"])


def rules_of(placing: Placing) -> Counter[str]:
    """Return documents by the rule that placed them."""
    counts: Counter[str] = Counter(placing.rule[~placing.unplaced].tolist())
    counts[UNKNOWN_RULE] = int(placing.unplaced.sum())
    return +counts

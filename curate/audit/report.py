"""What an audit found: it prints, plots and saves, in a notebook too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hinterland.core.drawing import Drawing
from hinterland.core.errors import CorpusError, nearest
from hinterland.core.files import read_json, write_json, write_text
from hinterland.core.revive import plain, revive
from hinterland.curate.audit.claims import ALL, Claim, headline
from hinterland.curate.audit.parts import (
    Agreement,
    Attribution,
    Concentration,
    Coverage,
    Curve,
    Example,
    Exposure,
    Measure,
    Placement,
    RegressionModel,
)
from hinterland.curate.audit.retention import Retention

__all__ = ["FORMAT", "Audit", "GroupingInfo"]

#: Raised when the same documents give another audit, or an audit is written in another way.
FORMAT = 2


@dataclass(frozen=True, slots=True)
class GroupingInfo:
    """What a report says of a grouping.

    Attributes:
        note: How the groups were made.
        phrase: How a sentence names a document of a group; ``{}`` is the label.
        unknown_documents: Documents without a group.
        unknown_tokens: Their tokens.
    """

    note: str
    phrase: str
    unknown_documents: int
    unknown_tokens: int


@dataclass(frozen=True)
class Audit:
    """What each filter keeps of each group. Prints as text; `save` writes a page.

    Attributes:
        title: What was audited.
        documents: How many.
        tokens: How many, in ``token_unit``.
        token_unit: "words" or "tokens".
        groupings: What is known of each grouping.
        results: Grouping → filter → retention. `ALL` is among the filters.
        claims: Every ranked group under every filter, tested.
        countries: ISO 3166-1 alpha-3 → (documents, kept by all filters), for the map.
        settings: Seed, resamples, smallest group.
        notes: What the reader must know (skipped, widened, missing).
        states: US states by two-letter code → (documents, kept by all filters), for the map.
        placements: How documents were placed, the most frequent rule first.
        coverage: What the corpus holds, by grouping and reference.
        concentration: How it is spread over sources.
        attribution: Which filters make which gap.
        curves: Retention over the range of each threshold.
        agreement: Where variants of one rule agree.
        examples: Documents to look at.
        regression: Scores or decisions on covariates.
        exposure: Who is retrieved and cited.
        measures: A model's loss or accuracy, by group.
    """

    title: str
    documents: int
    tokens: int
    token_unit: str
    groupings: dict[str, GroupingInfo]
    results: dict[str, dict[str, Retention]]
    claims: tuple[Claim, ...]
    countries: dict[str, tuple[int, float]]
    settings: dict[str, Any]
    notes: tuple[str, ...] = ()
    states: dict[str, tuple[int, float]] = field(default_factory=dict)
    placements: tuple[Placement, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    concentration: tuple[Concentration, ...] = ()
    attribution: tuple[Attribution, ...] = ()
    curves: tuple[Curve, ...] = ()
    agreement: tuple[Agreement, ...] = ()
    examples: tuple[Example, ...] = ()
    regression: tuple[RegressionModel, ...] = ()
    exposure: tuple[Exposure, ...] = ()
    measures: tuple[Measure, ...] = ()

    @property
    def filters(self) -> tuple[str, ...]:
        """The filters audited, `ALL` last."""
        names = {name for by_filter in self.results.values() for name in by_filter}
        return (*sorted(names - {ALL}), ALL)

    def supported(self, filter_name: str, grouping: str, group: str) -> bool:
        """Whether the data support that the group is kept more or less than all others."""
        return (filter_name, grouping, group) in self._supported

    @cached_property
    def _supported(self) -> frozenset[tuple[str, str, str]]:
        """Filter, grouping and group of every supported claim: thousands of cells ask for them."""
        return frozenset((c.filter, c.grouping, c.group) for c in self.claims if c.supported)

    def __str__(self) -> str:
        from hinterland.curate.audit.render import text

        return text(self)

    def _repr_html_(self) -> str:
        """Return the page in a frame of its own, for notebooks."""
        from html import escape

        from hinterland.curate.audit.html import page_of

        return (
            f'<iframe title="{escape(self.title)}" width="100%" height="720" style="border:0"'
            f' sandbox="allow-scripts" srcdoc="{escape(page_of(self))}"></iframe>'
        )

    def plot(self, grouping: str | None = None, filter_name: str = ALL) -> Drawing:
        """Return the retention of each group under a filter as a drawing that notebooks show.

        Args:
            grouping: One of `groupings`; the first by default.
            filter_name: One of `filters`.

        Raises:
            CorpusError: There is no such grouping or filter, or no filter was audited.
        """
        from hinterland.curate.audit.html import group_chart

        name = grouping or next(iter(self.results), "")
        known = {"grouping": (name, list(self.results)), "filter": (filter_name, list(self.filters))}
        for kind, (given, there) in known.items():
            if given not in there:
                raise CorpusError(f"no {kind} {given!r}", where="audit", cure=nearest(given, there))
        return Drawing(group_chart(self, name, filter_name, standalone=True))

    def map(self) -> Drawing:
        """Return the world map of what all filters together keep, as a drawing."""
        from hinterland.curate.audit.html import map_of

        return Drawing(map_of(self, standalone=True))

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as JSON-able values; what is not a number becomes null."""
        values: dict[str, Any] = plain(
            {"kind": "audit", "format": FORMAT, "headline": headline(self), **asdict(self)}
        )
        return values

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Audit:
        """Return the audit that `to_dict` was made from.

        Raises:
            CorpusError: It is not an audit of this format.
        """
        if value.get("kind") != "audit" or value.get("format") != FORMAT:
            raise CorpusError("not an audit of this version", cure="run the audit again")
        rest = {key: each for key, each in value.items() if key not in ("kind", "format", "headline")}
        return revive(cls, rest)

    @classmethod
    def load(cls, folder: Path | str) -> Audit:
        """Read the audit that `save` wrote.

        Raises:
            CorpusError: It is not an audit of this format.
            StorageError: There is none.
        """
        return cls.from_dict(read_json(Path(folder) / "audit.json"))

    def save(self, folder: Path | str) -> None:
        """Write audit.json, audit.md, audit.html, audit.csv, and a CSV file for each part there is.

        Raises:
            StorageError: The folder cannot be written.
        """
        from hinterland.curate.audit.html import page_of
        from hinterland.curate.audit.render import markdown
        from hinterland.curate.audit.render_csv import csv_files

        folder = Path(folder)
        write_json(folder / "audit.json", self.to_dict())
        for name, content in csv_files(self).items():
            write_text(folder / name, content)
        write_text(folder / "audit.md", markdown(self))
        write_text(folder / "audit.html", page_of(self))

"""Whether the kit's variants decide as the tools do, page by page and rule by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gpu_parts.common import Row, Table

from curation_parts.data import Page
from curation_parts.worker import Worker
from hinterland.curate.filter import make_filters
from hinterland.curate.variants import sentences
from hinterland.curate.words import Batch

__all__ = ["Comparison", "reading_table", "with_datatrove", "with_dolma"]

#: The tool's name for a rule, to the measure and the side of the kit's rule.
DATATROVE: dict[str, dict[str, tuple[str, str]]] = {
    "gopher_quality": {
        "gopher_short_doc": ("words", "low"),
        "gopher_long_doc": ("words", "high"),
        "gopher_below_avg_threshold": ("mean_word_length", "low"),
        "gopher_above_avg_threshold": ("mean_word_length", "high"),
        "gopher_too_many_hashes": ("hashes_per_word", "high"),
        "gopher_too_many_ellipsis": ("ellipses_per_word", "high"),
        "gopher_too_many_bullets": ("bullet_lines", "high"),
        "gopher_too_many_end_ellipsis": ("ellipsis_lines", "high"),
        "gopher_below_alpha_threshold": ("alphabetic_words", "low"),
        "gopher_enough_stop_words": ("stop_words", "low"),
    },
    "gopher_repetition": {
        "dup_para_frac": ("duplicate_paragraphs", "high"),
        "dup_para_char_frac": ("duplicate_paragraph_characters", "high"),
        "dup_line_frac": ("duplicate_lines", "high"),
        "dup_line_char_frac": ("duplicate_line_characters", "high"),
        **{f"top_{n}_gram": (f"top_{n}gram", "high") for n in (2, 3, 4)},
        **{f"duplicated_{n}_n_grams": (f"duplicate_{n}gram", "high") for n in range(5, 11)},
    },
    "c4": {
        "lorem_ipsum": ("lorem_ipsum", "high"),
        "curly_bracket": ("curly_bracket", "high"),
        "too_few_sentences": ("sentences", "low"),
    },
    "fineweb": {
        "line_punct_ratio": ("punctuated_lines", "low"),
        "short_line_ratio": ("short_lines", "high"),
        "char_dup_ratio": ("duplicate_line_characters", "high"),
        "list_ratio": ("newlines_per_word", "high"),
    },
}
#: dolma's score, to the kit's measure and the bounds of dolma's published configuration.
DOLMA: dict[str, dict[str, tuple[str, float | None, float | None]]] = {
    "gopher_quality": {
        "word_count": ("words", 50, 100_000),
        "median_word_length": ("median_word_length", 3, 10),
        "symbol_to_word_ratio": ("symbols_per_word", None, 0.1),
        "fraction_of_words_with_alpha_character": ("alphabetic_words", 0.8, None),
        "required_word_count": ("stop_words", 2, None),
        "fraction_of_lines_starting_with_bullet_point": ("bullet_lines", None, 0.9),
        "fraction_of_lines_ending_with_ellipsis": ("ellipsis_lines", None, 0.3),
    },
    "gopher_repetition": {
        "fraction_of_duplicate_lines": ("duplicate_lines", None, 0.3),
        "fraction_of_characters_in_duplicate_lines": ("duplicate_line_characters", None, 0.3),
        **{
            f"fraction_of_characters_in_most_common_{n}grams": (f"top_{n}gram", None, high)
            for n, high in ((2, 0.2), (3, 0.18), (4, 0.16))
        },
        **{
            f"fraction_of_characters_in_duplicate_{n}grams": (f"duplicate_{n}gram", None, high)
            for n, high in ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.1))
        },
    },
    "c4": {
        "has_curly_brace": ("curly_bracket", None, 0),
        "has_lorem_ipsum": ("lorem_ipsum", None, 0),
        "has_javascript": ("javascript", None, 0),
    },
}
#: Where a sentence ends, for datatrove to count as the kit does.
SENTENCE_BREAK = sentences._BREAK.pattern
_TAGGERS = {"gopher_quality": "gopher_v2", "gopher_repetition": "gopher_v2", "c4": "c4_v2"}


class Comparison:
    """Decisions of the kit and of a tool on the same pages.

    Args:
        tool: The tool, which is also the variant's name.
        pages: How many pages were compared.
    """

    def __init__(self, tool: str, pages: int) -> None:
        self.tool, self.pages = tool, pages
        self.filters: list[Row] = []
        self.rules: list[Row] = []
        self.differences: list[Row] = []
        self._same = np.ones(pages, dtype=bool)

    @property
    def agreement(self) -> float:
        """The share of pages on which all filters decide alike."""
        return float(self._same.mean())

    def add(self, name: str, ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any]) -> None:
        """Count a filter's decisions, true for out."""
        self._same &= ours == theirs
        self.filters.append(
            {
                "tool": self.tool,
                "filter": name,
                "pages": self.pages,
                "kept by us": int((~ours).sum()),
                "kept by it": int((~theirs).sum()),
                "alike": float((ours == theirs).mean()),
            }
        )

    def tables(self) -> Iterator[Table]:
        """Yield the table of filters and the one of rules."""
        overall = f"All filters of a page alike: {self.agreement:.4%} of {self.pages:,} pages."
        yield Table(f"Agreement with {self.tool}, on the same words", [overall], self.filters)
        yield Table(f"Agreement with {self.tool}, rule by rule", [], self.rules)


def scored(pages: Sequence[Page], name: str) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any]]:
    """Return a filter's measures, and its rules by measure."""
    made = make_filters((name,))[0]
    columns = made.score(Batch([text for _, text in pages]))
    cut = len(name) + 1
    return {key[cut:]: values for key, values in columns.items()}, {
        rule.column[cut:]: rule for rule in made.rules
    }


def outside(values: np.ndarray[Any, Any], low: float | None, high: float | None) -> np.ndarray[Any, Any]:
    """Return which values lie outside; NaN does not."""
    values = np.asarray(values, dtype=np.float64)
    below = values < low if low is not None else np.zeros(len(values), dtype=bool)
    above = values > high if high is not None else np.zeros(len(values), dtype=bool)
    return np.asarray(below | above)


def dropped(columns: Mapping[str, Any], rules: Mapping[str, Any], pages: int) -> np.ndarray[Any, Any]:
    """Return which pages a filter's rules put out."""
    out = np.zeros(pages, dtype=bool)
    for measure, rule in rules.items():
        out |= outside(columns[measure], rule.low, rule.high)
    return out


def with_datatrove(worker: Worker, pages: Sequence[Page], file: Path) -> Comparison:
    """Compare with datatrove, which is given the kit's words and sentences.

    Args:
        worker: datatrove's program.
        pages: The pages.
        file: The same pages as JSONL.
    """
    found = worker.call("decide", path=str(file), sentence_break=SENTENCE_BREAK, each_rule=True)
    result = Comparison("datatrove", len(pages))
    at = {key: row for row, key in enumerate(found["ids"])}
    for name, rules in DATATROVE.items():
        columns, own = scored(pages, f"{name}@datatrove")
        reasons = found["reasons"][name]
        theirs = np.array([reason is not None for reason in reasons])
        ours = dropped(columns, own, len(pages))
        result.add(name, ours, theirs)
        for reason, (measure, side) in rules.items():
            rule = own.get(measure)
            if rule is None:
                result.rules.append(
                    {"rule": f"{name}: {reason}", "out by us": None, "out by it": None, "unlike": None}
                )
                continue
            low, high = (rule.low, None) if side == "low" else (None, rule.high)
            mine = outside(columns[measure], low, high)
            its = np.zeros(len(pages), dtype=bool)
            its[[at[key] for key in found["out"][name][reason]]] = True
            unlike = mine != its
            if reason == "too_few_sentences":  # counting stops where a flag drops the page
                unlike &= ~(ours & theirs)
            result.rules.append(rule_row(f"{name}: {reason}", mine, its, unlike))
            for row in np.flatnonzero(unlike):
                key, text = pages[row]
                value = worker.call(
                    "value", text=text, name=name, reason=reason, sentence_break=SENTENCE_BREAK
                )
                result.differences.append(difference(key, f"{name}: {reason}", columns[measure][row], value))
    return result


def with_dolma(worker: Worker, pages: Sequence[Page], file: Path) -> Comparison:
    """Compare with dolma's second taggers under its published bounds."""
    found = worker.call("scores", path=str(file), taggers=["gopher_v2", "c4_v2"])["scores"]
    result = Comparison("dolma", len(pages))
    for name, rules in DOLMA.items():
        columns, own = scored(pages, f"{name}@dolma")
        theirs = np.zeros(len(pages), dtype=bool)
        for score, (measure, low, high) in rules.items():
            key = f"{_TAGGERS[name]}__{score}"
            absent = 0.0 if name == "c4" else np.nan
            values = np.array([row[key][0] if key in row else absent for row in found])
            its = outside(values, low, high)
            theirs |= its
            rule = own.get(measure)
            if rule is None:
                result.rules.append(
                    {"rule": f"{name}: {score}", "out by us": None, "out by it": None, "unlike": None}
                )
                continue
            mine = outside(columns[measure], rule.low, rule.high)
            result.rules.append(rule_row(f"{name}: {score}", mine, its, mine != its))
            result.differences += [
                difference(pages[row][0], f"{name}: {score}", columns[measure][row], values[row])
                for row in np.flatnonzero(mine != its)
            ]
        result.add(name, dropped(columns, own, len(pages)), theirs)
    return result


def rule_row(
    name: str, ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any], unlike: np.ndarray[Any, Any]
) -> Row:
    """Return a rule's line in the table."""
    return {
        "rule": name,
        "out by us": int(ours.sum()),
        "out by it": int(theirs.sum()),
        "unlike": int(unlike.sum()),
    }


def difference(key: str, rule: str, ours: float, theirs: float) -> Row:
    """Return one page on which a rule decides unlike."""
    return {"page": key, "rule": rule, "ours": float(ours), "theirs": float(theirs)}


def reading_table(worker: Worker, pages: Sequence[Page], file: Path) -> Table:
    """Compare with datatrove as it is, with its own words and sentences; for information.

    Args:
        worker: datatrove's program.
        pages: The pages.
        file: The same pages as JSONL.
    """
    reasons = worker.call("decide", path=str(file), sentence_break=None, each_rule=False)["reasons"]
    table = Table(
        "datatrove with its own words (spaCy), beside two readings of the kit",
        [f"{len(pages):,} pages. Alike: the share on which the filter decides as datatrove does."],
    )
    for name in DATATROVE:
        theirs = np.array([reason is not None for reason in reasons[name]])
        row: Row = {"filter": name, "kept by it": int((~theirs).sum())}
        for reading, made in (("its rules, our words", f"{name}@datatrove"), ("paper", name)):
            columns, rules = scored(pages, made)
            ours = dropped(columns, rules, len(pages))
            row |= {
                f"kept: {reading}": int((~ours).sum()),
                f"alike: {reading}": float((ours == theirs).mean()),
            }
        table.rows.append(row)
    return table

"""datatrove's filters and MinHash, run in its own environment; see `serve` for the protocol."""

from __future__ import annotations

import contextlib
import re
import shutil
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datatrove.data import Document
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.filters.c4_filters import C4QualityFilter
from datatrove.pipeline.filters.fineweb_quality_filter import FineWebQualityFilter
from datatrove.pipeline.filters.gopher_quality_filter import GopherQualityFilter
from datatrove.pipeline.filters.gopher_repetition_filter import GopherRepetitionFilter
from datatrove.utils.word_tokenizers import WordTokenizer
from loguru import logger
from serve import documents, serve, timed

logger.remove()
FILTERS = {
    "gopher_quality": GopherQualityFilter,
    "gopher_repetition": GopherRepetitionFilter,
    "c4": C4QualityFilter,
    "fineweb": FineWebQualityFilter,
}
TOP = {2: 0.2, 3: 0.18, 4: 0.16}
COPIES = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.1}
#: Options that switch every rule of a filter off.
OFF: dict[str, dict[str, Any]] = {
    "gopher_quality": dict.fromkeys(
        (
            "min_doc_words", "max_doc_words", "min_avg_word_length", "max_avg_word_length",
            "max_symbol_word_ratio", "max_bullet_lines_ratio", "max_ellipsis_lines_ratio",
            "max_non_alpha_words_ratio", "min_stop_words",
        )
    ),
    "gopher_repetition": {
        **dict.fromkeys(("dup_line_frac", "dup_para_frac", "dup_line_char_frac", "dup_para_char_frac")),
        "top_n_grams": (),
        "dup_n_grams": (),
    },
    "c4": {"min_num_sentences": -1, "filter_lorem_ipsum": False, "filter_curly_bracket": False},
    "fineweb": {
        "line_punct_thr": -1, "short_line_thr": 9e9, "char_duplicates_ratio": 9e9, "new_line_ratio": 9e9,
    },
}  # fmt: skip
#: One rule of a filter: the reason it gives, its option, its default.
RULES: dict[str, list[tuple[str, str, Any]]] = {
    "gopher_quality": [
        ("gopher_short_doc", "min_doc_words", 50),
        ("gopher_long_doc", "max_doc_words", 100000),
        ("gopher_below_avg_threshold", "min_avg_word_length", 3),
        ("gopher_above_avg_threshold", "max_avg_word_length", 10),
        ("gopher_too_many_hashes", "max_symbol_word_ratio", 0.1),
        ("gopher_too_many_ellipsis", "max_symbol_word_ratio", 0.1),
        ("gopher_too_many_bullets", "max_bullet_lines_ratio", 0.9),
        ("gopher_too_many_end_ellipsis", "max_ellipsis_lines_ratio", 0.3),
        ("gopher_below_alpha_threshold", "max_non_alpha_words_ratio", 0.8),
        ("gopher_enough_stop_words", "min_stop_words", 2),
    ],
    "gopher_repetition": [
        ("dup_para_frac", "dup_para_frac", 0.3),
        ("dup_para_char_frac", "dup_para_char_frac", 0.2),
        ("dup_line_frac", "dup_line_frac", 0.3),
        ("dup_line_char_frac", "dup_line_char_frac", 0.2),
        *((f"top_{n}_gram", f"top_n_grams:{n}", share) for n, share in TOP.items()),
        *((f"duplicated_{n}_n_grams", f"dup_n_grams:{n}", share) for n, share in COPIES.items()),
    ],
    "c4": [
        ("lorem_ipsum", "filter_lorem_ipsum", True),
        ("curly_bracket", "filter_curly_bracket", True),
        ("too_few_sentences", "min_num_sentences", 5),
    ],
    "fineweb": [
        ("line_punct_ratio", "line_punct_thr", 0.12),
        ("short_line_ratio", "short_line_thr", 0.67),
        ("char_dup_ratio", "char_duplicates_ratio", 0.01),
        ("list_ratio", "new_line_ratio", 0.3),
    ],
}
#: Rules that drop a page below their bound; the others drop above it.
LOW = {
    "gopher_short_doc", "gopher_below_avg_threshold", "gopher_below_alpha_threshold",
    "gopher_enough_stop_words", "too_few_sentences", "line_punct_ratio",
}  # fmt: skip


class Spaces(WordTokenizer):  # type: ignore[misc]
    """The kit's splitting in place of spaCy's: words at white space, sentences by a pattern."""

    def __init__(self, sentence_break: str) -> None:
        super().__init__("en")
        self._break = re.compile(sentence_break)

    def word_tokenize(self, text: str) -> list[str]:
        """Return the words."""
        return text.split()

    def sent_tokenize(self, text: str) -> list[str]:
        """Return the sentences."""
        return [text[start:end] for start, end in self.span_tokenize(text)]

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        """Return where each sentence begins and ends."""
        ends = [found.end() for found in self._break.finditer(text)]
        return list(zip([0, *ends], [*ends, len(text)], strict=True))


class Texts:
    """The documents that timings go over."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []
        self.filters = {name: make() for name, make in FILTERS.items()}

    def load(self, path: str) -> int:
        """Read the documents; return how many there are."""
        self.rows = list(documents(path))
        return len(self.rows)

    def fresh(self, limit: int | None = None) -> list[Document]:
        """Return new documents: C4's filter changes the text of those it is given."""
        return [Document(text=text, id=key) for key, text in self.rows[:limit]]

    def every_filter(self, limit: int | None = None) -> None:
        """Put each document through all four filters and MinHash; words are split once for three."""
        rows = self.fresh(limit)
        order = [self.filters[name] for name in ("gopher_quality", "gopher_repetition", "fineweb")]
        for row in rows:
            for each in order:
                with contextlib.suppress(ZeroDivisionError):
                    each.filter(row)
            self.filters["c4"].filter(Document(text=row.text, id=row.id))
        with tempfile.TemporaryDirectory() as folder:
            MinhashDedupSignature(output_folder=folder).run(iter(rows), 0, 1)

    def pipeline(self, limit: int | None = None) -> None:
        """Run FineWeb's chain, in which a document that is out goes no further."""
        stream: Iterator[Document] = iter(self.fresh(limit))
        for name in ("gopher_repetition", "gopher_quality", "c4", "fineweb"):
            stream = self.filters[name].run(stream, 0, 1)
        with tempfile.TemporaryDirectory() as folder:
            MinhashDedupSignature(output_folder=folder).run(stream, 0, 1)


TEXTS = Texts()


def made(name: str, language: Any, option: str, value: Any) -> Any:
    """Return a filter with one rule alone."""
    options = dict(OFF[name])
    key, _, size = option.partition(":")
    options[key] = ((int(size), value),) if size else value
    return FILTERS[name](**options, language=language)


def alone_outcome(each: Any, text: str, reason: str) -> bool:
    """Return whether a rule on its own drops the text.

    Hashes and ellipses share an option, and hashes come first: without them in the text,
    the other rule is seen.
    """
    return outcome(each, text.replace("#", "+") if reason == "gopher_too_many_ellipsis" else text) == reason


def outcome(each: Any, text: str) -> str | None:
    """Return the reason a filter gives, ``None`` if it keeps the text."""
    try:
        found = each.filter(Document(text=text, id=""))
    except ZeroDivisionError:
        return "division by zero"
    return None if found is True else str(found[1])


def decide(path: str, sentence_break: str | None, each_rule: bool) -> dict[str, Any]:
    """Return every filter's reason and every rule's own decision for each document.

    Args:
        path: The documents.
        sentence_break: Where a sentence ends; words are then split at white space.
            ``None`` leaves both to spaCy.
        each_rule: Whether to run each rule on its own, too.
    """
    language = Spaces(sentence_break) if sentence_break is not None else "eng"
    whole = {name: make(language=language) for name, make in FILTERS.items()}
    alone = {
        name: [(reason, made(name, language, option, value)) for reason, option, value in rules]
        for name, rules in RULES.items()
    }
    ids: list[str] = []
    reasons: dict[str, list[str | None]] = {name: [] for name in FILTERS}
    out: dict[str, dict[str, list[str]]] = {
        name: {reason: [] for reason, _, _ in rules} for name, rules in RULES.items()
    }
    for key, text in documents(path):
        ids.append(key)
        for name, each in whole.items():
            reasons[name].append(outcome(each, text))
            for reason, rule in alone[name] if each_rule else ():
                if alone_outcome(rule, text, reason):
                    out[name][reason].append(key)
    return {"ids": ids, "reasons": reasons, "out": out}


def value(text: str, name: str, reason: str, sentence_break: str | None) -> float:
    """Return what a rule measures, found by moving its bound until the decision changes."""
    language = Spaces(sentence_break) if sentence_break is not None else "eng"
    option = next(option for known, option, _ in RULES[name] if known == reason)
    if option.startswith("filter_"):
        return float(alone_outcome(made(name, language, option, True), text, reason))
    low, high = 1e-9, 1e7
    for _ in range(80):
        middle = (low + high) / 2
        if alone_outcome(made(name, language, option, middle), text, reason) == (reason in LOW):
            high = middle
        else:
            low = middle
    return high


def near_duplicates(path: str) -> dict[str, Any]:
    """Run the four MinHash stages; return the matched pairs, the clusters and what is left."""
    rows = list(documents(path))
    config = MinhashConfig()
    folder = Path(tempfile.mkdtemp())
    try:
        stream = (Document(text=text, id=key) for key, text in rows)
        MinhashDedupSignature(str(folder / "signatures"), config=config).run(stream, 0, 1)
        for bucket in range(config.num_buckets):
            MinhashDedupBuckets(str(folder / "signatures"), str(folder / "pairs"), config=config).run(
                None, bucket, config.num_buckets
            )
        MinhashDedupCluster(
            str(folder / "pairs"), str(folder / "remove"), config=config, save_cluster_id=True
        ).run(None, 0, 1)
        stream = (Document(text=text, id=key) for key, text in rows)
        kept = [row.id for row in MinhashDedupFilter(str(folder / "remove")).run(stream, 0, 1)]
        pairs: set[tuple[int, int]] = set()
        for file in sorted((folder / "pairs").rglob("*.dups")):
            for _, first, _, second in struct.iter_unpack("<4I", file.read_bytes()):
                pairs.add((min(first, second), max(first, second)))
        clusters = {
            rows[row][0]: cluster
            for file in sorted((folder / "remove").rglob("*.clusters"))
            for row, cluster in struct.iter_unpack("<2I", file.read_bytes())
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    names = [(rows[first][0], rows[second][0]) for first, second in sorted(pairs)]
    return {"pairs": names, "clusters": clusters, "kept": kept}


if __name__ == "__main__":
    sys.setrecursionlimit(100_000)  # its clustering recurses once per member
    serve(
        {
            "load": TEXTS.load,
            "warm": lambda: TEXTS.every_filter(20),
            "time": lambda least: timed(TEXTS.every_filter, least=least),
            "time_pipeline": lambda least: timed(TEXTS.pipeline, least=least),
            "decide": decide,
            "value": value,
            "near_duplicates": near_duplicates,
        }
    )

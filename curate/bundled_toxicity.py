"""The toxicity classifier inside alt-profanity-check, without its slow parts.

A linear SVM on TF-IDF words, calibrated by Platt's method (Zhou 2019, "Building a better
profanity detection library with scikit-learn"), trained on 200,000 comments from Wikipedia
talk pages and tweets. The package saves scikit-learn objects with joblib. They are read
from the installed package alone, never from a file that a user names, and only their
numbers are kept; scoring is a compiled loop that gives what scikit-learn would.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hinterland.core.errors import MissingDependencyError, ModelSourceError
from hinterland.core.files import hash_file
from hinterland.core.imports import require
from hinterland.core.run import fingerprint
from hinterland.curate.kernels.hashed import hash_words
from hinterland.curate.kernels.tfidf import Linear, probabilities, vocabulary
from hinterland.curate.words import Batch

__all__ = ["bundled_content", "bundled_scores"]

_CURE = "pip install 'hinterland[curate]'"
_LIMIT = 0x40000  # beyond this no character belongs to a word
#: UTF-8 of İ and Σ, whose lower case is more than one character, or depends on the next.
_IRREGULAR = ("İ".encode(), "Σ".encode())


def _files() -> list[Path]:
    """Return the vectorizer's and the model's file in the installed package.

    Raises:
        MissingDependencyError: It is not installed.
    """
    from importlib.util import find_spec

    spec = find_spec("profanity_check")  # not imported: it would unpickle by itself
    if spec is None or spec.origin is None:
        raise MissingDependencyError("the package 'alt-profanity-check' is not installed", cure=_CURE)
    folder = Path(spec.origin).parent / "data"
    return [folder / "vectorizer.joblib", folder / "model.joblib"]


def bundled_content() -> str:
    """Return a hash of the classifier's files; errors as `bundled_scores`."""
    return fingerprint(*(hash_file(file) for file in _files()))


def bundled_scores(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return each text's probability of being toxic, shape (texts,); NaN without a word.

    Raises:
        MissingDependencyError: alt-profanity-check is not installed.
        ModelSourceError: Its files cannot be read with the installed scikit-learn.
    """
    batch = Batch.of(texts)
    data = batch.data.tobytes()
    if any(mark in data for mark in _IRREGULAR):
        batch = Batch([text.lower() for text in texts])
    kinds, lower = _tables()
    return probabilities(hash_words(batch.data, batch.offsets, kinds, lower, 2), _model())


@cache
def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    r"""Return what belongs to a word (``\w``) and each character's lower case."""
    kinds = np.array([chr(code).isalnum() for code in range(_LIMIT)], dtype=np.uint8)
    kinds[ord("_")] = 1
    lower = np.array([ord(chr(code).lower()[0]) for code in range(_LIMIT)], dtype=np.uint32)
    return kinds, lower


@cache
def _model() -> Linear:
    """Return the classifier's numbers."""
    files = _files()
    joblib = require("joblib", cure=_CURE)
    from sklearn.exceptions import InconsistentVersionWarning

    try:
        with warnings.catch_warnings():
            # The numbers that are read below have had the same names since 1.2.
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            words, model = (joblib.load(file) for file in files)
        return _numbers(words, model)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ImportError, EOFError) as error:
        raise ModelSourceError(
            f"scikit-learn {version('scikit-learn')} cannot read alt-profanity-check's classifier: {error}",
            where=str(files[1]),
            cure="pip install --upgrade alt-profanity-check, whose version is that of its scikit-learn",
        ) from error


def _numbers(vectorizer: Any, model: Any) -> Linear:
    """Return the numbers of a TfidfVectorizer and a CalibratedClassifierCV of linear SVMs.

    Raises:
        ValueError: They are not what this reading of them is right for.
    """
    settings = vectorizer.get_params()
    expected = {
        "analyzer": "word", "binary": False, "lowercase": True, "ngram_range": (1, 1), "norm": "l2",
        "strip_accents": None, "sublinear_tf": False, "token_pattern": r"(?u)\b\w\w+\b", "tokenizer": None,
        "use_idf": True, "preprocessor": None,
    }  # fmt: skip
    other = {name for name, value in expected.items() if settings[name] != value}
    if other or model.method != "sigmoid" or list(model.classes_) != [0, 1]:
        raise ValueError(f"other settings than are known: {', '.join(sorted(other)) or 'calibration'}")
    ordered = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)
    batch = Batch(ordered)
    hashed = hash_words(batch.data, batch.offsets, *_tables(), 2)
    if not (np.diff(hashed.offsets) == 1).all():
        raise ValueError("its words are not words of this reading")
    members = model.calibrated_classifiers_
    return Linear(
        *vocabulary(hashed.hashes),
        np.asarray(vectorizer.idf_, dtype=np.float64),
        np.array([member.estimator.coef_[0] for member in members], dtype=np.float64),
        np.array([member.estimator.intercept_[0] for member in members], dtype=np.float64),
        np.array([member.calibrators[0].a_ for member in members], dtype=np.float64),
        np.array([member.calibrators[0].b_ for member in members], dtype=np.float64),
    )

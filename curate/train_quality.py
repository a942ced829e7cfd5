"""Train the quality classifier: which of two piles does a document resemble?

The set-up is GPT-3's (Brown et al. 2020, arXiv:2005.14165, appendix A): chosen texts
against the web, hashed words, logistic regression. Features and the split follow
Gururangan et al. (2022, arXiv:2201.10474): 2^20 hashed lower-case unigrams and bigrams,
equally many documents of each class, 80/10/10. Their solver (liblinear, L1, C 0.978) is an
option; it needs all features in memory. The default, FTRL-Proximal, goes over the
documents from disk, needs 16 MB for the fit whatever their number, takes a tenth of the
time, and was as good or better in each of three trials (rude tweets, hateful sentences,
speeches by decade: AUC 0.985, 1.000 and 0.930 against 0.981, 1.000 and 0.879). Counts enter
as 1 + log c, so that a page which repeats one word is not judged by it alone.
"""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.errors import ConfigError, CorpusError
from hinterland.core.files import write_json, write_text
from hinterland.core.progress import track
from hinterland.core.seeds import generator
from hinterland.curate.quality_card import Outcome, make_card, render_card
from hinterland.curate.quality_features import (
    Bucket,
    Chosen,
    Store,
    buckets_of,
    choose,
    read_buckets,
    store_documents,
)
from hinterland.curate.quality_model import QualityModel

__all__ = ["MIN_DOCUMENTS", "TrainQualityConfig", "check", "train_quality"]

#: Fewer documents of a class than this teach nothing that a test on a tenth could show.
MIN_DOCUMENTS = 50
#: Gururangan et al.'s liblinear settings.
_PAPER_C, _PAPER_TOLERANCE = 0.978, 8.16e-4


class TrainQualityConfig(Config):
    """How to train the classifier.

    Attributes:
        column: The column with the text.
        solver: ``ftrl`` streams from disk; ``liblinear`` is Gururangan et al.'s (L1,
            C 0.978, tolerance 8.16e-4) and needs 16 bytes a feature of every document.
        counts: A word's count enters as 1 + log c (``log``) or as it is (``raw``).
        balance: Cut the larger class to the size of the smaller, at random.
        epochs: At most this many passes; the one with the best validation loss is kept.
        rate: FTRL's step size.
        l1: FTRL's penalty on absolute weights.
        l2: FTRL's penalty on squared weights.
        seed: Decides on the split, the cut and the order.
    """

    column: str = "text"
    solver: Literal["ftrl", "liblinear"] = "ftrl"
    counts: Literal["log", "raw"] = "log"
    balance: bool = True
    epochs: int = Field(default=5, ge=1)
    rate: float = Field(default=3.0, gt=0)
    l1: float = Field(default=0.1, ge=0)
    l2: float = Field(default=0.0, ge=0)
    seed: int = 0


def check(positive: tuple[Path, ...], negative: tuple[Path, ...]) -> None:
    """Refuse a class without files, and one path in both.

    Raises:
        ConfigError: A class has no files, or a path is given for both.
    """
    for name, paths in (("positive", positive), ("negative", negative)):
        if not paths:
            raise ConfigError(f"no {name} texts", where=name, cure=f"give --{name} FILE")
    both = {path.resolve() for path in positive} & {path.resolve() for path in negative}
    if both:
        raise ConfigError(
            "one path is given as positive and as negative", where=str(min(both)), cure="give it once"
        )


def train_quality(
    positive: tuple[Path, ...], negative: tuple[Path, ...], out: Path, config: TrainQualityConfig
) -> dict[str, Any]:
    """Train, test, and write ``model.json``, ``weights.safetensors``, ``card.json``, ``card.md``.

    The same documents in any order of files give the same bytes.

    Args:
        positive: Files or folders of texts that the score shall be high for.
        negative: Files or folders of texts that it shall be low for.
        out: The folder; the features are kept in it while it is at work, then removed.
        config: How to train.

    Returns:
        The card.

    Raises:
        ConfigError: A class has no files, or a path is given for both.
        CorpusError: There is nothing to read, or too few documents are left of a class.
        StorageError: The folder cannot be written.
    """
    check(positive, negative)
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".features-", dir=out) as scratch:
        store = store_documents(positive, negative, Path(scratch), column=config.column, seed=config.seed)
        chosen = choose(store, balance=config.balance, seed=config.seed)
        if min(chosen.available) < MIN_DOCUMENTS:
            raise CorpusError(
                f"{chosen.available[1]} positive and {chosen.available[0]} negative documents are left",
                where=f"of {len(store.keys)} read; {chosen.copies} are copies and {chosen.in_both} in both",
                cure=f"give at least {MIN_DOCUMENTS} different ones of each; the text is in column"
                f" {config.column!r}",
            )
        fit = _fit_liblinear if config.solver == "liblinear" else _fit_ftrl
        model, history = fit(store, chosen, config)
        card = make_card(
            store=store,
            chosen=chosen,
            train_sources=_count_sources(store, chosen),
            tested=_test(store, chosen, model),
            settings=config.model_dump(mode="json"),
            history=history,
            nonzero=int(np.count_nonzero(model.weights)),
        )
    model.save(out)
    write_json(out / "card.json", card)
    write_text(out / "card.md", render_card(card))
    return card


def _fit_ftrl(
    store: Store, chosen: Chosen, config: TrainQualityConfig
) -> tuple[QualityModel, list[dict[str, float]]]:
    """Return the model of the epoch with the best validation loss, and the losses."""
    from hinterland.curate.kernels.ftrl import fit_rows, make_state, weights_of
    from hinterland.curate.kernels.hashed import FEATURES

    damped = config.counts == "log"
    state, history = make_state(FEATURES), []
    penalties = {"rate": config.rate, "l1": config.l1, "l2": config.l2}
    best, model = math.inf, None
    for epoch in range(config.epochs):
        random = generator(config.seed, "train-quality", "order", epoch)
        order = random.permutation(buckets_of("train")).tolist()
        loss, documents = 0.0, 0
        buckets = read_buckets(store, chosen, "train", order)
        for bucket in track(buckets, f"train-quality: pass {epoch + 1}", total=len(order)):
            rows = random.permutation(len(bucket.labels))
            loss += fit_rows(state, bucket.rows, bucket.labels, rows, damped=damped, **penalties)
            documents += len(rows)
        now = QualityModel(*weights_of(state, **penalties), damped)
        found = _test(store, chosen, now, part="validation")
        history.append(
            {"train_loss": round(loss / max(documents, 1), 6), "validation_loss": round(found.log_loss(), 6)}
        )
        if model is not None and found.log_loss() >= best:
            break
        best, model = found.log_loss(), now
    assert model is not None  # noqa: S101 - there is at least one epoch
    return model, history


def _fit_liblinear(
    store: Store, chosen: Chosen, config: TrainQualityConfig
) -> tuple[QualityModel, list[dict[str, float]]]:
    """Return Gururangan et al.'s model; all features are in memory."""
    import sklearn
    from sklearn.linear_model import LogisticRegression

    from hinterland.curate.kernels.hashed import FEATURES

    buckets = list(read_buckets(store, chosen, "train"))
    matrix = import_module("scipy.sparse").vstack(
        [_matrix(bucket, damped=config.counts == "log") for bucket in buckets], format="csr"
    )
    labels = np.concatenate([bucket.labels for bucket in buckets])
    used = np.unique(matrix.indices)  # the others' weights are 0, and cost time all the same
    version = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
    penalty: dict[str, Any] = {"l1_ratio": 1.0} if version >= (1, 8) else {"penalty": "l1"}
    fitted = LogisticRegression(
        C=_PAPER_C,
        tol=_PAPER_TOLERANCE,
        solver="liblinear",
        random_state=config.seed % 2**32,
        max_iter=1000,
        **penalty,
    ).fit(matrix[:, used], labels)
    weights = np.zeros(FEATURES, dtype=np.float32)
    weights[used] = fitted.coef_[0]
    model = QualityModel(weights, float(fitted.intercept_[0]), config.counts == "log")
    found = _test(store, chosen, model, part="validation")
    return model, [{"validation_loss": round(found.log_loss(), 6)}]


def _matrix(bucket: Bucket, *, damped: bool) -> Any:
    """Return the bucket's rows as a sparse matrix, each scaled to length 1."""
    from hinterland.curate.kernels.hashed import FEATURES

    sparse = import_module("scipy.sparse")
    rows = bucket.rows
    values = rows.counts.astype(np.float64)
    if damped:
        values = 1 + np.log(values)
    shape = (len(bucket.labels), FEATURES)
    matrix = sparse.csr_matrix((values, rows.indices.astype(np.int32), rows.offsets), shape=shape)
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.diags(1 / np.maximum(lengths, 1e-300)) @ matrix


def _test(store: Store, chosen: Chosen, model: QualityModel, *, part: str = "test") -> Outcome:
    labels, sources, scores = [], [], []
    for bucket in read_buckets(store, chosen, part):
        labels.append(bucket.labels)
        sources.append(bucket.sources)
        scores.append(model.from_margin(_products(bucket, model)))
    return Outcome(np.concatenate(labels), np.concatenate(sources), np.concatenate(scores))


def _products(bucket: Bucket, model: QualityModel) -> NDArray[np.float64]:
    return np.asarray(_matrix(bucket, damped=model.damped) @ model.weights.astype(np.float64))


def _count_sources(store: Store, chosen: Chosen) -> NDArray[np.int64]:
    """Return how many training documents each source has, shape (sources,)."""
    total = np.zeros(len(store.sources), dtype=np.int64)
    for bucket in read_buckets(store, chosen, "train"):
        total += np.bincount(bucket.sources, minlength=len(total))
    return total

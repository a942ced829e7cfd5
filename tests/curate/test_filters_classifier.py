"""The filter `quality`: scores of a saved classifier, and files that are not one."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinterland.core.errors import ConfigError, ModelSourceError
from hinterland.curate.filters.classifier import Quality
from hinterland.curate.hashing import words
from hinterland.curate.kernels.hashed import FEATURES, count_ngrams, hash_word
from hinterland.curate.quality_model import QualityModel, load_quality_model
from hinterland.curate.words import Batch

TEXT = st.text(max_size=60)


def make(folder: Path, *, damped: bool = True) -> Path:
    """Save a model that knows two words: sea (+2) and hill (−1)."""
    weights = np.zeros(FEATURES, dtype=np.float32)
    weights[hash_word("sea") >> 44], weights[hash_word("hill") >> 44] = 2, -1
    folder.mkdir(exist_ok=True)
    QualityModel(weights, 0.5, damped).save(folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("model"))


def test_scores_by_hand(model: Path) -> None:
    scores = Quality(model=str(model)).score(["Sea", "hill!", "sea, sea", "none of these", "", " ?"])
    # "sea, sea" has the features sea (twice) and sea-sea (once).
    value = 1 + math.log(2)
    margins = [2 + 0.5, -1 + 0.5, 2 * value / math.sqrt(value**2 + 1) + 0.5, 0.5]
    expected = [1 / (1 + math.exp(-margin)) for margin in margins]
    np.testing.assert_allclose(scores["quality.score"][:4], expected, atol=1e-6)
    assert np.isnan(scores["quality.score"][4:]).all()
    assert Quality.rules == ()


def test_raw_counts(tmp_path: Path) -> None:
    scores = Quality(model=str(make(tmp_path, damped=False))).score(["sea sea"])
    margin = 2 * 2 / math.sqrt(5) + 0.5
    assert math.isclose(scores["quality.score"][0], 1 / (1 + math.exp(-margin)), abs_tol=1e-6)


@settings(max_examples=80, deadline=None)
@given(st.lists(TEXT, max_size=4), TEXT)
def test_a_score_depends_on_its_own_text_alone(model: Path, others: list[str], text: str) -> None:
    scorer = Quality(model=str(model))
    alone = scorer.score([text])["quality.score"][0]
    together = scorer.score(Batch([*others, text]))["quality.score"][-1]
    assert alone == together or (math.isnan(alone) and math.isnan(together))
    assert math.isnan(alone) or 0 <= alone <= 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["sea", "hill", "moor", "bay"]), min_size=1, max_size=20).map(" ".join))
def test_scores_are_those_of_the_sparse_product(model: Path, text: str) -> None:
    loaded = load_quality_model(model)
    rows = count_ngrams(words([text]))
    values = 1 + np.log(rows.counts.astype(np.float64))
    margin = float(values @ loaded.weights[rows.indices]) / math.sqrt(float(values @ values)) + 0.5
    assert math.isclose(loaded.probability([text])[0], 1 / (1 + math.exp(-margin)), abs_tol=1e-6)


def test_another_model_at_the_place_is_read_again(tmp_path: Path) -> None:
    scorer = Quality(model=str(make(tmp_path)))
    before, content = scorer.score(["hill"])["quality.score"][0], scorer.content()
    QualityModel(np.ones(FEATURES, dtype=np.float32), 0.5, True).save(tmp_path)
    assert scorer.score(["hill"])["quality.score"][0] != before
    assert scorer.content() != content


def change(folder: Path, **values: object) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_no_model() -> None:
    with pytest.raises(ConfigError, match="no quality classifier is given") as caught:
        Quality().score(["x"])
    assert "train-quality" in caught.value.cure


def test_files_that_are_not_a_model(tmp_path: Path) -> None:
    scorer = Quality(model=str(tmp_path / "none"))
    with pytest.raises(ModelSourceError, match=r"model\.json is missing"):
        scorer.score(["x"])
    broken = {
        "not of this version": {"format": 99},
        "not a quality": {"kind": "other"},
        "made for the word hashing 'old'": {"hashing": "old"},
        "not those of model.json": {"sha256": "0"},
        "cannot be read": {"intercept": None},
        "not numbers of this format": {"intercept": math.inf},
    }
    for number, (message, values) in enumerate(broken.items()):
        folder = make(tmp_path / f"m{number}")
        change(folder, **values)
        pattern = "not a quality classifier" if number < 2 else message
        with pytest.raises(ModelSourceError, match=pattern):
            Quality(model=str(folder)).score(["x"])


def test_damaged_files(tmp_path: Path) -> None:
    from hinterland.core.files import hash_file

    folder = make(tmp_path / "a")
    (folder / "weights.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ModelSourceError, match="not those of"):
        Quality(model=str(folder)).score(["x"])
    change(folder, sha256=hash_file(folder / "weights.safetensors"))
    with pytest.raises(ModelSourceError, match="cannot be read"):
        Quality(model=str(folder)).score(["x"])
    (folder / "weights.safetensors").unlink()
    with pytest.raises(ModelSourceError, match="no such file"):
        Quality(model=str(folder)).score(["x"])
    (folder / "model.json").write_text("{")
    with pytest.raises(ModelSourceError):
        Quality(model=str(folder)).score(["x"])
    short = tmp_path / "short"
    short.mkdir()
    QualityModel(np.zeros(8, dtype=np.float32), 0.0, True).save(short)
    with pytest.raises(ModelSourceError, match="not numbers of this format"):
        Quality(model=str(short)).score(["x"])

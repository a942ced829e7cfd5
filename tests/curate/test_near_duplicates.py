"""The duplicate search over shards: what is found, what is kept, and that nothing else matters."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinterland.core.config import parse_config
from hinterland.core.engine import LocalEngine
from hinterland.core.errors import ConfigError, CorpusError
from hinterland.curate.dedup import NearDuplicates, find_duplicates, text_hashes
from hinterland.curate.kernels.minhash import NO_KEY, MinHash, band_keys, shingle_sets
from hinterland.curate.words import Batch

Row = dict[str, Any]


def write_shards(folder: Path, rows: Sequence[Row], sizes: Sequence[int], config: NearDuplicates) -> None:
    """Write a corpus of shards of these sizes, and their score shards."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "read").mkdir(parents=True)
    (folder / "score").mkdir()
    at = 0
    for number, size in enumerate(sizes):
        part, at = rows[at : at + size], at + size
        name = f"part-{number:05d}.parquet"
        texts = [row["text"] for row in part]
        ids = pa.array([row["id"] for row in part], pa.string())
        table = pa.table({"id": ids, "text": pa.array(texts, pa.string())})
        for key in ("source", "date"):
            table = table.append_column(key, pa.array([row.get(key) for row in part], pa.string()))
        pq.write_table(table, folder / "read" / name)
        batch = Batch(texts)
        found = text_hashes(batch)
        bounds = np.concatenate([[0], np.cumsum(found.counts)]).astype(np.int32)
        keys = pa.array(band_keys(batch, config.minhash).ravel())
        scores = {
            "id": ids,
            "_exact": pa.array([digest.tobytes() for digest in found.exact], pa.binary(16)),
            "_bands": pa.FixedSizeListArray.from_arrays(keys, config.bands),
            "_paragraphs": pa.ListArray.from_arrays(bounds, pa.array(found.paragraphs)),
            "_paragraph_characters": pa.ListArray.from_arrays(bounds, pa.array(found.characters)),
        }
        pq.write_table(pa.table(scores), folder / "score" / name)
    assert at == len(rows)


def search(
    folder: Path,
    documents: Sequence[Row],
    sizes: Sequence[int] | None = None,
    workers: int = 1,
    **options: Any,
) -> tuple[dict[str, Row], dict[str, Any]]:
    """Return the columns by id, and the card."""
    config = NearDuplicates(**options)
    write_shards(folder, documents, sizes or [len(documents)], config)
    texts, scored = (sorted((folder / name).iterdir()) for name in ("read", "score"))
    card = find_duplicates(
        texts, scored, folder / "out", config, engine=LocalEngine(workers), work=folder / "work"
    )
    found = [row for path in sorted((folder / "out").iterdir()) for row in pq.read_table(path).to_pylist()]
    assert [row["id"] for row in found] == [row["id"] for row in documents]
    return {row["id"]: row for row in found}, card


def words(seed: int, number: int) -> list[str]:
    source = random.Random(seed)
    return ["".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(number)]


def numbered(texts: Sequence[str]) -> list[Row]:
    return [{"id": f"{number:03d}", "text": text} for number, text in enumerate(texts)]


def chain(steps: int) -> list[Row]:
    """Return windows of 100 of 5-word shingles, each 10 further: neighbours have J = 90/110."""
    vocabulary = words(1, 104 + 10 * steps)
    return numbered([" ".join(vocabulary[10 * at : 10 * at + 104]) for at in range(steps)])


def test_jaccard_by_hand(tmp_path: Path) -> None:
    base = words(0, 104)  # 100 shingles
    changed = [*base[:103], "other"]  # the last shingle differs: 99 / 101
    rows = numbered([" ".join(base), " ".join(words(9, 104)), " ".join(changed), " ".join(base).upper()])
    found, card = search(tmp_path, rows)
    assert [found[f"{n:03d}"]["near_dup.cluster"] for n in range(4)] == ["000", "001", "000", "000"]
    assert [found[f"{n:03d}"]["near_dup.size"] for n in range(4)] == [3, 1, 3, 3]
    assert [found[f"{n:03d}"]["near_dup.first"] for n in range(4)] == [True, True, False, False]
    jaccard = [found[f"{n:03d}"]["near_dup.jaccard"] for n in range(4)]
    assert jaccard[0] == jaccard[3] == 1.0
    assert jaccard[2] == 99 / 101
    assert np.isnan(jaccard[1])
    assert [found[f"{n:03d}"]["exact_dup.size"] for n in range(4)] == [2, 1, 1, 2]
    assert [found[f"{n:03d}"]["exact_dup.first"] for n in range(4)] == [True, True, True, False]
    assert found["000"]["exact_dup.cluster"] == text_hashes([rows[0]["text"]]).exact[0].tobytes().hex()
    assert [found[f"{n:03d}"]["_order"] for n in range(4)] == [0, 1, 2, 3]
    assert [found[f"{n:03d}"]["_exact_cluster"] for n in range(4)] == [0, 1, 2, 0]
    assert [found[f"{n:03d}"]["_near_cluster"] for n in range(4)] == [0, 1, 0, 0]
    near = card["near"]
    assert (near["clusters"], near["documents"], near["copies"], near["largest"]) == (1, 3, 2, 3)
    assert (near["candidate_pairs"], near["verified"], near["refused"], near["skipped"]) == (1, 1, 0, 0)
    assert card["exact"] == {"clusters": 1, "documents": 2, "copies": 1, "largest": 2}
    assert card["documents"] == 4


def test_a_pair_at_the_threshold_stays_and_one_below_goes(tmp_path: Path) -> None:
    base = words(0, 104)
    changed = base[:96] + words(5, 8)  # 92 of 100 shingles are shared: 92 / 108
    rows = numbered([" ".join(base), " ".join(changed)])
    found, card = search(tmp_path, rows, threshold=92 / 108, bands=40, rows=4)
    assert found["001"]["near_dup.size"] == 2
    assert found["001"]["near_dup.jaccard"] == 92 / 108
    found, card = search(tmp_path, rows, threshold=np.nextafter(92 / 108, 1), bands=40, rows=4)
    assert found["001"]["near_dup.size"] == 1
    assert card["near"]["refused"] == 1


def test_planted_near_duplicates_are_found(tmp_path: Path) -> None:
    source = random.Random(3)
    texts, planted = [], 60
    for seed in range(200):
        text = words(100 + seed, 300)
        texts.append(" ".join(text))
        if seed < planted:  # one block of words is replaced, so that J lies above 0.8
            at = source.randrange(270)
            texts.append(" ".join([*text[:at], *words(5000 + seed, 25), *text[at + 25 :]]))
    rows = numbered(texts)
    found, card = search(tmp_path, rows, sizes=[100, 100, 60])
    assert card["near"]["clusters"] == card["near"]["verified"] > 0.9 * planted
    assert card["near"]["largest"] == 2
    assert all(
        found[row["id"]]["near_dup.jaccard"] >= 0.75 for row in rows if found[row["id"]]["near_dup.size"] > 1
    )


def test_a_chain_is_joined_or_split(tmp_path: Path) -> None:
    rows = chain(6)
    options: dict[str, Any] = {"threshold": 0.8, "bands": 60, "rows": 4}
    found, card = search(tmp_path, rows, **options)
    assert {row["near_dup.cluster"] for row in found.values()} == {"000"}
    assert found["005"]["near_dup.jaccard"] == 50 / 150
    assert card["near"]["below_threshold"] == 4
    found, card = search(tmp_path, rows, chains="split", **options)
    assert [row["near_dup.cluster"] for row in found.values()] == ["000", "000", "002", "002", "004", "004"]
    assert all(row["near_dup.jaccard"] >= 0.8 for row in found.values())
    assert card["near"]["below_threshold"] == 0


@pytest.mark.parametrize(
    ("policy", "kept"), [("first", "a"), ("longest", "c"), ("oldest", "b"), ("rarest", "d")]
)
def test_policies_by_hand(tmp_path: Path, policy: str, kept: str) -> None:
    base = " ".join(words(0, 200))
    rows: list[Row] = [
        {"id": "d", "text": base + " d", "source": "rare", "date": None},
        {"id": "c", "text": base + " much longer", "source": "big", "date": "2001-05-01"},
        {"id": "b", "text": base + " b", "source": None, "date": "2001"},
        {"id": "a", "text": base + " a", "source": "big", "date": "undated"},
        {"id": "e", "text": base + " e", "source": None, "date": "2001-04"},
        {"id": "f", "text": "another text", "source": "big", "date": "1990"},
    ]
    found, card = search(tmp_path, rows, policy=policy)
    clusters = {row["near_dup.cluster"] for name, row in found.items() if name != "f"}
    assert clusters == {kept}
    assert [name for name, row in found.items() if row["near_dup.first"]] in ([kept, "f"], ["f", kept])
    assert clusters == {min((n for n in found if n != "f"), key=lambda each: found[each]["_order"])}
    assert len({row["_near_cluster"] for name, row in found.items() if name != "f"}) == 1
    assert found[kept]["_near_cluster"] == found[kept]["_order"]
    assert card["policy"] == policy


def test_paragraphs_by_hand(tmp_path: Path) -> None:
    rows = numbered(
        [
            "Twelve chars\n\nnew text\n\ntwelve  CHARS",  # 12 + 8 + 12, the last is a copy
            "twelve chars\n\nother",  # 12 + 5
            " \n ",
            "new text\nOTHER",  # no blank line: its lines are its paragraphs
        ]
    )
    found, card = search(tmp_path, rows, sizes=[2, 2])
    assert found["000"]["para_dup.share"] == 12 / 32
    assert found["001"]["para_dup.share"] == 12 / 17
    assert np.isnan(found["002"]["para_dup.share"])
    assert found["003"]["para_dup.share"] == 1.0
    assert [row["para_dup.copies"] for row in found.values()] == [1, 1, 0, 2]
    assert card["paragraphs"] == {
        "paragraphs": 7,
        "copies": 4,
        "documents": 3,
        "characters": 62,
        "copied_characters": 37,
    }


def test_documents_without_words_are_only_exact_copies(tmp_path: Path) -> None:
    found, card = search(tmp_path, numbered(["", " ", "...", "!!!", "a word"]))
    assert [row["near_dup.cluster"] for row in found.values()] == ["000", "000", "002", "003", "004"]
    assert card["near"]["candidate_pairs"] == 0


def test_no_documents(tmp_path: Path) -> None:
    found, card = search(tmp_path, [], sizes=[0])
    assert found == {}
    assert card["documents"] == 0
    assert (
        search(tmp_path / "b", numbered(["a text", "A  text"]), sizes=[0, 1, 0, 1])[0]["001"]["near_dup.size"]
        == 2
    )


def test_large_buckets_follow_leaders(tmp_path: Path) -> None:
    base, other = " ".join(words(0, 300)), " ".join(words(1, 300))
    texts = [f"{base if number % 2 else other} {number}" for number in range(60)]
    small, _ = search(tmp_path / "small", numbered(texts), bucket=1000)
    large, card = search(tmp_path / "large", numbered(texts), bucket=4)
    assert small == large
    assert card["near"]["skipped"] == 0
    assert card["near"]["implied"] > 100
    assert card["near"]["largest"] == 30
    near = card["near"]
    assert near["candidate_pairs"] == sum(near[key] for key in ("verified", "refused", "implied", "skipped"))


def test_a_limit_of_leaders_is_counted(tmp_path: Path) -> None:
    # One row of one band: those whose least shingle is the one they share are in a bucket.
    shared = words(0, 5)
    texts = [" ".join([*shared, *words(number + 1, 3)]) for number in range(40)]
    batch = Batch(texts)
    # A seed under which the shared shingle is the least one of many.
    sizes = [
        int(np.unique(band_keys(batch, MinHash(1, 1, 5, seed)), return_counts=True)[1].max())
        for seed in range(20)
    ]
    seed = int(np.argmax(sizes))
    found, card = search(tmp_path, numbered(texts), leaders=1, bands=1, rows=1, bucket=2, seed=seed)
    assert all(row["near_dup.size"] == 1 for row in found.values())
    followers = card["near"]["refused"]  # each but the leader was compared with it alone
    assert followers > 2
    assert card["near"]["skipped"] == followers * (followers - 1) // 2


def test_leaders_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = " ".join(words(0, 200))
    rows = numbered([f"{base} {number}" for number in range(40)])
    whole, card = search(tmp_path / "a", rows, bucket=2)
    monkeypatch.setattr("hinterland.curate.dedup.shingles.READ_BYTES", 5000)
    monkeypatch.setattr("hinterland.curate.dedup.bands.PAIRS_PER_PIECE", 7)
    monkeypatch.setattr("hinterland.curate.dedup.bands.MEMBERS_PER_PIECE", 7)
    monkeypatch.setattr("hinterland.curate.dedup.find.SIMILAR_PER_PIECE", 7)
    monkeypatch.setattr("hinterland.curate.dedup.find.PARAGRAPHS_PER_PART", 3)
    monkeypatch.setattr("hinterland.curate.dedup.layout.GROUP_ROWS", 5)
    assert search(tmp_path / "b", rows, [9, 9, 9, 13], bucket=2) == (whole, card)
    assert search(tmp_path / "c", rows, [9, 9, 9, 13])[0] == whole


def brute_force(
    rows: Sequence[Row], config: NearDuplicates
) -> tuple[dict[str, set[str]], dict[tuple[str, str], float]]:
    """Return clusters by id from all pairs that share a band, and all pairs' true similarity."""
    batch = Batch([row["text"] for row in rows])
    keys = band_keys(batch, config.minhash)
    hashes, offsets = shingle_sets(batch, config.minhash)
    sets = [set(hashes[offsets[n] : offsets[n + 1]].tolist()) for n in range(len(rows))]
    exact = [digest.tobytes() for digest in text_hashes(batch).exact]
    clusters = {row["id"]: {row["id"]} for row in rows}
    similar = {}
    for one, other in combinations(range(len(rows)), 2):
        first, second = rows[one]["id"], rows[other]["id"]
        either = sets[one] | sets[other]
        jaccard = len(sets[one] & sets[other]) / len(either) if either else 0.0
        similar[first, second] = similar[second, first] = jaccard
        meet = ((keys[one] == keys[other]) & (keys[one] != NO_KEY)).any()
        if exact[one] == exact[other] or (meet and jaccard >= config.threshold):
            merged = clusters[first] | clusters[second]
            for name in merged:
                clusters[name] = merged
    return clusters, similar


texts_of_few_words = st.lists(st.sampled_from(["a", "b", "c", "d", "\n\n"]), max_size=12).map(" ".join)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(texts_of_few_words, max_size=24),
    threshold=st.sampled_from([0.5, 0.7, 1.0]),
    cut=st.integers(min_value=0, max_value=24),
    chaining=st.sampled_from(["join", "split"]),
)
def test_agrees_with_all_pairs(
    tmp_path: Path, texts: list[str], threshold: float, cut: int, chaining: str
) -> None:
    options: dict[str, Any] = {"threshold": threshold, "bands": 6, "rows": 2, "shingle": 2}
    rows, cut = numbered(texts), min(cut, len(texts))
    found, card = search(tmp_path, rows, [cut, len(rows) - cut], chains=chaining, **options)
    clusters, similar = brute_force(rows, NearDuplicates(**options))
    kept = {row["near_dup.cluster"] for row in found.values()}
    assert sum(row["near_dup.first"] for row in found.values()) == len(kept)
    for name, row in found.items():
        members = {other for other in found if found[other]["near_dup.cluster"] == row["near_dup.cluster"]}
        assert row["near_dup.size"] == len(members)
        if chaining == "join":
            assert members == clusters[name]
            assert row["near_dup.cluster"] == min(members)
        elif not row["near_dup.first"]:
            assert members <= clusters[name]
            assert row["near_dup.jaccard"] >= threshold
        if not row["near_dup.first"] and row["near_dup.jaccard"] != 1.0:
            assert row["near_dup.jaccard"] == similar[name, row["near_dup.cluster"]]
    assert card["near"]["candidate_pairs"] == card["near"]["verified"] + card["near"]["refused"]


@pytest.mark.parametrize("policy", ["first", "longest", "oldest", "rarest"])
def test_order_and_shards_do_not_matter(tmp_path: Path, policy: str) -> None:
    source = random.Random(7)
    rows: list[Row] = []
    for number in range(120):
        text = words(number % 40, 60)
        text[source.randrange(60)] = "changed"
        row = {"id": f"{number * 7919 % 1000:03d}", "text": " ".join(text)}
        rows.append(
            row | {"source": source.choice(["x", "y", None]), "date": source.choice(["2001", "1999-02"])}
        )
    straight = search(tmp_path / "a", rows, [50, 70], policy=policy, bucket=2)
    source.shuffle(rows)
    shuffled = search(tmp_path / "b", rows, [1, 0, 99, 20], policy=policy, bucket=2)
    assert repr(sorted(straight[0].items())) == repr(sorted(shuffled[0].items()))
    assert straight[1] == shuffled[1]
    assert straight[1]["near"]["clusters"] > 10


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_workers_do_not_matter(tmp_path: Path) -> None:
    rows = chain(30)
    _, card = search(tmp_path / "a", rows, [10, 10, 10])
    _, again = search(tmp_path / "b", rows, [10, 10, 10], workers=2)
    assert card == again
    assert snapshot(tmp_path / "a" / "out") == snapshot(tmp_path / "b" / "out")


class Killed(LocalEngine):
    """An engine that dies after so many pieces."""

    left = 0

    def produce(
        self, make: Callable[[Any, Path], None], items: Sequence[Any], targets: Sequence[Path], *, label: str
    ) -> None:
        for item, target in zip(items, targets, strict=True):
            if not target.exists():
                if Killed.left == 0:
                    raise KeyboardInterrupt
                Killed.left -= 1
            super().produce(make, [item], [target], label=label)


def test_a_killed_search_goes_on(tmp_path: Path) -> None:
    rows, config = chain(30), NearDuplicates(bucket=4)
    _, card = search(tmp_path / "a", rows, [10, 20], bucket=4)
    write_shards(tmp_path / "b", rows, [10, 20], config)
    texts, scored = (sorted((tmp_path / "b" / name).iterdir()) for name in ("read", "score"))

    def go_on(engine: LocalEngine) -> dict[str, Any]:
        return find_duplicates(
            texts, scored, tmp_path / "b" / "out", config, engine=engine, work=tmp_path / "b" / "work"
        )

    attempts = 0
    while True:
        Killed.left, attempts = 5, attempts + 1
        try:
            again = go_on(Killed())
            break
        except KeyboardInterrupt:
            continue
    assert attempts > 4
    assert again == card
    assert snapshot(tmp_path / "a" / "out") == snapshot(tmp_path / "b" / "out")
    Killed.left = 0  # all is done: nothing is made again
    assert go_on(Killed()) == card
    assert len(list((tmp_path / "b" / "work").rglob("*.npy"))) == 0


def test_damage_is_named(tmp_path: Path) -> None:
    config = NearDuplicates()
    rows = numbered(["one text", "another text"])
    write_shards(tmp_path, rows, [1, 1], config)
    texts, scored = (sorted((tmp_path / name).iterdir()) for name in ("read", "score"))

    def run(config: NearDuplicates = config, scored: list[Path] = scored) -> None:
        find_duplicates(texts, scored, tmp_path / "out", config, engine=LocalEngine(), work=tmp_path / "work")

    with pytest.raises(CorpusError, match="do not belong"):
        run(scored=scored[:1])
    with pytest.raises(CorpusError, match="not 7 keys"):
        run(NearDuplicates(bands=7))
    table = pq.read_table(scored[1])
    pq.write_table(table.set_column(0, "id", pa.array(["x"])), scored[1])
    with pytest.raises(CorpusError, match="not those of this shard"):
        run()
    pq.write_table(table.drop_columns(["_exact"]), scored[1])
    with pytest.raises(CorpusError, match="no column _exact"):
        run()
    scored[1].write_bytes(b"not Parquet")
    with pytest.raises(CorpusError, match="cannot be read"):
        run()
    with pytest.raises(ConfigError, match="policy"):
        parse_config(NearDuplicates, {"policy": "largest"})


def test_ids_that_occur_again_are_counted(tmp_path: Path) -> None:
    config = NearDuplicates()
    rows = [{"id": "a", "text": "the same"}, {"id": "a", "text": "the same"}]
    write_shards(tmp_path, rows, [1, 1], config)
    texts, scored = (sorted((tmp_path / name).iterdir()) for name in ("read", "score"))
    card = find_duplicates(
        texts, scored, tmp_path / "out", config, engine=LocalEngine(), work=tmp_path / "work"
    )
    assert card["repeated_ids"] == 1
    assert card["exact"]["copies"] == 1

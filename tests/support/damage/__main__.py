"""Print the ledger of the broken corpus."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from damage import MAX_DOCUMENT_BYTES, write_all


def table() -> str:
    """Return what becomes of each kind when all are read in one run, as a table in Markdown."""
    from hinterland.core.corpus import Corpus
    from hinterland.core.engine import LocalEngine
    from hinterland.curate.read import ReadConfig, read_corpus

    lines = ["| kind | what is damaged | ledger | read |", "|---|---|---|--:|"]
    total: Counter[str] = Counter()
    with TemporaryDirectory() as folder:
        place = Path(folder)
        config = ReadConfig(max_document_bytes=MAX_DOCUMENT_BYTES)
        for kind in write_all(place / "in"):
            out = place / kind.name
            result = read_corpus(
                [place / "in" / kind.name], out, config, engine=LocalEngine(), work=out / "work"
            )
            total.update(result.counts)
            ledger = ", ".join(f"`{name}` {number}" for name, number in result.reasons.items()) or "–"
            read = len(Corpus.open(result.corpus))
            lines.append(f"| {kind.name} | {kind.about} | {ledger} | {read} |")
    lines += ["", f"{total['in']} in = {total['read']} read + {total['rejected']} rejected"]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")

"""`hinterland index receipt`: is what was removed still gone?"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pydantic import Field

from hinterland.core.config import Config
from hinterland.core.errors import IndexBundleError
from hinterland.indexes.receipt_check import check_receipts, read_receipts

__all__ = ["CommandConfig", "plan", "render", "run"]


class CommandConfig(Config):
    """Which index, and which receipt.

    Attributes:
        index: The index's folder.
        receipt: A receipt's file or name; without one all of the index's.
        wait_seconds: How long to wait for a writer.
    """

    index: Path
    receipt: Path | None = None
    wait_seconds: float = Field(default=0.0, ge=0)


def plan(config: CommandConfig) -> dict[str, Any]:
    """Say which receipts would be checked; their own hashes are checked already."""
    receipts = read_receipts(config.index, config.receipt)
    return {
        "receipts": list(receipts),
        "documents": sum(int(each["documents"]) for each in receipts.values()),
        "chunks": sum(int(each["chunks"]) for each in receipts.values()),
    }


def run(config: CommandConfig) -> dict[str, Any]:
    """Check the receipts.

    Raises:
        IndexBundleError: Something that was removed is there.
    """
    start = time.perf_counter()
    receipts = read_receipts(config.index, config.receipt)
    told = check_receipts(config.index, receipts, wait_seconds=config.wait_seconds)
    if told["found"]:
        first, more = told["found"][0], len(told["found"]) - 1
        lifted = [each["rule_id"] for each in told["receipts"] if not each["in_force"]]
        raise IndexBundleError(
            f"what was removed is there: {first['what']}{f', and in {more} more places' if more else ''}",
            where=str(config.index / first["file"]),
            cure=f"rule {', '.join(lifted)} was lifted: remove it again, if it shall not be there"
            if lifted
            else "delete that file if it is not the index's, or remove the documents again",
        )
    return {**told, "seconds": round(time.perf_counter() - start, 2)}


def render(result: dict[str, Any]) -> str:
    """Return a line for each receipt, what was looked for, and what not."""
    lines = []
    for each in result["receipts"]:
        rule = "in force" if each["in_force"] else "lifted"
        whole = "" if each["complete"] else "; vectors are dead until: hinterland index compact"
        lines.append(
            f"{each['receipt']}: {each['documents']:,} documents, {each['chunks']:,} chunks;"
            f" rule {each['rule_id']} {rule}{whole}"
        )
    looked = result["looked_for"]
    lines.append(
        f"  none of {looked['documents']:,} ids and {looked['chunks']:,} texts is in version"
        f" {result['version']} or in a string of {result['files']:,} files"
    )
    if result["alike"]:
        lines.append(f"  {result['alike']:,} chunks of other documents have such a text word for word")
    lines += [
        f"  version {name}, which is not served, has {count:,} of the documents"
        for name, count in result["older_versions"].items()
    ]
    return "\n".join([*lines, *(f"  not looked for: {each}" for each in result["not_looked_for"])])

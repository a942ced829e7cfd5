"""Any data set of the ``datasets`` library, streamed: ``hf:NAME[:CONFIG][:SPLIT]``.

``NAME`` is a hub id or a local folder that ``load_dataset`` or ``load_from_disk`` takes.
Without a split all are read, in order. A data set of several files is read in as many
pieces, side by side; a piece is written ``hf:NAME:CONFIG:SPLIT#2/8``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hinterland.core.errors import CorpusError
from hinterland.curate.readers.base import READERS, Piece, ReadConfig, Unreadable

__all__ = ["HubReader", "pieces"]

_ROWS = 128
_CURE = (
    "check the name (hf:NAME[:CONFIG][:SPLIT]) and the connection; a private data set needs"
    " HF_TOKEN; without a connection give a local folder"
)


class HubReader:
    """Reads ``hf:NAME[:CONFIG][:SPLIT]``."""

    effort = 1

    def read(self, path: Path, config: ReadConfig) -> Iterator[tuple[int, Piece]]:  # noqa: ARG002
        """See `Reader.read`; the position is the row in the piece."""
        spec, _, part = str(path).partition("#")
        stream = next(iter(_load(spec).values()))
        if part:
            number, _, total = part.partition("/")
            stream = stream.shard(num_shards=int(total), index=int(number) - 1)
        position = 1
        try:
            for table in stream.with_format("arrow").iter(batch_size=_ROWS):
                for batch in table.to_batches():
                    yield position, batch
                    position += batch.num_rows
        except Exception as error:  # whatever a file, its parser or the connection raises
            raise Unreadable("broken_file", f"{type(error).__name__}: {error}", position=position) from error

    def count(self, path: Path) -> int:
        """See `Reader.count`: what the data set's card says."""
        found = 0
        for stream in _load(str(path).partition("#")[0]).values():
            splits = stream.info.splits or {}
            found += int(getattr(splits.get(str(stream.split)), "num_examples", 0) or 0)
        return found


def pieces(path: Path) -> list[Path]:
    """Return what can be read apart: a data set's splits, and their files.

    Raises:
        CorpusError: The data set cannot be found, or not reached.
    """
    name, config, _ = _spec(str(path))
    found = []
    for split, stream in _load(str(path)).items():
        total = stream.num_shards
        for number in range(1, total + 1):
            part = f"#{number}/{total}" if total > 1 else ""
            found.append(Path(f"hf:{name}:{config or ''}:{split}{part}"))
    return found


def _spec(text: str) -> tuple[str, str | None, str | None]:
    name, config, split, *_ = [*text.removeprefix("hf:").split(":"), "", "", ""]
    return name, config or None, split or None


def _load(text: str) -> dict[str, Any]:
    """Return the splits of a data set as streams, by their names."""
    name, config, split = _spec(text)
    import datasets

    try:
        if (Path(name) / "state.json").is_file() or (Path(name) / "dataset_dict.json").is_file():
            held = datasets.load_from_disk(name)
            streams = held if isinstance(held, dict) else {split or str(held.split or "train"): held}
            found = {key: each.to_iterable_dataset() for key, each in streams.items()}
        else:
            held = datasets.load_dataset(name, config, streaming=True)
            found = dict(held)
        wanted = {split: found[split]} if split else found
    except Exception as error:  # the library, the hub's client and its HTTP client each raise their own
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise CorpusError(f"the data set cannot be loaded: {reason}", where=text, cure=_CURE) from error
    return wanted


READERS.register("hf")(HubReader())

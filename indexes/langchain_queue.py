"""Changes of a LangChain store that wait to be published together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import pyarrow as pa

__all__ = ["Queue"]


@dataclass(slots=True)
class Queue:
    """Additions and removals, in sum: what was added and then removed is only removed.

    Attributes:
        added: One-row tables by id.
        removed: Ids.
        everything: Whether all that was published before goes.
    """

    added: dict[str, pa.Table] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    everything: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.everything)

    def add(self, chunks: pa.Table) -> None:
        """Add chunks, or replace those with their ids."""
        for at, identity in enumerate(chunks["id"].to_pylist()):
            self.added[identity] = chunks.slice(at, 1)

    def remove(self, ids: Collection[str] | None) -> None:
        """Remove chunks; ``None``: all."""
        if ids is None:
            self.added.clear()
            self.everything = True
            return
        for identity in ids:
            self.added.pop(identity, None)
        self.removed |= set(ids)

    def in_sum(self, empty: pa.Table) -> tuple[pa.Table, Collection[str] | None]:
        """Return what to add and what to remove, as `langchain_write.change` takes it.

        Args:
            empty: A table without rows, of the chunks' columns.
        """
        add = pa.concat_tables([empty, *self.added.values()]).combine_chunks()
        return add, None if self.everything else self.removed

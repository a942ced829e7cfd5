"""A drawing that notebooks show and that can be written to a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hinterland.core.files import write_text

__all__ = ["Drawing"]


@dataclass(frozen=True, slots=True)
class Drawing:
    """One SVG drawing, complete in itself.

    Attributes:
        svg: Its source.
    """

    svg: str

    def __str__(self) -> str:
        return self.svg

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: Path | str) -> None:
        """Write the drawing as an SVG file.

        Raises:
            StorageError: The file cannot be written.
        """
        write_text(Path(path), self.svg)

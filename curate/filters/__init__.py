"""The filters that ship with the kit, one file each."""

from hinterland.curate.filters.c4 import C4
from hinterland.curate.filters.fineweb import FineWeb
from hinterland.curate.filters.gopher_quality import GopherQuality
from hinterland.curate.filters.gopher_repetition import GopherRepetition

__all__ = ["C4", "FineWeb", "GopherQuality", "GopherRepetition"]

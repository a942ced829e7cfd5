"""The filters that ship with the kit, one file each."""

from hinterland.curate.filters.c4 import C4
from hinterland.curate.filters.classifier import Quality
from hinterland.curate.filters.contamination import Contamination
from hinterland.curate.filters.fineweb import FineWeb
from hinterland.curate.filters.gopher_quality import GopherQuality
from hinterland.curate.filters.gopher_repetition import GopherRepetition
from hinterland.curate.filters.language import Language
from hinterland.curate.filters.perplexity import Perplexity
from hinterland.curate.filters.pii import Pii
from hinterland.curate.filters.toxicity import Toxicity

__all__ = [
    "C4",
    "Contamination",
    "FineWeb",
    "GopherQuality",
    "GopherRepetition",
    "Language",
    "Perplexity",
    "Pii",
    "Quality",
    "Toxicity",
]

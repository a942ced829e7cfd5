"""Systems under test, by name.

A config names a system's kind: one of the kit's (``openai``, ``predictions``), one that
an installed package adds under the entry point group ``hinterland.system``, or a dotted
path ``module:function`` into an installed package. Evaluation knows them through
`hinterland.core.system.System` alone.
"""

from hinterland.eval.systems.base import SYSTEMS, KnowsIds, SystemFactory, build_system
from hinterland.eval.systems.openai import OpenAIConfig, OpenAISystem
from hinterland.eval.systems.predictions import PredictionsConfig, PredictionsSystem

__all__ = [
    "SYSTEMS",
    "KnowsIds",
    "OpenAIConfig",
    "OpenAISystem",
    "PredictionsConfig",
    "PredictionsSystem",
    "SystemFactory",
    "build_system",
]

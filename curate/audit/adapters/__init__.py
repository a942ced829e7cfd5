"""Filters that are not ours, audited like those that are: one file for each kind."""

from hinterland.curate.audit.adapters.apply import apply_adapters, make_adapter
from hinterland.curate.audit.adapters.base import Audited
from hinterland.curate.audit.adapters.config import AdapterConfig

__all__ = ["AdapterConfig", "Audited", "apply_adapters", "make_adapter"]

"""A deliberately broken corpus: each function writes one kind of damage into its own folder.

``write_all`` writes them all; ``PYTHONPATH=tests/support python -m damage`` reads them and
prints the ledger as a table in Markdown. A kind says which rejects are expected and which
texts survive beside the damage. ``MAX_DOCUMENT_BYTES`` is the limit under which it is read.
"""

from damage import lines, packed, tables, documents, archives, files  # noqa: F401, I001 - in this order
from damage.kinds import KINDS, MAX_DOCUMENT_BYTES, Kind, possible, write_all

__all__ = ["KINDS", "MAX_DOCUMENT_BYTES", "Kind", "possible", "write_all"]

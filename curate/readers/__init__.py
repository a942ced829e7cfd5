"""Readers: one file per format, each from a path to rows or Arrow tables, found by suffix."""

from __future__ import annotations

from hinterland.curate.readers import arrow as arrow
from hinterland.curate.readers import delimited as delimited
from hinterland.curate.readers import html as html
from hinterland.curate.readers import hub as hub
from hinterland.curate.readers import jsonl as jsonl
from hinterland.curate.readers import parquet as parquet
from hinterland.curate.readers import pdf as pdf
from hinterland.curate.readers import text as text
from hinterland.curate.readers import warc as warc
from hinterland.curate.readers.base import READERS, ReadConfig, Reader, Unreadable, known_suffixes, reader_for

__all__ = ["READERS", "ReadConfig", "Reader", "Unreadable", "known_suffixes", "reader_for"]

"""Curate: read, annotate, decide, write."""

"""Starter configs, written out by `hinterland init`."""

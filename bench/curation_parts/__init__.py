"""Parts of bench/curation.py."""

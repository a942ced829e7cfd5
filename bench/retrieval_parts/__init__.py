"""Parts of ``bench/retrieval.py``."""

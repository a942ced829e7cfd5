"""Parts of ``bench/debias.py``."""

"""Compiled loops over UTF-8 bytes: the split of a batch, and the measures made from it."""

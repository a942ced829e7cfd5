"""Indexes: chunk, embed, build, search, publish."""

"""Debias: decisions that even out retention, at a stated cost."""

"""Parts of the tuning measurements."""

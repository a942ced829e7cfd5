"""Parts of the bench of places found in text."""

"""Parts of the audit's measurement."""

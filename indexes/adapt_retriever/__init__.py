"""A better retriever for the domain: fine-tune the encoder without labels, ship it only if it is better."""

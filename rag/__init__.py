"""RAG: retrieve, prompt, answer with citations."""

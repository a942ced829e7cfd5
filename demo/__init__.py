"""Demo: the whole way on the World Factbook."""

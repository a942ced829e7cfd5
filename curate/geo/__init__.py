"""Where a document is from: countries, places, and the rules that find them."""

"""Edits many parts of a net at once, nests and flattens, grows, widens, deepens, and joins nets into an ensemble."""

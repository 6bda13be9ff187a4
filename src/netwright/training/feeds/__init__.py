"""Gives the batches of a run: from memory, read when needed, in blocks of a stream, ahead of the step."""

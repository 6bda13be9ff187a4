"""Codecs of sequences of elements: characters, bytes, words and subwords of a text, and tokens of any kind."""

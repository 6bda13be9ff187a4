"""Codecs of the columns of a table, and of whole rows."""

"""Data as the user has it: sources, data sets, their split and their order; codecs do the encoding."""

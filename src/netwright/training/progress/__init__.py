"""The progress of a run, shown in a terminal or in a notebook."""

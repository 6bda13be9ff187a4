"""From a net over a sequence to the net of one element: derived, run, and kept with its state."""

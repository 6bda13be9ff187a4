"""What a run shows while it goes on, in a terminal and in a notebook."""

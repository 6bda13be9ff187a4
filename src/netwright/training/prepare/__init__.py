"""Everything that is decided before the first step: the data, the loss, and every choice with its reason."""

"""Everything that is settled before the first step: the data, the loss, and every choice with its reason."""

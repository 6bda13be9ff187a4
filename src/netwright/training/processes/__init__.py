"""Several processes that train one net together: their shares of a batch, and what they tell each other."""

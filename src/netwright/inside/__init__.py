"""Looking inside a net: its values, gradients and Jacobians by path, a walk through its parts, and patches of a run."""

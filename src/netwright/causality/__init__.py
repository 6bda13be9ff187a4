"""Which positions of its inputs a net sees along a named size: proved on its plan, or found by perturbation."""

"""Which positions of its inputs a net sees along a size with a name: proved on its plan, or settled by perturbation."""

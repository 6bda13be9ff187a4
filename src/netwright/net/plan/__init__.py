"""From nested containers to one list of steps with solved sizes: levels, wiring, sizes, plan, rewriting."""

"""Layers that carry a state from element to element: leaves over a whole sequence, cells for one step."""

"""Sweeps: many variants of a net, trained by turns, and the best further than the others."""

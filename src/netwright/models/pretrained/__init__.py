"""Nets that others have trained: their architectures from our parts, their weights by tables of names."""

"""Nets for pictures as they were published, a family a file: architectures from our parts, weights by tables."""

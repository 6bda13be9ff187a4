"""Generates sequences with a trained net: how the next element is chosen, and which elements are allowed."""

"""Draws a net: finds the places of its boxes and edges, and writes them as a picture, as a page, and as text."""

"""Measurements of a trained net, each with its interval and its naive baseline."""

"""Variations of examples in training: what a picture shows stays the same when it is moved, turned or lighter."""

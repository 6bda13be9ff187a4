"""Checks the laws of all nets on one net: alone and in a batch, whole and in steps."""

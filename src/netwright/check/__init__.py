"""The laws that every net keeps, asked of one net: alone or in a batch, whole or in steps."""

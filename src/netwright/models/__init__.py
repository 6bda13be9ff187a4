"""Published architectures, built from the parts that everybody has."""

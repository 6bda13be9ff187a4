"""Published architectures, built from the public parts."""

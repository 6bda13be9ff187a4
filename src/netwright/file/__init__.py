"""One safe file for a net: written whole, read without running anything."""

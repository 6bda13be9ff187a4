"""What is faster than torch's plain call: arithmetic without meaning, which layers and engines ask for."""

"""The layers, one class each: leaves, and containers that use leaves."""

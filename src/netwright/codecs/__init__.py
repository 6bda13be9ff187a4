"""Encoders and decoders, one class each: they turn raw values into tensors for a net, and its outputs back."""

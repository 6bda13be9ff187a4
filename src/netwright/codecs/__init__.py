"""Encoders and decoders, one class each: raw things in, tensors through the net, raw things out."""

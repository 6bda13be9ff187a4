"""Training steps without autograd: the backward of every leaf written out, into buffers that are made once."""

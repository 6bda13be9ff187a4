"""Code that is not ours inside a net, and a net inside torch's own."""

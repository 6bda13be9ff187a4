"""What differs between two nets, as a value: shown, applied to a net, joined with another, and saved."""

"""What is done with a trained net: measuring it."""

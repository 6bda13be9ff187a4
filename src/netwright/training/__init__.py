"""Training: losses, optimizers, schedules, the loop, and what it tells while it runs."""

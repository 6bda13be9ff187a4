"""From a plan to values: arrays filled, the plan executed, raw things in and out."""

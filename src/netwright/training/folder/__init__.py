"""The folder of a run on the disk: what it was made from, a log, checkpoints, and the nets."""

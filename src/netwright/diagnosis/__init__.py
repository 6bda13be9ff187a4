"""What is wrong with a run, in words: findings with their numbers and remedies."""

"""Nets for sounds with published weights: the pitch of a voice, where somebody speaks, and what is said."""

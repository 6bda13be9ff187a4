"""Codecs of sounds: waves, and the spectra that are taken of them."""

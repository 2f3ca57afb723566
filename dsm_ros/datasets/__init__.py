"""Readers of RGB-D sequences, one for each layout; all readers return the same type of frame."""

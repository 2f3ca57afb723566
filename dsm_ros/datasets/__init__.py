"""Readers of RGB-D sequences for all supported layouts; all readers return the same type of frame."""

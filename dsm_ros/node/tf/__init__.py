"""Transforms: the listener of /tf, its buffers, and the broadcaster of the map frame."""

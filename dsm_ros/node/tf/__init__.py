"""Transforms: the /tf listener, transform buffers, and the broadcaster of the map frame."""

"""Procedural rooms, rendered as RGB-D sequences."""

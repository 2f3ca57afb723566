"""The method itself: image in, pose or reason out."""

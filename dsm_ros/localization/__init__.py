"""Localization: images of a camera or a rig in, a pose in the map out, or a reason."""

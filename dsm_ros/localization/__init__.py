"""Localization of a camera, or of a rig of cameras, in a map."""

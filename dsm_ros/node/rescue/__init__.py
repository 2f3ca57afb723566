"""Requests for a pose by action, topic and watch, and hints about where the camera is."""

"""Rate at which the demo publishes images."""

from __future__ import annotations

CAMERA_RATE_HZ = 30.0

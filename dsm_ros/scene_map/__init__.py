"""The map: keyframes, their features, and retrieval."""

"""The map database: keyframes, their features, retrieval."""

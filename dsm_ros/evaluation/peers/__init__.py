"""Other ways to localize an image with the same keyframes, to measure ours beside."""

"""Peers: other methods that localize an image with the same keyframes, for comparison with dsm_ros."""

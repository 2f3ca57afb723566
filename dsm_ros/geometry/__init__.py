"""Cameras, poses, sampling and PnP; knows nothing of networks, maps or ROS."""

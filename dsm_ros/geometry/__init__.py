"""Cameras, poses, sampling and PnP, without networks, maps or ROS."""

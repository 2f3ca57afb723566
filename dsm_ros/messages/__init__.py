"""Conversion of ROS messages, live or recorded, to images, depth, cameras and poses; ROS is not imported."""

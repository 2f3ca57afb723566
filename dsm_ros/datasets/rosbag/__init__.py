"""Recordings of ROS 2 and ROS 1 as sequences of frames, read without a ROS installation."""

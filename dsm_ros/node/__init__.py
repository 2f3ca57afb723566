"""The ROS 2 node; only this folder and demo/ import ROS."""

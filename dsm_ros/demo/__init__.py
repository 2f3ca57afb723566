"""Programs that use the node: the demo, its player and recorder, and the ROS benchmark."""

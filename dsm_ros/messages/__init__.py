"""What ROS messages mean, live or recorded: images, depth, cameras, poses. No import of ROS."""

"""Reader of ROS 2 and ROS 1 bags; needs no ROS installation."""

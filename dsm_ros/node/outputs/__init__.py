"""Publishers of results and diagnostics, with the conversions to ROS messages."""

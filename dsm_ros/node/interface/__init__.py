"""Topics, services and actions of the node, conversions to ROS messages, and scopes of ROS entities."""

"""Topics, services and actions of the node, and scopes that create and destroy their ROS entities."""

"""Pictures and markers that RViz and Foxglove show."""

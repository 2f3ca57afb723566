"""Reader of TUM RGB-D folders."""

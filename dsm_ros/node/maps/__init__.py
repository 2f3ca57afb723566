"""Maps of the node: loading, the folders that may be loaded from, and the service ``~/load_map``."""

"""Maps of the node: loading, the folders that may be loaded from, and the services ``~/load_map`` and ``~/reset``."""

"""Parameters of the node: declaration, checks of values and names, and changes at run time."""

"""RGB-D sequences: one reader per layout, all with the same frames."""

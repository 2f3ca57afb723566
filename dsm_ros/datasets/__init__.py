"""RGB-D sequences, one reader per layout, all giving Frames."""

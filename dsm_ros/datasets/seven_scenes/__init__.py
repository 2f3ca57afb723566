"""Reader and writer of folders in the layout of 7-Scenes."""

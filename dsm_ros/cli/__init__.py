"""The dsm command line: one file per command."""

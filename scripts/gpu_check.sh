#!/usr/bin/env bash
# Test and measure the package on a GPU, in under 8 minutes and without a network.
#
#   bash scripts/gpu_check.sh [--device cuda|cpu] [STEP...]
#
# Run this script in the root of a copy of the repository. With --device cpu, the steps run in a short form without a
# GPU. With STEPs, only the named steps run, so name the steps that they depend on too.
# Needs: python 3.10 or newer with torch (built for CUDA), numpy, cv2, pyarrow, lancedb, safetensors, typer, rich and
# rosbags. Optional: poselib, onnxruntime-gpu and onnx, pytest and hypothesis, matplotlib, ruamel.yaml and tensorboard
# (training). Where a package is missing, all wheels in ./wheels are installed into a temporary folder without their
# dependencies, so put the wheels of the dependencies into ./wheels too.
# Reads models/dsm_paper.safetensors where it exists, and the recordings in ../shared/data or $DSM_SHARED_DATA.
# Writes summary.txt, figures.json, profile.txt and log.txt to $OUT (default out/gpu_check). After a failed step, the
# script notes the failure and goes on with the next step. GPU_CHECK_SECONDS (default 450) limits the time of all steps.
set -uo pipefail
DEVICE=cuda
NAMES="tests lite map profile-lite room-evaluate room-device room-cpu room-poses paper-untrained paper lite-onnxruntime
    paper-onnxruntime kitchen-map kitchen-evaluate kitchen-device kitchen-cpu kitchen-poses train"
usage() {
    printf '%s\n' "$1" "usage: bash scripts/gpu_check.sh [--device cuda|cpu] [STEP...]" "STEPs: ${NAMES//$'\n'    / }" >&2
    exit 2
}
[ "${1:-}" = --device ] && DEVICE=${2:-} && shift $(($# < 2 ? $# : 2))
[ "$DEVICE" = cuda ] || [ "$DEVICE" = cpu ] || usage "--device takes cuda or cpu"
for each in "$@"; do
    [[ " ${NAMES//$'\n'/ } " == *" $each "* ]] || usage "there is no step named $each"
done
STEPS=" $* "
cd "$(dirname "$0")/.." || exit 2
OUT=$(realpath -m "${OUT:-out/gpu_check}")
mkdir -p "$OUT" || exit 2
rm -f "$OUT"/{summary.txt,figures.json,profile.txt,log.txt}
WORK=$(mktemp -d) LOG=$OUT/log.txt RUNNING=
END=$((SECONDS + ${GPU_CHECK_SECONDS:-450}))
export PYTHONPATH="$WORK/site:$PWD${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 XDG_CACHE_HOME="$WORK/cache"
export MPLBACKEND=Agg ORT_DISABLE_TELEMETRY=1
touch "$WORK"/{steps.tsv,needs.txt}

finish() {
    { cat "$WORK/needs.txt"; timeout 60 "$PYTHON" scripts/gpu_summary.py "$WORK" "$OUT/figures.json"; } \
        >"$OUT/summary.txt" 2>&1
    tail -c 8000000 "$LOG" >"$WORK/log.txt" && cp "$WORK/log.txt" "$LOG"
    cat "$OUT/summary.txt"
    rm -rf "$WORK"
}

# step NAME LIMIT_S COMMAND...: run a command with a time limit and note its exit status. The command runs in the
# background, because bash handles no signal while it waits for a command in the foreground. In the background, bash lets
# a command ignore SIGINT, so env restores SIGINT.
step() {
    local name=$1 limit=$2 left=$((END - SECONDS)) start=$SECONDS status
    shift 2
    [ -n "${STEPS// /}" ] && [[ "$STEPS" != *" $name "* ]] && return 1
    if [ "$left" -lt 5 ]; then
        printf '%s\tskipped, no time left\t0\n' "$name" >>"$WORK/steps.tsv"
        return 1
    fi
    [ "$limit" -gt "$left" ] && limit=$left
    echo "== $name: $*" >>"$LOG"
    timeout --signal=INT --kill-after=5 "$limit" env --default-signal=INT "$@" >>"$LOG" 2>&1 &
    RUNNING=$!
    wait "$RUNNING"
    status=$?
    RUNNING=
    printf '%s\t%s\t%s\n' "$name" "$status" "$((SECONDS - start))" >>"$WORK/steps.tsv"
    echo "$name: exit status $status after $((SECONDS - start)) s"
    return "$status"
}

# interrupt STATUS: end the running step within 5 seconds, note that with the variables of step, and end the script.
interrupt() {
    trap : INT TERM
    if [ -n "$RUNNING" ]; then
        kill -INT "$RUNNING" && wait "$RUNNING"
        printf '%s\tinterrupted\t%s\n' "$name" "$((SECONDS - start))" >>"$WORK/steps.tsv"
    fi
    exit "$1"
}

lacks() { grep -q "^$1: lacking" "$WORK/needs.txt"; }

skip() { printf '%s\tskipped, %s\t0\n' "$1" "$2" >>"$WORK/steps.tsv"; }

for PYTHON in "${PYTHON:-python3}" .env/venv/bin/python python3 python ""; do
    [ -n "$PYTHON" ] && "$PYTHON" -c "import torch" 2>/dev/null && break
done
if [ -z "$PYTHON" ]; then
    echo "no Python on this machine can import torch; name one: PYTHON=... bash scripts/gpu_check.sh" | tee "$OUT/summary.txt"
    exit 2
fi
trap finish EXIT
trap 'interrupt 130' INT
trap 'interrupt 143' TERM

if [ -d wheels ] && [ -n "$("$PYTHON" scripts/gpu_needs.py --lacking)" ]; then
    # Install the wheels one by one where they cannot be installed together, as with a wheel for another Python.
    install=("$PYTHON" -m pip install -q --no-index --no-deps --no-compile --target "$WORK/site")
    "${install[@]}" wheels/*.whl >>"$LOG" 2>&1 ||
        for wheel in wheels/*.whl; do "${install[@]}" --upgrade "$wheel" >>"$LOG" 2>&1; done
fi
"$PYTHON" scripts/gpu_needs.py | tee "$WORK/needs.txt"
if [ "$DEVICE" = cuda ] && ! "$PYTHON" -c "import torch; torch.zeros(1, device='cuda')" 2>>"$LOG"; then
    echo "torch cannot use a CUDA device; run the short form without one: --device cpu" | tee -a "$WORK/needs.txt"
    exit 3
fi
if ! "$PYTHON" -c "import dsm_ros.localization.localizer, dsm_ros.cli.main" 2>>"$LOG"; then
    echo "the package cannot be imported: $(tail -n 1 "$LOG")" | tee -a "$WORK/needs.txt"
    exit 3
fi

DSM="$PYTHON -m dsm_ros" ROOM=rooms:7 DATA=$(realpath -m "${DSM_SHARED_DATA:-../shared/data}")
if [ "$DEVICE" = cpu ]; then
    MAP_KEYFRAMES=20 KEYFRAMES=2 SIZE=128 MAPPED=0:60:20 ASKED=5:60:25 WORKERS=0
    RECIPE="preset: lite,steps: 3,episodes: 1,views: 4,queries: 1,width_px: 96,height_px: 64,pool: 1"
else
    MAP_KEYFRAMES=1000 KEYFRAMES=5,10 SIZE=512 MAPPED=0:300:10 ASKED=5:205:10 WORKERS=$(nproc)
    RECIPE="preset: lite,episodes: 4,views: 10,queries: 4,width_px: 256,height_px: 192,pool: 32"
fi

bench() { # NAME LIMIT_S ARGUMENTS...
    step "$1" "$2" $DSM bench --device "$DEVICE" --map-keyframes "$MAP_KEYFRAMES" --keyframes "$KEYFRAMES" --sizes "$SIZE" \
        --json "$WORK/$1.json" "${@:3}"
}

poses() { # NAME MAP SEQUENCE FRAMES: evaluate poses, and compare those of the device with those of the CPU
    local device=$WORK/$1-device.tum cpu=$WORK/$1-cpu.tum
    step "$1-evaluate" 60 $DSM evaluate "$2" "$3" --frames "$4" --device "$DEVICE" --json "$WORK/$1-evaluate.json"
    step "$1-device" 60 $DSM localize "$2" "$3" --frames "$4" --device "$DEVICE" --out "$device" &&
        step "$1-cpu" 60 $DSM localize "$2" "$3" --frames "$4" --out "$cpu" &&
        step "$1-poses" 20 "$PYTHON" scripts/compare_poses.py "$device" "$cpu" "$WORK/$1-poses.json"
}

profile() { # NAME LIMIT_S ARGUMENTS...: append a profile to profile.txt
    step "$1" "$2" "$PYTHON" scripts/gpu_profile.py "$WORK/room.map" "$ROOM" --frames "$ASKED" --device "$DEVICE" \
        --map-keyframes "$MAP_KEYFRAMES" --out "$WORK/$1.txt" "${@:3}"
    [ -f "$WORK/$1.txt" ] && { echo "== $1"; cat "$WORK/$1.txt"; } >>"$OUT/profile.txt"
}

if lacks pytest || lacks hypothesis; then
    skip tests "no pytest or hypothesis"
else
    step tests 80 "$PYTHON" -m pytest -m gpu -rs --durations=5 \
        test/datasets/rooms test/network test/localization test/training
fi
bench lite 80
step map 60 $DSM map build "$ROOM" "$WORK/room.map" --frames "$MAPPED" --device "$DEVICE"
profile profile-lite 60
poses room "$WORK/room.map" "$ROOM" "$ASKED"

PAPER=models/dsm_paper.safetensors
if [ ! -f "$PAPER" ]; then
    # The times of encode and match, and the memory, do not depend on the weights.
    PAPER=$WORK/dsm_paper_untrained.safetensors
    step paper-untrained 30 "$PYTHON" scripts/untrained_weights.py paper "$PAPER"
fi
[ -f "$PAPER" ] && bench paper 100 --model "$PAPER"

if lacks onnxruntime-gpu || lacks onnx; then
    skip onnxruntime "no onnxruntime or onnx"
elif [ "$DEVICE" = cuda ] && ! grep -q "offers.*CUDAExecutionProvider" "$WORK/needs.txt"; then
    skip onnxruntime "ONNX Runtime has no CUDA provider"
else
    bench lite-onnxruntime 80 --runtime onnxruntime
    [ -f "$PAPER" ] && bench paper-onnxruntime 100 --runtime onnxruntime --model "$PAPER"
fi

if [ "$DEVICE" = cuda ] && [ -d "$DATA/kitchen" ]; then
    KITCHEN=$DATA/kitchen/seq-01
    step kitchen-map 60 $DSM map build "$KITCHEN" "$WORK/kitchen.map" --frames 0:220:10 --device "$DEVICE" &&
        poses kitchen "$WORK/kitchen.map" "$KITCHEN" 280:470:10
fi

if lacks tensorboard || lacks ruamel.yaml; then
    skip train "no tensorboard or ruamel.yaml"
else
    tr , '\n' <<<"$RECIPE" >"$WORK/recipe.yaml"
    step train 150 $DSM train "$WORK/recipe.yaml" --out "$WORK/train" --cache-rooms --workers "$WORKERS"
fi

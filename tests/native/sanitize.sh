#!/usr/bin/env bash
# Random circuits through the native kernels under the address, undefined-behaviour and thread sanitizers.
# usage: tests/native/sanitize.sh   (takes some minutes; needs g++ with its sanitizer libraries, and NumPy)
set -euo pipefail
cd "$(dirname "$0")/../.."
sources=qcgrad/simulators/statevector/native
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() { # name, flags: the engine without its XLA entry points
  local file unit isa x86=
  case $(uname -m) in x86_64) x86=-DQCGRAD_HAVE_X86_KERNELS ;; esac
  for file in "$sources"/*.cc; do
    unit=$(basename "$file" .cc)
    isa=
    case $unit in
      ffi | trajectories_ffi) continue ;;
      kernels_avx2) isa="-mavx2 -mfma -mpopcnt" ;;
      kernels_avx512) isa="-mavx512f -mavx512dq -mavx512vl -mfma -mpopcnt" ;;
    esac
    if [[ $isa && ! $x86 ]]; then continue; fi
    # shellcheck disable=SC2086
    g++ -std=c++17 -O1 -g -fPIC -fno-omit-frame-pointer -pthread $x86 $2 $isa -c "$file" -o "$work/$1.$unit.o"
  done
  # shellcheck disable=SC2086
  g++ -shared -pthread $2 -o "$work/$1.so" "$work/$1".*.o
}

# The sanitizers' libraries must come first in the process, and Python does not load them: hence LD_PRELOAD. Python
# leaks at exit, and neither it nor NumPy is instrumented: reports about them say nothing about the engine.
check() { # name, preloaded libraries, tile bits, arguments of check_kernels.py
  LD_PRELOAD="$2" QCGRAD_LIB="$work/$1.so" QCGRAD_TILE_BITS=$3 OPENBLAS_NUM_THREADS=1 \
    ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
    TSAN_OPTIONS="halt_on_error=1 ignore_noninstrumented_modules=1" \
    python3 tests/native/check_kernels.py "${@:4}"
}

build address "-fsanitize=address,undefined -fno-sanitize-recover=undefined"
build thread "-fsanitize=thread"
address="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so)"
thread=$(g++ -print-file-name=libtsan.so)
# Small tiles drive the paths that need many passes over memory already at a few qubits.
check address "$address" 12 25 5 --large
check address "$address" 5 40 6
check thread "$thread" 12 15 7
check thread "$thread" 5 15 7
echo "sanitizers clean"

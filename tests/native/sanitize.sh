#!/usr/bin/env bash
# Random circuits through the native kernels under the address, undefined-behaviour and thread sanitizers.
# usage: tests/native/sanitize.sh   (takes some minutes; needs g++ with its sanitizer libraries, and NumPy)
set -euo pipefail
cd "$(dirname "$0")/../.."
sources=qcgrad/simulators/statevector/native
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() { # name, flags: the engine without its XLA entry points
  for file in "$sources"/*.cc; do
    name=$(basename "$file" .cc)
    case $name in
      ffi | interrupt) continue ;;
      kernels_avx2) isa="-mavx2 -mfma -mpopcnt" ;;
      kernels_avx512) isa="-mavx512f -mavx512dq -mavx512vl -mfma -mpopcnt" ;;
      *) isa="" ;;
    esac
    # shellcheck disable=SC2086
    g++ -std=c++17 -O1 -g -fPIC -fno-omit-frame-pointer -pthread -DQCGRAD_HAVE_X86_KERNELS $2 $isa -c "$file" -o "$work/$1.$name.o"
  done
  # shellcheck disable=SC2086
  g++ -shared -pthread $2 -o "$work/$1.so" "$work/$1".*.o
}

run() { # name, preloaded libraries, tile bits, arguments of the check
  LD_PRELOAD="$2" QCGRAD_LIB="$work/$1.so" QCGRAD_TILE_BITS=$3 OPENBLAS_NUM_THREADS=1 \
    ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS="halt_on_error=1 ignore_noninstrumented_modules=1" \
    python3 tests/native/check_kernels.py "${@:4}"
}

build address "-fsanitize=address,undefined -fno-sanitize-recover=undefined"
build thread "-fsanitize=thread"
libraries="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so)"
# Small tiles drive the paths that need many passes over memory already at a few qubits.
run address "$libraries" 12 25 5 1
run address "$libraries" 5 40 6 0
run thread "$(g++ -print-file-name=libtsan.so)" 12 15 7 0
run thread "$(g++ -print-file-name=libtsan.so)" 5 15 7 0
echo "sanitizers clean"

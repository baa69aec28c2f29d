#!/usr/bin/env bash
# Shows that the tests of durability are sharp: builds the server with one known bug planted at a time, and expects
# the test that must catch it to fail. Ends with 0 only when all are caught. Not part of tests/run.sh, for each bug
# is a build of its own.
#
#     bash tests/planted_bugs.sh [BUG...]     default: all; the numbers are below
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A caught_by=(
  [1]=power_cut_test      # synchronous=NORMAL: what was answered is not on the disk
  [2]="blackbox_kill_test simulation_test" # the answer goes out before the commit
  [3]=simulation_test     # an owner that was replaced is not refused
  [4]=power_cut_test      # after a failed fsync the same file is opened again
  [8]=bit_flip_test       # CRCs are not looked at
)

# What follows the first FAILED, in one line.
why() {
  sed -n '/FAILED:$/,/^===/{/FAILED:$/d;/^===/q;p}' | tr -s ' \n' ' ' | cut -c1-300
}

build=build/planted
log=$build/build.log
mkdir -p "$build"
missed=()
for bug in "${@:-1 2 3 4 8}"; do
  for number in $bug; do
    read -ra tests <<<"${caught_by[$number]:-}"
    if ((${#tests[@]} == 0)); then
      echo "there is no planted bug $number; there are: ${!caught_by[*]}" >&2
      exit 2
    fi
    if ! { cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DSTOREMON_BENCHMARKS=OFF \
      -DSTOREMON_PLANT_BUG="$number" &&
      cmake --build "$build" --parallel "${STOREMON_JOBS:-2}" --target "${tests[@]}"; } >"$log" 2>&1; then
      tail -40 "$log" >&2
      exit 2
    fi
    for test in "${tests[@]}"; do
      if output=$(STOREMON_FAULT_RUNS="${STOREMON_FAULT_RUNS:-200}" "$build/tests/$test" 2>&1); then
        echo "bug $number: NOT caught by $test"
        missed+=("$number")
      elif ! grep -q '^test cases:.*failed' <<<"$output"; then
        echo "bug $number: $test ended without a verdict" >&2
        missed+=("$number")
      else
        echo "bug $number: caught by $test: $(why <<<"$output")"
      fi
    done
  done
done
((${#missed[@]} == 0))

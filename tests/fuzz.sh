#!/usr/bin/env bash
# Runs each fuzzer of tests/fuzz under libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, and prints what
# it came to. What it finds worth keeping stays in build/fuzz/corpus; what crashes in build/fuzz/crashes. Ends with
# 0 only when nothing crashed. Installs the compiler where it is missing.
#
#     bash tests/fuzz.sh SECONDS [NAME...]     default: all of tests/fuzz/fuzz_NAME.cpp
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=apps/packages.sh
source apps/packages.sh

if [[ ! ${1:-} =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: bash tests/fuzz.sh SECONDS [NAME...]" >&2
  exit 2
fi
seconds=$1
shift
names=("$@")
if ((${#names[@]} == 0)); then
  for source in tests/fuzz/fuzz_*.cpp; do
    name=${source##*/fuzz_}
    names+=("${name%.cpp}")
  done
fi

# The oldest clang of Debian 12 that knows all of C++20 that is used here.
storemon_packages+=(clang-16 libclang-rt-16-dev)
ensure_packages
build=build/fuzz
log=$build/build.log
mkdir -p "$build/crashes"
# Assertions are on, and -O1 makes programs that are built soon and run fast enough.
if ! { cmake -S . -B "$build" -G Ninja -DCMAKE_CXX_COMPILER=clang++-16 -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" -DSTOREMON_FUZZ=ON -DSTOREMON_BENCHMARKS=OFF &&
  cmake --build "$build" --parallel "${STOREMON_JOBS:-2}" --target "${names[@]/#/fuzz_}"; } >"$log" 2>&1; then
  tail -40 "$log" >&2
  exit 2
fi

crashed=0
for name in "${names[@]}"; do
  kept=$build/corpus/$name
  log=$build/$name.log
  mkdir -p "$kept"
  status=0
  "$build/tests/fuzz_$name" "$kept" "tests/fuzz/corpus/$name" -max_total_time="$seconds" -max_len=4096 \
    -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/crashes/$name-" \
    >"$log" 2>&1 || status=$?
  execs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
  edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
  outcome="no crash"
  if ((status != 0)); then
    outcome="CRASHED: see $log"
    crashed=1
  fi
  echo "fuzz_$name: ${execs:-no} execs, ${rate:-0}/s, ${edges:-no} edges, $outcome"
done
exit "$crashed"

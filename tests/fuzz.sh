#!/usr/bin/env bash
# Runs each fuzzer of tests/fuzz under libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, and prints what
# it came to. What it finds worth keeping stays in build/fuzz/corpus; what crashes in build/fuzz/crashes. Ends with
# 0 only when nothing crashed.
#
#     bash tests/fuzz.sh SECONDS [NAME...]     default: all of tests/fuzz/fuzz_NAME.cpp
#     STOREMON_CLANG=clang++-14                the compiler
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ ! ${1:-} =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: bash tests/fuzz.sh SECONDS [NAME...]" >&2
  exit 2
fi
seconds=$1
shift
clang=${STOREMON_CLANG:-clang++-14}
if ! "$clang" -fsanitize=fuzzer,address,undefined -x c++ - -o /dev/null 2>/dev/null \
  <<<'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }'; then
  echo "$clang cannot build fuzzers: install the packages clang-14 and libclang-rt-14-dev" >&2
  exit 2
fi

names=("$@")
if ((${#names[@]} == 0)); then
  for source in tests/fuzz/fuzz_*.cpp; do
    name=${source##*/fuzz_}
    names+=("${name%.cpp}")
  done
fi

build=build/fuzz
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER="$clang" \
  -DSTOREMON_FUZZ=ON -DSTOREMON_BENCHMARKS=OFF --log-level=WARNING >/dev/null
cmake --build "$build" --parallel "${STOREMON_JOBS:-2}" --target "${names[@]/#/fuzz_}" >/dev/null

crashed=0
mkdir -p "$build/crashes"
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
  echo "fuzz_$name: ${execs:-no} execs, ${rate:-0}/s, ${edges:-no} edges, $( ((status)) && echo "CRASHED: see $log" || echo "no crash")"
  ((status == 0)) || crashed=1
done
exit "$crashed"

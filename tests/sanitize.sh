#!/usr/bin/env bash
# Builds everything with sanitizers and runs the tests, and then the programs of faults for longer. Ends with one line a
# sanitizer, and with 0 only when no test failed and no sanitizer reported anything, in a test program or in a server
# that one ran, killed or not. Not part of tests/run.sh, for it takes long: on 2 cores about an hour for each of the two
# from nothing, most of it the build.
#
#     bash tests/sanitize.sh [address|thread]...     default: both
#
# address: AddressSanitizer with leaks, and UndefinedBehaviorSanitizer, with assertions on; all tests and benchmarks.
# thread: ThreadSanitizer; the tests in which threads meet. The library of actors is built with it too, from the
# source of Debian's package (STOREMON_CAF_SOURCE=DIR: from there), for with the package's library no report about
# an actor could be believed.
# STOREMON_JOBS: compilers at once (2). STOREMON_KILLS (60), STOREMON_SEEDS (2000): how long the fault programs run.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=apps/packages.sh
source apps/packages.sh

kills=${STOREMON_KILLS:-60}
seeds=${STOREMON_SEEDS:-2000}

# Where threads meet: the server as a process, killed and not, actors on real threads, what HTTP and actors share.
threaded=(
  blackbox_backtest blackbox_cluster blackbox_kill blackbox_process blackbox_storage blackbox blackbox_tool
  cluster coordinator http_api http_feeds http_gateway http_observations http_server http_stores
  ingest_import ingest_intake invariance journal_actor journal_contract report_durability shard shard_replay
  simulation store_desk supervisor weights
)

die() {
  echo "$1" >&2
  exit 2
}

# The source of CAF as Debian packages it, into the directory; through apt's own list of where Debian is.
fetch_caf() {
  local into=$1
  mkdir -p "$into/apt/lists/partial" "$into/apt/none"
  local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$into/apt/sources.list" -o "Dir::Etc::sourceparts=$into/apt/none"
    -o "Dir::State::Lists=$into/apt/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
    -o APT::Sandbox::User=root)
  # shellcheck disable=SC2016 # apt puts these in
  apt-get indextargets --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' \
    | sort -u >"$into/apt/sources.list"
  "${apt[@]}" update
  (cd "$into" && "${apt[@]}" source --download-only --tar-only actor-framework)
  tar -xf "$into"/actor-framework_*.tar.* -C "$into" --strip-components=1
}

# Builds a preset, with what else is to be told to CMake.
build() {
  local preset=$1
  shift
  local log=build/$preset-build.log
  if ! { cmake --preset "$preset" "$@" &&
    cmake --build --preset "$preset" --parallel "${STOREMON_JOBS:-2}" --target "${targets[@]}"; } >"$log" 2>&1; then
    tail -40 "$log" >&2
    die "the build of $preset failed: see $log"
  fi
}

# What one attribute of the one <testsuite> element in ctest's results is.
count() {
  sed -n '/<testsuite/,/>/s/.*[[:space:]]'"$2"'="\([0-9]*\)".*/\1/p' "$1"
}

# Runs ctest, on all or on what more is said, into a directory without reports.
run() {
  local preset=$1
  shift
  rm -rf "build/$preset/reports" "build/$preset/test-results.xml"
  mkdir -p "build/$preset/reports"
  ctest --test-dir "build/$preset" --parallel 1 --output-on-failure --no-tests=error \
    --output-junit "$PWD/build/$preset/test-results.xml" "$@" >"build/$preset/ctest.log" 2>&1 ||
    sed -n '/tests passed,/,$p' "build/$preset/ctest.log"
  [[ -f build/$preset/test-results.xml ]] || die "ctest wrote no results: see build/$preset/ctest.log"
}

# Runs a test program as often as told and keeps what it says of it.
faults() {
  local preset=$1 runs=$2 program=$3
  echo "$preset: $program, $runs runs"
  local log=build/$preset/$program.log
  if STOREMON_FAULT_RUNS=$runs STOREMON_TEST_SECONDS=3600 "build/$preset/tests/$program" >"$log" 2>&1; then
    grep -hE '[0-9]+ (seeds|cuts|flips|runs)\b|^ *kills [0-9]' "$log" || true
  else
    tail -30 "$log"
    failed_programs+=("$program")
  fi
}

# The one line of what came of it.
conclude() {
  local preset=$1 results=build/$1/test-results.xml tests failed skipped reports
  tests=$(count "$results" tests)
  failed=$(count "$results" failures)
  skipped=$(($(count "$results" skipped) + $(count "$results" disabled)))
  reports=$(find "build/$preset/reports" -type f | wc -l)
  if ((tests == 0 || failed > 0 || reports > 0 || ${#failed_programs[@]} > 0)); then
    status=1
  fi
  if ((reports > 0)); then
    grep -rhE '^SUMMARY|runtime error' "build/$preset/reports" | sort | uniq -c || true
  fi
  echo "$preset: $((tests - failed - skipped)) passed, $failed failed, $skipped skipped," \
    "fault programs failed: ${failed_programs[*]:-none}, reports: $reports"
}

address() {
  targets=(all)
  failed_programs=()
  build asan
  ASAN_OPTIONS=detect_stack_use_after_return=1:log_exe_name=1:log_path=$PWD/build/asan/reports/report
  UBSAN_OPTIONS=print_stacktrace=1:log_exe_name=1:log_path=$PWD/build/asan/reports/report
  export ASAN_OPTIONS UBSAN_OPTIONS
  run asan
  faults asan "$kills" blackbox_kill_test
  faults asan "$seeds" simulation_test
  faults asan 200 power_cut_test
  faults asan 400 bit_flip_test
  conclude asan
}

thread() {
  if (($(cat /proc/sys/vm/mmap_rnd_bits) > 28)); then
    die "GCC 12's ThreadSanitizer cannot place its memory here; as root: sysctl vm.mmap_rnd_bits=28"
  fi
  targets=("${threaded[@]/%/_test}")
  failed_programs=()
  local caf=${STOREMON_CAF_SOURCE:-$PWD/build/caf}
  if [[ ! -d $caf/libcaf_core ]]; then
    fetch_caf "$caf"
  fi
  build tsan -DSTOREMON_CAF_SOURCE="$caf"
  TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:log_exe_name=1:log_path=$PWD/build/tsan/reports/report
  export TSAN_OPTIONS
  run tsan -R "^($(IFS='|' && echo "${targets[*]}")):"
  faults tsan "$kills" blackbox_kill_test
  faults tsan "$seeds" simulation_test
  conclude tsan
}

read -ra wanted <<<"${*:-address thread}"
for sanitizer in "${wanted[@]}"; do
  [[ $sanitizer =~ ^(address|thread)$ ]] || die "usage: bash tests/sanitize.sh [address|thread]..."
done
ensure_packages
mkdir -p build
status=0
for sanitizer in "${wanted[@]}"; do
  case $sanitizer in
  address) address ;;
  thread) thread ;;
  esac
done
exit "$status"

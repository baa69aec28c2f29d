#!/usr/bin/env bash
# Plants bugs that were known to lose data, one a build, and shows that the tests of faults see each of them:
#   1  commits are not synced (synchronous=NORMAL)        power_cut_test
#   4  after a failed sync the same file is opened again  power_cut_test
#   8  no CRC is checked                                  bit_flip_test
# Ends with "N of 3 bugs found"; exits 0 only when all were. STOREMON_FAULT_RUNS as for the tests.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
out=$root/build/planted-bugs
mkdir -p "$out"

# Builds a test of the journal with a bug; 0 is none.
build() {
  local test=$1 bug=$2
  g++ -std=c++20 -O1 -DXXH_INLINE_ALL -DSTOREMON_PLANT_BUG="$bug" -Ilibstoremon -Itests \
    "tests/$test.cpp" tests/support/main.cpp tests/support/crash_vfs.cpp libstoremon/storemon/model/*.cpp \
    $(ls libstoremon/storemon/journal/*.cpp | grep -v _actor) -o "$out/$test-$bug" \
    -lsqlite3 -lzstd -lboost_json -lpthread
}

found=0
for planted in "1 power_cut_test" "4 power_cut_test" "8 bit_flip_test"; do
  read -r bug test <<<"$planted"
  build "$test" "$bug"
  if "$out/$test-$bug" >"$out/$test-$bug.log" 2>&1; then
    echo "bug $bug: $test passed and should not have"
  elif grep -q '^test cases:.*failed' "$out/$test-$bug.log"; then
    echo "bug $bug: found by $test: $(grep -m1 -E 'lost something|silent' "$out/$test-$bug.log")"
    found=$((found + 1))
  else
    echo "bug $bug: $test ended without a verdict" >&2
  fi
done
echo "$found of 3 bugs found"
((found == 3))

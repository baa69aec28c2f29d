#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test and the smoke run of every benchmark.
# Ends with the line "N passed, N failed" (", N skipped" where some were); exits 0 only when none failed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=apps/packages.sh
source apps/packages.sh
jobs=${STOREMON_JOBS:-2}

ensure_packages
cmake --preset release -DSTOREMON_TESTS=ON -DSTOREMON_BENCHMARKS=ON --log-level=WARNING
cmake --build --preset release --parallel "$jobs"

results=$root/build/release/test-results.xml
rm -f "$results"
status=0
ctest --test-dir build/release --parallel "$jobs" --output-on-failure --no-tests=error \
  --output-junit "$results" || status=$?
if [[ ! -f $results ]]; then
  echo "ctest wrote no results" >&2
  exit 1
fi

# The attribute of that name of the one <testsuite> element.
count() {
  local value
  value=$(sed -n '/<testsuite/,/>/s/.*[[:space:]]'"$1"'="\([0-9]*\)".*/\1/p' "$results")
  if [[ ! $value =~ ^[0-9]+$ ]]; then
    echo "no count of '$1' in $results" >&2
    exit 1
  fi
  echo "$value"
}

tests=$(count tests)
failed=$(count failures)
not_run=$(($(count skipped) + $(count disabled)))
passed=$((tests - failed - not_run))
if ((failed > 0 && status == 0)); then
  status=1
fi
if ((not_run > 0)); then
  echo "$passed passed, $failed failed, $not_run skipped"
else
  echo "$passed passed, $failed failed"
fi
exit "$status"

#!/usr/bin/env bash
# Shows storemon at work: builds it, makes sample data of 14,000 stores and 8 days, serves them, triggers a
# report, prints the head of its CSV, and keeps serving until Ctrl-C. With --once it stops after the report.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=apps/packages.sh
source apps/packages.sh

data=build/demo-data
log=build/demo-storemond.log
csv=build/demo-report.csv
patience=600 # seconds for any one step of the server
work=
server_pid=

say() { echo "== $*"; }

fail() {
  echo "demo: $*" >&2
  exit 1
}

# Shows a line that the next one replaces, on a terminal; elsewhere only what `say` says is kept.
progress() {
  if [[ -t 1 ]]; then
    printf '\r%-78s' "$*"
  fi
}

progress_end() {
  if [[ -t 1 ]]; then
    printf '\r%-78s\r' ''
  fi
}

server_lives() { kill -0 "$server_pid" 2>/dev/null; }

show_log() { tail -n 20 "$log" >&2 || true; }

# Asks the server to stop; returns its exit status. A second signal may interrupt the waiting, not end it.
stop_server() {
  local pid=$server_pid status=0
  kill -INT "$pid" 2>/dev/null || true
  while
    status=0
    wait "$pid" || status=$?
    kill -0 "$pid" 2>/dev/null
  do :; done
  server_pid=
  return "$status"
}

clean_up() {
  if [[ -n $server_pid ]]; then
    stop_server || true
  fi
  if [[ -n $work ]]; then
    rm -rf "$work"
  fi
}

build() {
  ensure_packages
  say "building storemond and storemon (some minutes the first time)"
  mkdir -p build
  cmake --preset release --log-level=WARNING >build/demo-configure.log 2>&1 || {
    cat build/demo-configure.log >&2
    fail "configuring failed"
  }
  cmake --build --preset release --target storemond storemon || fail "building failed"
}

make_data() {
  if [[ -d $data ]]; then
    say "using the sample data in $data"
    return
  fi
  say "making sample data: 14,000 stores, 8 days of hourly polls"
  # Renamed when whole, so that an interrupted run leaves nothing that looks finished.
  rm -rf "$data.part"
  build/release/apps/storemon generate "$data.part" --stores 14000 --days 8 || fail "no sample data"
  mv "$data.part" "$data"
}

# Starts the server in a process group of its own, so that Ctrl-C reaches it once, through this script.
start_server() {
  local line
  mkfifo "$work/stdout"
  set -m
  build/release/apps/storemond --http.port=0 --data.dir="$work/kept" --data.import="$data" </dev/null >"$work/stdout" 2>"$log" &
  server_pid=$!
  set +m
  exec {server_stdout}<"$work/stdout"
  if ! read -r -t "$patience" -u "$server_stdout" line; then
    show_log
    fail "storemond said nothing on its standard output; its log is $log"
  fi
  if [[ ! $line =~ ^storemon\ ready\ (http://[^[:space:]]+)$ ]]; then
    show_log
    fail "storemond said '$line' instead of where it is ready"
  fi
  url=${BASH_REMATCH[1]}
}

# Sends a request; the answer's body is in $answer, its status in $code.
ask() {
  answer=$(curl -sS --max-time 60 -w '\n%{http_code}' "$@") || {
    show_log
    fail "no answer to: curl $*"
  }
  code=${answer##*$'\n'}
  answer=${answer%$'\n'*}
}

# The value of a field of the flat part of $answer: a text, number or word.
field() { sed -n 's/.*"'"$1"'":"\{0,1\}\([^",}]*\).*/\1/p' <<<"$answer" | head -n 1; }

wait_until_ready() {
  local deadline=$((SECONDS + patience))
  while
    ask "$url/readyz"
    [[ $code != 200 ]]
  do
    server_lives || fail "storemond ended while it read the data; its log is $log"
    ((SECONDS < deadline)) || fail "the data were not read within $patience s: $answer"
    progress "reading the data: $(field bytes_done) of $(field bytes_total) bytes"
    sleep 0.2
  done
  progress_end
}

make_report() {
  local id status deadline=$((SECONDS + patience))
  ask -X POST "$url/trigger_report"
  id=$(field report_id)
  [[ $code == 200 && -n $id ]] || fail "the report was not triggered: $code $answer"
  while
    ask "$url/get_report?report_id=$id&format=json"
    [[ $code == 200 ]] || fail "the report was lost: $code $answer"
    status=$(field status)
    [[ $status == Running ]]
  do
    ((SECONDS < deadline)) || fail "the report took more than $patience s: $answer"
    progress "report $id: $(field stores_done) of $(field stores_total) stores"
    sleep 0.1
  done
  progress_end
  [[ $status == Complete ]] || fail "the report ended as $status: $answer"
  ask -f -o "$csv" "$url/download/$id.csv"
  say "report $id is complete: $(($(wc -l <"$csv") - 1)) stores in $csv, which begins"
  head -n 6 "$csv"
}

serve_until_stopped() {
  local status=0
  say "serving at $url, log in $log; Ctrl-C stops it"
  trap 'stopping=yes' INT TERM
  stopping=no
  wait "$server_pid" || status=$?
  if [[ $stopping == no ]]; then
    server_pid=
    show_log
    fail "storemond ended by itself with status $status"
  fi
  trap '' INT TERM
  echo
}

case "$*" in
'') once=no ;;
--once) once=yes ;;
*)
  echo "usage: demo.sh [--once]" >&2
  exit 2
  ;;
esac
trap clean_up EXIT
trap 'exit 130' INT TERM
work=$(mktemp -d)
build
make_data
start_server
wait_until_ready
make_report
if [[ $once == no ]]; then
  serve_until_stopped
fi
stop_server || fail "storemond stopped with status $?; its log is $log"
say "storemond stopped"

#!/usr/bin/env bash
# Makes a data directory as a server of this build writes it, and the report it served: what stands in
# tests/golden/server-vN, N being the version of the tables, was made so once and is never made again. When
# the tables get a new version: bash tests/golden/make_server_data.sh build/release/apps tests/golden/server-vN,
# and the test in tests/blackbox_golden_test.cpp gets a row with what it prints.
set -euo pipefail

programs=$1
out=$2
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT

"$programs/storemon" generate "$work/feeds" --stores 40 --days 1 --seed 11
# Few records make a snapshot, so that there are snapshots and records after them.
: >"$work/ready"
"$programs/storemond" --http.port=0 --data.dir="$out" --node.partitions=4 --data.snapshot_records=6 \
  >"$work/ready" 2>"$work/log" &
server=$!
until grep -q ready "$work/ready"; do
  kill -0 "$server"
  sleep 0.1
done
url=$(grep -o 'http://.*' "$work/ready")

api() { curl -sS --fail-with-body -H 'Content-Type: application/json' "$@"; }
import() { curl -sS --fail-with-body "$url/api/v1/import?feed=$1" -H 'Content-Type: text/csv' --data-binary "$2" >/dev/null; }
push() { api "$url/api/v1/observations?on_conflict=$1" -d "$2" -H "Idempotency-Key: $3" >/dev/null; }
poll() { printf '{"store_id":"%s","status":"%s","timestamp_utc":"%s"}' "$1" "$2" "$3"; }

import timezones "@$work/feeds/timezones.csv"
import hours "@$work/feeds/menu_hours.csv"
import status "@$work/feeds/store_status.csv"
# A few stores of our own beside the generated ones, with everything that a store can have.
for id in open-always dark odd gone; do
  push inactive_wins "[$(poll $id active 2023-01-24T10:14:00Z),$(poll $id inactive 2023-01-24T11:15:00.25Z)]" "first-$id"
done
api -X PUT "$url/api/v1/stores/odd/timezone" -d '{"timezone":"Asia/Kolkata"}' >/dev/null
api -X PUT "$url/api/v1/stores/odd/hours" -d '{"hours":[{"day":1,"start":"09:00","end":"17:30"},{"day":5,"start":"22:00","end":"02:00"}]}' >/dev/null
api -X PUT "$url/api/v1/stores/odd/hours" -d '{"hours":[],"valid_from":"2023-01-25"}' >/dev/null
api -X PUT "$url/api/v1/stores/nothing/hours" -d '{"hours":[]}' >/dev/null
api "$url/api/v1/stores/dark/closures" -d '{"from":"2023-01-24T12:00:00Z","to":"2023-01-26T00:00:00Z"}' >/dev/null
api -X DELETE "$url/api/v1/stores/dark/closures?from=2023-01-25T00:00:00Z&to=2023-01-25T12:00:00Z" >/dev/null
import timezones $'store_id,timezone_str\ndark,Mars/Olympus\n'
push inactive_wins "[$(poll odd inactive 2023-01-24T10:14:00Z)]" conflict
push replace "[$(poll odd active 2023-01-24T10:14:00Z)]" correction
push keep "[$(poll dark active 2023-01-24T11:15:00.25Z)]" kept
api -X DELETE "$url/api/v1/stores/gone" >/dev/null
for hour in 12 13 14 15 16; do
  push inactive_wins "[$(poll open-always active 2023-01-24T$hour:00:00Z),$(poll dark active 2023-01-24T$hour:00:00Z),$(poll odd inactive 2023-01-24T$hour:00:00Z)]" "hour-$hour"
done

report=$(curl -sS -X POST "$url/trigger_report?columns=full" | grep -o '[0-9a-f-]\{36\}')
until curl -sS "$url/get_report/$report" | grep -q '"Complete"'; do sleep 0.1; done
curl -sS "$url/get_report/$report?format=csv" >"$work/report.csv"

# Not in the report, and in no snapshot.
push inactive_wins "[$(poll odd active 2023-01-24T20:00:00Z),$(poll late active 2023-01-24T20:00:00Z)]" last

kill "$server"
wait "$server"
server=
"$programs/storemond" verify "$out"
rm -rf "$out/reserve" "$out/spool" "$out/LOCK" "$out/control.sock"
mv "$work/report.csv" "$out/report.csv"
echo "report $report"

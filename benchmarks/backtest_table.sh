#!/bin/sh
# Prints, as a table in Markdown, how telegraph fares against every other estimator on synthetic fleets whose hidden
# course is known: `storemon generate --truth`, then `storemon backtest --truth`, for one hidden process after the other.
# Equal numbers of stores and equal seeds print equal tables.
#
#   benchmarks/backtest_table.sh build/release/apps/storemon [STORES] [SEED]
set -eu

tool=${1:?the path of the tool is expected}
stores=${2:-14000}
seed=${3:-1}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

echo "| hidden process | weekly RMSE: telegraph | best other | fleet bias % (hour / day / week) | 90 % interval holds (hour / day / week) |"
echo "|---|---|---|---|---|"

# row NAME OPTION...
row() {
  name=$1
  shift
  "$tool" generate "$scratch/fleet" --stores "$stores" --seed "$seed" --truth "$scratch/truth.csv" "$@" >"$scratch/log"
  "$tool" backtest "$scratch/fleet" --truth "$scratch/truth.csv" >"$scratch/scores"
  awk -v name="$name" '
    /^last_(hour|day|week):/ { window = substr($1, 1, length($1) - 1) }
    $1 == "telegraph" { rmse[window] = $3; bias[window] = $6; held[window] = $7 }
    window == "last_week" && $2 ~ /^[0-9.]+$/ && $1 != "telegraph" && (best == "" || $3 < least) { best = $1; least = $3 }
    END {
      printf "| %s | %.1f | %.1f (%s) | %.2f / %.2f / %.2f | %.3f / %.3f / %.3f |\n", name, rmse["last_week"], least, best,
        bias["last_hour"], bias["last_day"], bias["last_week"],
        held["last_hour"] / 100, held["last_day"] / 100, held["last_week"] / 100
    }' "$scratch/scores"
}

row "exponential outages (the default)"
row "Weibull outages, shape 1/2" --process weibull
row "log-normal outages" --process lognormal
row "outages of fixed length" --process fixed
row "no polling holes" --holes off
row "4 polls an hour" --polls-per-hour 4
row "12 polls an hour" --polls-per-hour 12
row "status ignores business hours" --ignore-hours
row "20 % of the polls lost" --lose 0.2
row "50 % of the polls lost" --lose 0.5
row "Weibull, ignoring hours, 20 % lost" --process weibull --ignore-hours --lose 0.2

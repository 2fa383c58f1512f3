#!/usr/bin/env bash
# The flow bench's figures, out of what "go test -bench -benchmem" printed into FILE.
#
#   bench/flows.sh FILE
#
# A figure whose benchmark is not in it is "-". It never fails on one.
set -eu

# figure BENCHMARK UNIT [DIVISOR]: what it measured in that unit.
figure() {
  awk -v name="Benchmark$1" -v unit="$2" -v by="${3:-1}" '
    { n = $1; sub(/-[0-9]+$/, "", n) }
    n == name { for (i = 3; i < NF; i++) if ($(i + 1) == unit) v = sprintf($i / by < 100 ? "%.1f" : "%.0f", $i / by) }
    END { print v == "" ? "-" : v }' "$file"
}

file=$1
echo "== the flow bench"
echo "engine_steps_per_second=$(figure Steps steps/s) engine_allocs_per_step=$(figure Steps allocs/step)"
echo "test_cases_per_second=$(figure Suite1000 cases/s) (at least 500 wanted)"
echo "check_ms_500_steps=$(figure Read500 ns/op 1e6) (at most 200 wanted)"
echo "picture_ms_60_steps=$(figure Draw60 ns/op 1e6)"

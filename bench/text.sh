#!/usr/bin/env bash
# The text side's figures: messages that are stored durably and delivered in a second
# beside what SQLite alone does with the same writes, and what an idle socket costs.
#
#   bench/text.sh             (part of make bench)
#
# Environment: SOCKETS that are idle at once (10000), MESSAGES of each comparison (4000),
# ROUNDS of it (3). It never fails on a figure; it fails when a part could not be run.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
sockets=${SOCKETS:-10000} messages=${MESSAGES:-4000} rounds=${ROUNDS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ulimit -n "$(ulimit -Hn)"
cd "$root"
go test -c -o "$work/text" ./ivr/text
go test -c -o "$work/chat" ./web/chat

# run BINARY BENCHMARK TIMES: adds the benchmark's figures to the others.
run() {
  "$work/$1" -test.run '^$' -test.timeout 60s -test.bench "$2" -test.benchtime "${3}x" >"$work/one" 2>&1 ||
    { cat "$work/one"; echo "$2 did not run"; exit 1; }
  grep '^Benchmark' "$work/one" >>"$work/all"
}

echo "== the text side"
for _ in $(seq "$rounds"); do # the machine's mood changes: both in turn, and the best of each
  run text '^BenchmarkSay$' "$messages"
  run text '^BenchmarkSayFloor$' "$messages"
done
run chat '^BenchmarkIdleSockets$/^conversation$' "$sockets"
awk '
  { name = $1; sub(/-[0-9]+$/, "", name); delete v; for (i = 3; i < NF; i += 2) v[$(i + 1)] = $i }
  name ~ /^BenchmarkSay(Floor)?$/ {
    if (v["messages/s"] > rate[name]) rate[name] = v["messages/s"]
    if (!cpu[name] || v["cpu-µs/op"] < cpu[name]) cpu[name] = v["cpu-µs/op"]
  }
  name == "BenchmarkIdleSockets/conversation" {
    idle = sprintf("idle_sockets=%d bytes_each=%d resident_each=%d (under 20480 wanted) goroutines_each=%.2f",
      v["sockets"], v["B/socket"], v["RSS-B/socket"], v["goroutines/socket"])
  }
  function ratio(a, b) { return b ? a / b : 0 }
  END {
    ours = "BenchmarkSay"; alone = "BenchmarkSayFloor"
    printf "messages_per_second=%d sqlite_alone=%d ratio=%.2f (at least 0.50 wanted)\n", rate[ours], rate[alone], ratio(rate[ours], rate[alone])
    printf "cpu_us_per_turn=%.0f sqlite_alone=%.0f ratio=%.2f\n", cpu[ours], cpu[alone], ratio(cpu[alone], cpu[ours])
    print idle
  }' "$work/all"

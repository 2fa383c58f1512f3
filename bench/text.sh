#!/usr/bin/env bash
# The text side's figures: messages that are stored durably and delivered in a second
# beside what SQLite alone does with the same writes, and what an idle socket costs.
#
#   bench/text.sh             (part of make bench)
#
# Environment: SOCKETS that are idle at once (10000), MESSAGES of the comparison (6000).
# It never fails on a figure.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
sockets=${SOCKETS:-10000} messages=${MESSAGES:-6000}
out=$(mktemp)
trap 'rm -f "$out"' EXIT
ulimit -Hn 65536 2>/dev/null || true # both ends of a connection are in one process here
ulimit -n "$(ulimit -Hn)"
cd "$root"
echo "== the text side"
for _ in 1 2 3; do # the machine's mood changes: both in turn, and the best of each
  go test -run '^$' -bench '^BenchmarkSay(Floor)?$' -benchtime "${messages}x" ./ivr/text >>"$out"
done
go test -run '^$' -bench '^BenchmarkIdleSockets$' -benchtime "${sockets}x" ./web/chat >>"$out"
awk -v sockets="$sockets" '
  { name = $1; sub(/-[0-9]+$/, "", name); for (i = 3; i < NF; i++) v[$(i + 1)] = $i }
  name == "BenchmarkSay" && v["messages/s"] > ours { ours = v["messages/s"]; cpu = v["cpu-µs/op"] }
  name == "BenchmarkSayFloor" && v["messages/s"] > alone { alone = v["messages/s"] }
  name == "BenchmarkIdleSockets/conversation" { bytes = v["B/socket"] }
  END {
    printf "messages_per_second=%d sqlite_alone=%d ratio=%.2f (at least 0.50 wanted) cpu_us_per_turn=%s\n", ours, alone, alone ? ours / alone : 0, cpu
    printf "idle_sockets=%d bytes_each=%d (under 20480 wanted, both ends of the connection)\n", sockets, bytes
  }' "$out"

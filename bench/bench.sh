#!/usr/bin/env bash
# What the server costs: Go benchmarks, the flow bench's figures among them, then calls
# under load beside the floor.
#
#   bench/bench.sh            (make bench)
#
# For each number of calls it runs the floor pump and the load harness and prints
# one row: CPU per call-second, its ratio to the floor F, pacing, delivery, failed
# calls, memory. Then set-ups without media, with the journal's share of the CPU, and
# at last a phone and a browser who talk, beside two phones.
# It never fails on a figure; it fails when a part could not be run.
#
# As root it works in a network namespace of its own. Needs sipp, gcc, go, awk;
# without root there is no pacing and no digits (SIPp needs raw sockets).
#
# Environment: CALLS ("50 200 400"), SECS of measuring for each (12), RATE of
# set-ups per second (100), TALKS of phone and browser (40), CAMERAS forwarded (6), SKIP_GO=1 leaves the Go benchmarks out, OUT a folder
# that keeps all raw figures.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
calls=${CALLS:-50 200 400} secs=${SECS:-12} rate=${RATE:-100}
for need in sipp gcc go awk curl; do
  command -v "$need" >/dev/null || { echo "SKIP: needs $need (make deps)"; [ "${REQUIRE_ALL:-}" = 1 ] && exit 1; exit 0; }
done

if [ "${1:-}" != inside ]; then
  out=${OUT:-$(mktemp -d)}
  mkdir -p "$out"
  export OUT=$out
  trap 'rm -rf "$out/build" "$out/run"' EXIT
  mkdir -p "$out/build"
  (cd "$root" && go build -o "$out/build/tandem" ./cmd/tandem && go build -o "$out/build/rtpmon" ./bench/rtpmon && go build -o "$out/build/bridge" ./bench/bridge && go build -o "$out/build/forward" ./bench/forward)
  gcc -O2 -Wall -o "$out/build/pump" "$here/floor/pump.c"
  if [ -z "${SKIP_GO:-}" ]; then
    echo "== Go benchmarks"
    (cd "$root" && go test -run '^$' -bench . -benchmem -benchtime 200ms ./... 2>&1 | grep -E '^(Benchmark|FAIL|---)' | tee "$out/go.txt") || true
    "$here/flows.sh" "$out/go.txt"
    echo "== routing decisions (a plot: $out/route.svg)"
    (cd "$root" && go run ./bench/routeplot -o "$out/route.svg" "$out/go.txt") || true
    "$here/text.sh"
  fi
  if [ "$(id -u)" = 0 ] && unshare --net true 2>/dev/null; then
    unshare --net bash -c 'ip link set lo up && exec "$0" inside' "$here/bench.sh"
  else
    echo "no root: plain loopback, no pacing figures"
    "$here/bench.sh" inside
  fi
  echo "raw figures: $out"
  exit 0
fi

build=$OUT/build run=$OUT/run
rm -rf "$run"
mkdir -p "$run/keys"
chmod 700 "$run/keys"
(umask 077; head -c 32 /dev/urandom | base64 >"$run/keys/master.key")
export TANDEM_STORE_PATH=$run/data/tandem.db TANDEM_STORE_BLOBS=$run/data/blobs
export TANDEM_STORE_CHECKPOINTS=$run/checkpoints TANDEM_STORE_MASTER_KEY=$run/keys/master.key
export TANDEM_LIMITS_CALLS=4000
ulimit -n "$(ulimit -Hn)"
admin=http://127.0.0.1:5082
"$build/tandem" serve --config "$root/interop/interop.yaml" >"$OUT/server.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true' EXIT
for _ in $(seq 150); do
  curl -fs -o /dev/null "$admin/readyz" && break
  [ -d "/proc/$server" ] || break
  sleep 0.1
done
curl -fs -o /dev/null "$admin/readyz" || { echo "the server did not get ready:"; tail -20 "$OUT/server.log"; exit 1; }

# value NAME FILE: one figure out of key=value lines, - if it is not there.
value() { awk -F= -v k="$1" '$1==k{v=$2}END{print v==""?"-":v}' "$2"; }

# A few calls first: what the server makes once is not counted as growth per call.
RAMP_S=4 PACE_S=0 "$here/ivr-load.sh" 127.0.0.1:5070 5 3 "$server" >"$OUT/warm.txt" 2>&1 ||
  { echo "the first calls did not run:"; cat "$OUT/warm.txt"; exit 1; }

echo "== calls with audio; F = the floor, CPU ms per flow-second of the same run"
format='%6s %8s %8s %6s %9s %9s %8s %7s %9s %9s\n'
# shellcheck disable=SC2059
printf "$format" calls F cpu x_F pace_p99 pace_max deliv% failed KiB/call setup_p99
for n in $calls; do
  taskset -c 1 "$build/pump" peer "$n" 7 10 20000 26000 &
  peer=$!
  taskset -c 0 "$build/pump" flows "$n" 5 4 26000 20000 >"$OUT/floor-$n.txt" || true
  wait "$peer" || true
  RTPMON=$build/rtpmon "$here/ivr-load.sh" 127.0.0.1:5070 "$n" "$secs" "$server" >"$OUT/load-$n.txt" 2>"$OUT/load-$n.err" ||
    { echo "the load of $n calls did not run:"; cat "$OUT/load-$n.err"; exit 1; }
  floor=$(value floor_ms_per_flow_second "$OUT/floor-$n.txt") cpu=$(value cpu_ms_per_call_second "$OUT/load-$n.txt")
  # shellcheck disable=SC2059
  printf "$format" "$n" "$floor" "$(awk -v c="$cpu" 'BEGIN{printf "%.3f", c}')" \
    "$(awk -v c="$cpu" -v f="$floor" 'BEGIN{if (f + 0 > 0) printf "%.2f", c / f; else print "-"}')" \
    "$(value pace_dev_ms_p99 "$OUT/load-$n.txt")" "$(value pace_dev_ms_max "$OUT/load-$n.txt")" \
    "$(value rtp_delivered_pct "$OUT/load-$n.txt")" "$(value failedcall "$OUT/load-$n.txt")" \
    "$(value rss_per_call_kib "$OUT/load-$n.txt")" "$(value setup_ms_p99 "$OUT/load-$n.txt")"
done

echo "== set-ups without media, $rate a second"
(sleep 4; curl -fs -o "$OUT/signal.prof" "$admin/debug/pprof/profile?seconds=12" || true) &
profile=$!
SCEN=signal "$here/ivr-load.sh" 127.0.0.1:5070 "$rate" 20 "$server" >"$OUT/signal.txt" 2>"$OUT/signal.err" ||
  { echo "the set-up load did not run:"; cat "$OUT/signal.err"; exit 1; }
wait "$profile" || true
echo "cpu_ms_per_call=$(value cpu_ms_per_call "$OUT/signal.txt") failed=$(value failedcall "$OUT/signal.txt") setup_ms_p99=$(value setup_ms_p99 "$OUT/signal.txt")"
if [ -s "$OUT/signal.prof" ]; then
  # Samples with the store or SQLite anywhere on their stack, of all samples.
  go tool pprof -top -focus='^tandem/store|mattn/go-sqlite3' "$build/tandem" "$OUT/signal.prof" 2>/dev/null |
    awk '/Showing nodes accounting for/ {gsub(",", ""); print "journal_share_of_signalling_cpu=" $6 " (at most 40% wanted)"}'
else
  echo "journal_share_of_signalling_cpu=- (no profile: is http.profiles on?)"
fi

echo "== two who talk: a phone and a browser beside two phones"
trap - EXIT
kill "$server"
wait "$server" 2>/dev/null || true
"$build/bridge" -calls "${TALKS:-40}" -seconds "$secs" >"$OUT/bridge.txt" || { echo "the talks could not run"; exit 1; }
cat "$OUT/bridge.txt"

"$build/forward" -cameras "${CAMERAS:-6}" -seconds "$secs" >"$OUT/forward.txt" || { echo "the pictures could not run"; exit 1; }
cat "$OUT/forward.txt"

#!/usr/bin/env bash
# Load one SIP IVR server with SIPp and print its cost as key=value lines.
#
#   bench/ivr-load.sh TARGET_HOST:PORT CALLS SECONDS SERVER_PID
#
# Holds CALLS concurrent calls (ramp, then SECONDS split in 3 CPU windows, then
# a 5 s pacing window), every one streaming PCMU both ways and keying "12" as
# RFC 4733 events. The server under test must, for user part $SERVICE:
#   answer; play prompt A (8 s or longer, cut by the first digit);
#   collect two digits; if they are 12 play prompt B (6 s), then send BYE.
# It must hang up later than DTMF_AT+GUARD ms and sooner than BYE_WAIT ms after
# that, else the call counts as failed.
#
# SCEN=signal instead measures call setups: INVITE/200/ACK, 100 ms, BYE/200, at
# CALLS calls per second for SECONDS, no RTP from the caller (user part "sig":
# the server answers and waits for BYE).
#
# Needs: sip-tester (SIPp 3.6), bash, awk; root or CAP_NET_RAW for the DTMF
# (SIPp uses a raw socket) and for pacing; Go to build rtpmon (else no pacing).
# Loopback addresses only, unless the target is a host of your own test net.
#
# Environment: SERVICE (ivr|sig), CALL_S expected call length used for the call
# rate (9.5), DTMF_AT ms (3000), GUARD ms (4500), BYE_WAIT ms (15000),
# RAMP_S (12), PACE_S (5; 0 = skip), RTPMON a built rtpmon, LOAD_CPU (taskset list for SIPp and rtpmon), AUTOGROUP_NICE
# (scheduler autogroup nice of both sides, for a machine shared with other work),
# MEDIA_IP/LOCAL_IP (127.0.0.1), MEDIA_PORT (16000), SIP_PORT (15061), KEEP=dir.
set -u
[ $# -eq 4 ] || { sed -n '2,6p' "$0" >&2; exit 2; }
target=$1 calls=$2 secs=$3 spid=$4
here=$(cd "$(dirname "$0")" && pwd)
scen=${SCEN:-ivr}
[ "$scen" = signal ] && service=${SERVICE:-sig} || service=${SERVICE:-ivr}
call_s=${CALL_S:-9.5} dtmf_at=${DTMF_AT:-3000} guard=${GUARD:-4500} bye_wait=${BYE_WAIT:-15000}
ramp=${RAMP_S:-12} pace=${PACE_S:-5}
lip=${LOCAL_IP:-127.0.0.1} mip=${MEDIA_IP:-127.0.0.1} mport=${MEDIA_PORT:-16000} sport=${SIP_PORT:-15061}
pin=(); [ -n "${LOAD_CPU:-}" ] && pin=(taskset -c "$LOAD_CPU")
[ -d "/proc/$spid" ] || { echo "no such server pid" >&2; exit 2; }
command -v sipp >/dev/null || { echo "sipp not found: apt-get install sip-tester" >&2; exit 2; }
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"

tmp=${KEEP:-$(mktemp -d)}; mkdir -p "$tmp"; sipp_pid=
cleanup() {
  [ -n "$sipp_pid" ] && kill "$sipp_pid" 2>/dev/null
  [ -z "${KEEP:-}" ] && rm -rf "$tmp"
}
trap cleanup EXIT

# 0 dBm 1 kHz digital milliwatt, 1 s of mu-law
printf '%b' "$(awk 'BEGIN{for(i=0;i<1000;i++)printf "\\x1e\\x0b\\x0b\\x1e\\x9e\\x8b\\x8b\\x9e"}')" >"$tmp/caller.ul"
# two RFC 4733 digits as a pcap: payload type 101, 100 ms each, 3 end packets,
# 150 ms apart, on an SSRC of their own (SIPp plays it from the media port; its
# play_dtmf action is no use here: it sends payload type 96 whatever was agreed)
printf '%b' "$(awk -v digits="1 2" '
  function le(v,n, i,s){s="";for(i=0;i<n;i++){s=s sprintf("\\x%02x",v%256);v=int(v/256)}return s}
  function be(v,n, i,s){s="";for(i=0;i<n;i++){s=sprintf("\\x%02x",v%256) s;v=int(v/256)}return s}
  function pkt(ms,mark,seq,ts,ev,end,dur){
    printf "%s", le(int(ms/1000),4) le((ms%1000)*1000,4) le(58,4) le(58,4) \
      be(0,12) be(2048,2) \
      be(69,1) be(0,1) be(44,2) be(seq,2) be(0,2) be(64,1) be(17,1) be(0,2) be(2130706433,4) be(2130706433,4) \
      be(6000,2) be(6000,2) be(24,2) be(0,2) \
      be(128,1) be(101+128*mark,1) be(seq,2) be(ts,4) be(305419896,4) \
      be(ev,1) be(10+128*end,1) be(dur,2)
  }
  BEGIN{ printf "%s", le(2712847316,4) le(2,2) le(4,2) le(0,4) le(0,4) le(65535,4) le(1,4)
    n=split(digits,d," "); seq=100; t=1000
    for(k=1;k<=n;k++){ ts=t*8
      for(j=0;j<5;j++) pkt(t+j*20,j==0,seq++,ts,d[k],0,(j+1)*160)
      for(j=0;j<3;j++) pkt(t+100+j,0,seq++,ts,d[k],1,800)
      t+=250 } }')" >"$tmp/dtmf.pcap"
sed -e "s/@DTMF_AT@/$dtmf_at/; s/@GUARD@/$guard/; s/@BYE_WAIT@/$bye_wait/" \
    -e "s#caller\.ul#$tmp/caller.ul#; s#dtmf\.pcap#$tmp/dtmf.pcap#" "$here/uac_$scen.xml" >"$tmp/s.xml"
mon=
if [ "$scen" = ivr ] && [ "$pace" != 0 ] && [ "$(id -u)" = 0 ] && { [ -n "${RTPMON:-}" ] || command -v go >/dev/null; }; then
  mon=${RTPMON:-$tmp/rtpmon}
  [ -x "$mon" ] || (cd "$here/.." && go build -o "$mon" ./bench/rtpmon) || mon=
fi

ticks() { # user+sys clock ticks of a pid
  local s; s=$(cat "/proc/$1/stat" 2>/dev/null) || { echo 0; return; }
  set -- ${s##*) }; echo $(( ${12} + ${13} ))
}
busy() { awk '/^cpu /{print $2+$3+$4+$7+$8+$9}' /proc/stat; }   # all CPUs, not idle/iowait
rss() { awk '/^VmRSS/{print $2}' "/proc/$1/status" 2>/dev/null || echo 0; }
threads() { awk '/^Threads/{print $2}' "/proc/$1/status" 2>/dev/null || echo 0; }
now() { date +%s.%N; }
hz=$(getconf CLK_TCK)
col() { # name -> column number in SIPp's statistics file
  awk -F';' -v n="$1" 'NR==1{for(i=1;i<=NF;i++)if($i==n){print i;exit}}' "$tmp/stat.csv"
}
rss0=$(rss "$spid")

common=("$target" -sf "$tmp/s.xml" -s "$service" -i "$lip" -p "$sport" -mi "$mip" -mp "$mport"
  -nostdin -trace_stat -stf "$tmp/stat.csv" -fd 1 -trace_rtt -rtt_freq 1 -buff_size 1048576 -trace_err)
cd "$tmp" || exit 2
if [ "$scen" = signal ]; then
  set -- -r "$calls" -l 4000 -m $((calls * secs)) -timeout $((secs + 20))
  total=$secs
else
  total=$((ramp + secs + pace + 2))
  ms=$(awk -v c="$call_s" 'BEGIN{print int(c*1000)}')
  set -- -r "$calls" -rp "$ms" -l "$calls" -rtp_threadtasks 200 -timeout $((total + 60))
fi
"${pin[@]}" sipp "${common[@]}" "$@" >"$tmp/sipp.out" 2>&1 &
sipp_pid=$!
# each login may be its own scheduling group, where nice means nothing
[ -n "${AUTOGROUP_NICE:-}" ] && for p in "$sipp_pid" "$spid"; do echo "$AUTOGROUP_NICE" >"/proc/$p/autogroup"; done 2>/dev/null

alive() { [ -d "/proc/$sipp_pid" ] && [ -d "/proc/$spid" ]; }
res="$tmp/windows"; : >"$res"
window() { # seconds: one CPU window
  local l0 l1 c0 c1 s0 s1 b0 b1 t0 t1 cc
  l0=$(wc -l <"$tmp/stat.csv"); c0=$(ticks "$spid"); s0=$(ticks "$sipp_pid"); b0=$(busy); t0=$(now)
  sleep "$1"
  alive || return
  l1=$(wc -l <"$tmp/stat.csv"); c1=$(ticks "$spid"); s1=$(ticks "$sipp_pid"); b1=$(busy); t1=$(now)
  cc=$(awk -F';' -v a="$l0" -v b="$l1" -v c="$(col CurrentCall)" 'NR>a&&NR<=b{s+=$c;n++}END{print n?s/n:0}' "$tmp/stat.csv")
  awk -v c=$((c1-c0)) -v s=$((s1-s0)) -v b=$((b1-b0)) -v t0="$t0" -v t1="$t1" -v cc="$cc" -v hz="$hz" \
      -v rss="$(rss "$spid")" -v th="$(threads "$spid")" \
    'BEGIN{w=t1-t0; print c/hz/w*100, s/hz/w*100, b/hz/w*100, cc, (cc>0?c/hz/w/cc*1000:0), rss, th}' >>"$res"
}
med() { sort -n | awk '{a[NR]=$1}END{if(!NR)print 0;else if(NR%2)print a[(NR+1)/2];else print (a[NR/2]+a[NR/2+1])/2}'; }

if [ "$scen" = signal ]; then
  sleep 2; window $((secs > 4 ? secs - 3 : 1))
else
  sleep "$ramp"
  for _ in 1 2 3; do window "$(awk -v s="$secs" 'BEGIN{print s/3}')"; done
  [ -n "$mon" ] && alive && "${pin[@]}" "$mon" -port "$mport" -d "${pace}s" >"$tmp/pace"
  kill -USR1 "$sipp_pid" 2>/dev/null   # no new calls, let the held ones end
fi
for _ in $(seq 1 80); do [ -d "/proc/$sipp_pid" ] || break; sleep 0.5; done
[ -d "/proc/$sipp_pid" ] && { kill "$sipp_pid" 2>/dev/null; echo "sipp_drained=no"; }
wait "$sipp_pid" 2>/dev/null; sipp_pid=

echo "scenario=$scen"; echo "calls=$calls"
echo "server_alive=$([ -d "/proc/$spid" ] && echo yes || echo no)"
echo "concurrent_calls=$(awk '{print $4}' "$res" | med)"
echo "server_cpu_pct=$(awk '{print $1}' "$res" | med)"
echo "load_cpu_pct=$(awk '{print $2}' "$res" | med)"
echo "machine_busy_pct=$(awk '{print $3}' "$res" | med)"
[ "$scen" = ivr ] && echo "cpu_ms_per_call_second=$(awk '{print $5}' "$res" | med)"
[ "$scen" = signal ] && echo "cpu_ms_per_call=$(awk -v r="$calls" '{print $1/100*1000/r}' "$res" | med)"
echo "rss_idle_kib=$rss0"; echo "rss_kib=$(awk '{print $6}' "$res" | med)"
awk -v r0="$rss0" -v n="$calls" 'END{printf "rss_per_call_kib=%.1f\nserver_threads=%d\n", ($6-r0)/n, $7}' "$res"
for k in TotalCallCreated "SuccessfulCall(C)" "FailedCall(C)" "Retransmissions(C)" "FailedUnexpectedMessage(C)" "FailedTimeoutOnRecv(C)" "FailedMaxUDPRetrans(C)"; do
  c=$(col "$k"); n=${k%(C)}; [ -n "$c" ] && awk -F';' -v c="$c" -v k="${n,,}" 'END{print k "=" $c}' "$tmp/stat.csv"
done
cat "$tmp"/*_rtt.csv 2>/dev/null | awk -F';' '$1+0>0&&NF>1{print $2}' | sort -n |
  awk '{a[NR]=$1}END{if(NR)printf "setup_n=%d\nsetup_ms_p50=%s\nsetup_ms_p99=%s\nsetup_ms_max=%s\n",NR,a[int((NR+1)/2)],a[(int(NR*0.99)>0)?int(NR*0.99):1],a[NR]}'
if [ -s "$tmp/pace" ]; then # delivered: share of the 50 packets/s that each call should get
  cat "$tmp/pace"
  awk -F= -v cc="$(awk '{print $4}' "$res" | med)" '$1=="rtp_pps"{printf "rtp_delivered_pct=%.1f\n",(cc>0?$2/(50*cc)*100:0)}' "$tmp/pace"
fi
true

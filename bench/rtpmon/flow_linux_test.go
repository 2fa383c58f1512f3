package main

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"
)

const ms = int64(time.Millisecond)

// feed adds n packets in step, 20 ms apart, the i-th late by what late says.
func feed(g *figures, n int, late func(i int) int64) {
	for i := range n {
		g.add(header{seq: uint16(i), ts: uint32(i * 160)}, 1_000*ms+int64(i)*20*ms+late(i))
	}
}

func lines(t *testing.T, g *figures) map[string]string {
	t.Helper()
	var b strings.Builder
	if err := g.report(&b); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for line := range strings.Lines(b.String()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[name] = value
	}
	return values
}

func TestSteadyFlow(t *testing.T) {
	g := newFigures(8000)
	feed(g, 101, func(int) int64 { return 0 })
	got := lines(t, g)
	for name, want := range map[string]string{"rtp_flows": "1", "rtp_packets": "101", "rtp_lost": "0", "pace_dev_ms_max": "0.000", "pace_lag_ms_max": "0.000"} {
		if got[name] != want {
			t.Errorf("%s=%s, want %s", name, got[name], want)
		}
	}
}

func TestSlipShowsAsLag(t *testing.T) {
	g := newFigures(8000)
	feed(g, 100, func(i int) int64 { return int64(i/50) * 15 * ms }) // from the middle on all come 15 ms late
	got := lines(t, g)
	for name, want := range map[string]string{"pace_dev_ms_p50": "0.000", "pace_dev_ms_max": "15.000", "pace_lag_ms_p99": "15.000", "pace_over10ms_ppm": "10101"} {
		if got[name] != want {
			t.Errorf("%s=%s, want %s", name, got[name], want)
		}
	}
}

func TestLossAndNewPrompt(t *testing.T) {
	g := newFigures(8000)
	g.add(header{seq: 1, ts: 0}, 1)
	g.add(header{seq: 4, ts: 480}, 60*ms)                // two lost
	g.add(header{seq: 3, ts: 320}, 61*ms)                // one of them was only late
	g.add(header{seq: 5, ts: 9000, marker: true}, 2e9)   // a new prompt is no late packet
	g.add(header{key: key{port: 2}, seq: 5, ts: 1}, 3e9) // another flow
	got := lines(t, g)
	for name, want := range map[string]string{"rtp_flows": "2", "rtp_lost": "2", "rtp_reordered": "1", "pace_dev_ms_max": "0.000"} {
		if got[name] != want {
			t.Errorf("%s=%s, want %s", name, got[name], want)
		}
	}
}

func TestParse(t *testing.T) {
	b := make([]byte, 20+8+12)
	b[0] = 0x45
	binary.BigEndian.PutUint16(b[20:], 5004)
	b[28], b[29] = 0x80, 0x80
	binary.BigEndian.PutUint16(b[30:], 7)
	if h, ok := parse(b); !ok || h.seq != 7 || !h.marker || h.key.port != 5004 {
		t.Errorf("parsed %+v, %v", h, ok)
	}
	b[29] = 72 // RTCP
	if _, ok := parse(b); ok {
		t.Error("RTCP was taken for RTP")
	}
	if _, ok := parse(b[:30]); ok {
		t.Error("a short packet was taken for RTP")
	}
}

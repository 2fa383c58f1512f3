package gate

import (
	"bytes"
	"net/netip"
	"testing"
	"time"
)

// TestFloodFromEverywhere: forged addresses draw from one bucket; calls that are up
// have the last quarter of it, TCP has nothing to do with it.
func TestFloodFromEverywhere(t *testing.T) {
	now := time.Unix(1000, 0)
	dropped := map[Reason]int{}
	g := New(Options{
		Limits: Limits{AllRequestsPerSecond: 10, AllRequestBurst: 20}, Now: func() time.Time { return now },
		Dropped: func(r Reason) { dropped[r]++ },
	})
	let := func(raw []byte, stream bool) (n int) {
		for i := range 100 {
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i), 1}), 5060)
			forward, reply, _ := g.pass(raw, stream, from)
			if forward != nil {
				n++
			}
			if reply != nil {
				t.Fatalf("answered %q", reply)
			}
		}
		return n
	}
	up := bytes.ReplaceAll(options("To: <sip:user@example.com>;tag=9"), []byte("OPTIONS"), []byte("BYE"))
	for _, step := range []struct {
		name   string
		raw    []byte
		stream bool
		want   int
	}{
		{"requests", options(), false, 15},
		{"their ACKs", bytes.ReplaceAll(options(), []byte("OPTIONS"), []byte("ACK")), false, 100},
		{"goodbyes", up, false, 5},
		{"requests over TCP", options(), true, 100},
	} {
		if got := let(step.raw, step.stream); got != step.want {
			t.Errorf("%d of 100 %s let in, want %d", got, step.name, step.want)
		}
	}
	if dropped[ReasonFlood] != 85+95 || len(dropped) != 1 {
		t.Errorf("dropped %v", dropped)
	}
	now = now.Add(time.Second)
	if got := let(options(), false); got != 5 {
		t.Errorf("a second later %d are let in", got)
	}
}

func TestLimitsBelowZero(t *testing.T) {
	l := Limits{
		Message: -1, HeaderLine: -1, Headers: -1, Body: -1, Vias: -1, InviteBurst: -1, RequestBurst: -1, AllRequestBurst: -1, Sources: -1,
		InvitesPerSecond: -1, RequestsPerSecond: -1, AllRequestsPerSecond: -1, Connections: -1, AllConnections: -1,
	}
	g := New(Options{Limits: l})
	for range 20000 {
		if forward, _, v := g.pass(options(), false, netip.MustParseAddrPort("192.0.2.1:5060")); forward == nil {
			t.Fatal(v.Reason)
		}
	}
	for range 101 {
		if _, ok := g.sources.connect(netip.MustParseAddr("192.0.2.1"), time.Now()); !ok {
			t.Fatal("a connection is not let in")
		}
	}
}

// TestLongerInPlainForm: what the library's buffer cannot hold is counted.
func TestLongerInPlainForm(t *testing.T) {
	server, client := udpPair(t)
	var dropped []Reason
	gated := New(Options{}).PacketConn(server)
	odd := bytes.Replace(options(), []byte("\r\nCall-ID: x@y"), []byte("\r\ni:x@y"), 1)
	odd = bytes.Replace(odd, []byte("From: "), []byte("f :"), 1)
	if v := Check(odd, false, Limits{}); len(v.message) <= len(odd)+1 {
		t.Fatalf("%d bytes become %d: %+v", len(odd), len(v.message), v)
	}
	for _, b := range [][]byte{odd, options()[:20]} { // the second is no SIP: it ends nothing
		if _, err := client.WriteTo(b, server.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, len(odd)+1)
	gated.gate.o.Dropped = func(r Reason) {
		if dropped = append(dropped, r); len(dropped) == 2 {
			server.Close()
		}
	}
	if _, _, err := gated.ReadFrom(buf); err == nil {
		t.Fatal("it was handed over")
	}
	if len(dropped) != 2 || dropped[0] != ReasonTooLarge {
		t.Errorf("dropped %v", dropped)
	}
}

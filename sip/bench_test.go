package sip

import "testing"

// BenchmarkCall is one call after another over UDP: INVITE to the BYE's answer,
// with the peer's work in it. Times 800 it must stay well under one core.
func BenchmarkCall(b *testing.B) {
	m := newMedia()
	m.up = make(chan struct{}, b.N+1)
	a := &app{call: talk(m)}
	s := start(b, a, func(c *Config) { c.Limits.CallsPerSource = -1 })
	go func() {
		for range a.ended { // only to keep the handlers going
			continue
		}
	}()
	b.Cleanup(func() { close(a.ended) })
	p := listeningPeer(b).attach(s)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		l := p.leg("1000")
		l.up("", offerSDP)
		<-m.up
		l.do("BYE", "", "")
		p.expectCode(200, "BYE")
		p.held = p.held[:0]
	}
}

package webrtc

import "time"

// Figures are what is measured of a Peer. Times are in nanoseconds.
type Figures struct {
	State     State         `json:"state"`
	Since     time.Time     `json:"since"`            // of State
	Setup     time.Duration `json:"setup,omitempty"`  // from the first offer to the first packet
	Codec     string        `json:"codec,omitempty"`  // PCMU, PCMA, opus
	Local     string        `json:"local,omitempty"`  // how the page reaches us: udp, tcp
	Remote    string        `json:"remote,omitempty"` // type of the page's candidate: host, srflx, prflx, relay
	RoundTrip time.Duration `json:"round_trip,omitempty"`
	Loss      float64       `json:"loss"`             // share of the page's packets that did not come, 0 to 1
	FarLoss   float64       `json:"far_loss"`         // of ours lately, as the page reports
	Jitter    time.Duration `json:"jitter,omitempty"` // of the page's packets
	Cuts      int           `json:"cuts"`             // how often it was cut
	Mended    time.Duration `json:"mended,omitempty"` // how long the last cut lasted that is over
	Dropped   uint64        `json:"dropped"`          // packets of ours that waited too long to be sent
	Bad       uint64        `json:"bad"`              // packets that could not be opened or read
}

// Figures are what is measured now.
func (p *Peer) Figures() Figures {
	st := p.stream.Stats()
	p.mu.Lock()
	f := Figures{
		State: p.state, Since: p.since, Setup: p.setup, RoundTrip: p.rtt, FarLoss: p.lost,
		Jitter: st.Jitter, Cuts: p.cuts, Mended: p.mended, Dropped: p.ring.dropped.Load(), Bad: p.bad.Load(),
	}
	p.mu.Unlock()
	if all := st.Received + st.Lost; all > 0 {
		f.Loss = float64(st.Lost) / float64(all)
	}
	l := p.link.Load()
	if l == nil {
		return f
	}
	if out := l.out.Load(); out != nil {
		switch {
		case out.pcmu:
			f.Codec = "PCMU"
		case out.pcma:
			f.Codec = "PCMA"
		default:
			f.Codec = "opus"
		}
	}
	far, network := l.far()
	f.Local = network
	if !far.IsValid() {
		return f
	}
	f.Remote = "prflx"
	p.mu.Lock()
	if kind, ok := p.candidates[far]; ok {
		f.Remote = kind
	}
	p.mu.Unlock()
	if p.server.relay != nil && p.server.relay.Relays(far) {
		f.Remote = "relay"
	}
	return f
}

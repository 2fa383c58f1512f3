package webrtc

import (
	"time"

	"tandem/media/video"
)

// Figures are what is measured of a Peer. Times are in nanoseconds.
type Figures struct {
	State     State         `json:"state"`
	Since     time.Time     `json:"since"`            // of State
	Setup     time.Duration `json:"setup,omitempty"`  // from the first offer to the first packet
	Codec     string        `json:"codec,omitempty"`  // of what we say to it, unless that is passed on: PCMU, PCMA, opus
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
	Opus      uint64        `json:"opus"`             // packets that it was sent as another page has made them
}

// Figures are what is measured now.
func (p *Peer) Figures() Figures {
	st := p.stream.Stats()
	p.mu.Lock()
	f := Figures{
		State: p.state, Since: p.since, Setup: p.setup, RoundTrip: p.rtt, FarLoss: p.lost,
		Jitter: st.Jitter, Cuts: p.cuts, Mended: p.mended, Dropped: p.ring.dropped.Load(), Bad: p.bad.Load(), Opus: st.Opus,
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
	f.Local, f.Remote = l.way()
	return f
}

// way is by which network the page reaches us, and the type of its candidate.
func (l *link) way() (local, remote string) {
	far, local := l.far()
	if !far.IsValid() {
		return local, ""
	}
	c := l.conn
	remote = "prflx"
	c.mu.Lock()
	if kind, ok := c.candidates[far]; ok {
		remote = kind
	}
	c.mu.Unlock()
	if c.server.relay != nil && c.server.relay.Relays(far) {
		remote = "relay"
	}
	return local, remote
}

// ScreenFigures are what is measured of a Screen. Times are in nanoseconds.
type ScreenFigures struct {
	State     State         `json:"state"`
	Since     time.Time     `json:"since"`            // of State
	Setup     time.Duration `json:"setup,omitempty"`  // from the first offer to the first packet
	Local     string        `json:"local,omitempty"`  // how the page reaches us: udp, tcp
	Remote    string        `json:"remote,omitempty"` // type of the page's candidate: host, srflx, prflx, relay
	RoundTrip time.Duration `json:"round_trip,omitempty"`
	FarLoss   float64       `json:"far_loss"`         // of our packets lately, as the page reports
	Cuts      int           `json:"cuts"`             // how often it was cut
	Mended    time.Duration `json:"mended,omitempty"` // how long the last cut lasted that is over
	Bad       uint64        `json:"bad"`              // packets that could not be opened or read
	Budget    int           `json:"budget"`           // what the page's network is believed to carry, in bits per second
	Again     uint64        `json:"again"`            // packets that were sent again because the page asked
	Kept      uint64        `json:"kept"`             // that were not, because its network is full

	Camera  video.Figures       `json:"camera"`
	Display video.Figures       `json:"display"`
	Slots   []video.SinkFigures `json:"slots"`
}

// Figures are what is measured now.
func (p *Screen) Figures() ScreenFigures {
	p.mu.Lock()
	f := ScreenFigures{
		State: p.state, Since: p.since, Setup: p.setup, RoundTrip: p.rtt, FarLoss: p.lost, Cuts: p.cuts, Mended: p.mended, Bad: p.bad.Load(),
	}
	p.mu.Unlock()
	p.about.Lock()
	f.Budget = p.budget
	p.about.Unlock()
	f.Camera, f.Display = p.Camera().Figures(), p.Display().Figures()
	for _, w := range p.places {
		f.Slots = append(f.Slots, w.sink.Figures())
	}
	if l := p.link.Load(); l != nil {
		f.Local, f.Remote = l.way()
		f.Again, f.Kept = l.picture.Again()
	}
	return f
}

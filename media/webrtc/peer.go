package webrtc

import (
	"context"
	"time"

	"tandem/media"
)

// PeerOptions is what a Peer is made of.
type PeerOptions struct {
	Name    string       // for the log
	Send    func(Signal) // to the page; it must not wait
	Changed func(State)  // told in order from the peer's goroutine; it must not wait. May be nil
}

// Figures are what is measured of a Peer.
type Figures struct {
	State     State         `json:"state"`
	Since     time.Time     `json:"since"`            // of State
	Setup     time.Duration `json:"setup,omitempty"`  // from the first offer to the first packet
	Codec     string        `json:"codec,omitempty"`  // PCMU, PCMA, opus
	Local     string        `json:"local,omitempty"`  // type of our candidate: host, relay; with /tcp
	Remote    string        `json:"remote,omitempty"` // of the page's: host, srflx, prflx, relay
	RoundTrip time.Duration `json:"round_trip,omitempty"`
	Loss      float64       `json:"loss"`             // share of the page's packets that did not come, 0 to 1
	FarLoss   float64       `json:"far_loss"`         // of ours, as the page reports
	Jitter    time.Duration `json:"jitter,omitempty"` // of the page's packets
	Cuts      int           `json:"cuts"`             // how often it was cut
	Mended    time.Duration `json:"mended,omitempty"` // how long the last cut lasted
	Dropped   uint64        `json:"dropped"`          // packets of ours that the page's connection did not take in time
	Bad       uint64        `json:"bad"`              // packets that could not be opened or read
}

// Peer is one page's connection. Its methods may be called from any goroutine.
type Peer struct {
	o PeerOptions
}

// Take carries out a signal of the page. ErrSignal wraps what a page has done wrong: the
// peer goes on as it was.
func (p *Peer) Take(ctx context.Context, sig Signal) error { return ErrClosed }

// Stream is the peer's audio, open till Close.
func (p *Peer) Stream() *media.Stream { return nil }

// State is how it is connected.
func (p *Peer) State() State { return StateGone }

// Mic is how the page says that its microphone is; "" before it has said.
func (p *Peer) Mic() string { return "" }

// Figures are what is measured now.
func (p *Peer) Figures() Figures { return Figures{} }

// Restart asks the page to connect anew (RFC 8445, section 9).
func (p *Peer) Restart(why string) {}

// Close ends the peer: the page is told, the stream closed. Further calls return the same.
func (p *Peer) Close() media.Stats { return media.Stats{} }

package port

import (
	"slices"
	"sync/atomic"
)

// Reasons why a packet was dropped; label values of a metric.
const (
	DropUnknown   = "unknown"   // neither STUN nor DTLS nor RTP
	DropSTUN      = "stun"      // no connectivity check
	DropIntegrity = "integrity" // a check that the password of its peer does not sign
	DropUnchecked = "unchecked" // from an address that has passed no check, or for nobody
	DropDTLS      = "dtls"      // a ClientHello, or what a handshake that is done needs no more
	DropSRTP      = "srtp"      // could not be opened, or came twice
	DropFull      = "full"      // the peer's queue was full: the oldest went
)

var reasons = []string{DropUnknown, DropSTUN, DropIntegrity, DropUnchecked, DropDTLS, DropSRTP, DropFull}

// Reasons are all there are.
func Reasons() []string { return slices.Clone(reasons) }

// Drops counts by reason.
type Drops struct{ n [7]atomic.Uint64 }

// Add counts one.
func (d *Drops) Add(why string) {
	for i, r := range reasons {
		if r == why {
			d.n[i].Add(1)
			return
		}
	}
}

// Of is how many were dropped for a reason.
func (d *Drops) Of(why string) uint64 {
	for i, r := range reasons {
		if r == why {
			return d.n[i].Load()
		}
	}
	return 0
}

package port

import (
	"bytes"
	"encoding/binary"

	"github.com/pion/stun/v3"
)

// packetKind is what a datagram holds, as its first byte says (RFC 7983, section 7).
type packetKind int

const (
	kindUnknown packetKind = iota
	kindSTUN
	kindDTLS
	kindRTP // or RTCP, secured
)

func kind(b []byte) packetKind {
	if len(b) < 12 {
		return kindUnknown
	}
	switch first := b[0]; {
	case first <= 3:
		return kindSTUN
	case 20 <= first && first <= 63:
		return kindDTLS
	case 128 <= first && first <= 191:
		return kindRTP
	}
	return kindUnknown
}

// checkName is the user fragment of ours that a check is for (RFC 8445, section 7.2.2).
func checkName(msg *stun.Message) (string, bool) {
	user, err := msg.Get(stun.AttrUsername)
	if err != nil || !msg.Contains(stun.AttrMessageIntegrity) {
		return "", false
	}
	name, _, ok := bytes.Cut(user, []byte(":"))
	return string(name), ok
}

// check finds the peer whom a connectivity check names and whose password signs it.
func check(b []byte, find func(name string) *wire) (w *wire, why string) {
	msg := stun.Message{Raw: b}
	if msg.Decode() != nil || msg.Type != stun.BindingRequest {
		return nil, DropSTUN // we check nobody, so nothing but requests concerns us (RFC 8445, section 2.5)
	}
	name, ok := checkName(&msg)
	if !ok {
		return nil, DropSTUN
	}
	if w = find(name); w == nil {
		return nil, DropUnchecked
	}
	if !w.signs(&msg) {
		return nil, DropIntegrity
	}
	return w, ""
}

// Of a DTLS record (RFC 6347, section 4.1) and of a handshake message (section 4.2.2).
const (
	recordHeader     = 13
	recordAlert      = 21
	recordHandshake  = 22
	handshakeRequest = 1 // ClientHello
)

// wanted reports whether a datagram of DTLS can be meant for us. We are always the
// client, so no ClientHello is; alerts in the clear prove nothing, and would let anybody
// who can send in the page's name end the session; and once the handshake is done,
// nothing in the clear is needed.
func wanted(b []byte, done bool) bool {
	for len(b) > 0 {
		if len(b) < recordHeader {
			return false
		}
		size := int(binary.BigEndian.Uint16(b[11:]))
		if len(b) < recordHeader+size || size == 0 {
			return false
		}
		if epoch := binary.BigEndian.Uint16(b[3:]); epoch == 0 {
			switch {
			case done, b[0] == recordAlert:
				return false
			case b[0] == recordHandshake && b[recordHeader] == handshakeRequest:
				return false
			}
		}
		b = b[recordHeader+size:]
	}
	return true
}

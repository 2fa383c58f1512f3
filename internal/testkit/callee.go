package testkit

import (
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Callee is a scripted phone that is called, over UDP. It answers OPTIONS by itself with
// the code it is set to; to calls it does only what the test says.
type Callee struct {
	*Peer
	asked  atomic.Int64
	answer atomic.Int64    // code for OPTIONS; 0 = none
	known  map[string]bool // calls that came, by Call-ID: only the test's goroutine looks
}

// NewCallee opens a phone that is there. It is closed with the test.
func NewCallee(t testing.TB) *Callee {
	t.Helper()
	c := &Callee{Peer: NewPeer(t, "udp", Loopback(9)), known: map[string]bool{}} // it hears from the server before it says anything
	c.answer.Store(200)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			m, ok := c.Take(time.Hour, Requests("OPTIONS"))
			if !ok {
				return
			}
			c.asked.Add(1)
			if code := int(c.answer.Load()); code != 0 {
				_, _ = c.packet.WriteToUDPAddrPort(m.Reply(code, "Test", token()).Bytes(), sender(m.Message)) // a server that has gone asks again
			}
		}
	}()
	t.Cleanup(func() { // before the peer's own, which ends the reader
		c.Close()
		<-done
	})
	return c
}

// sender is where a request's answer goes.
func sender(m *Message) netip.AddrPort {
	_, rest, _ := strings.Cut(m.Get("Via"), " ")
	by, _, _ := strings.Cut(rest, ";")
	at, _ := netip.ParseAddrPort(strings.TrimSpace(by))
	return at
}

// URI is the phone's address.
func (c *Callee) URI(user string) string { return "sip:" + user + "@" + c.local.String() }

// Answers sets the code with which OPTIONS are answered; 0 = they are not.
func (c *Callee) Answers(code int) { c.answer.Store(int64(code)) }

// Asked is how many OPTIONS have come.
func (c *Callee) Asked() int { return int(c.asked.Load()) }

// Rung waits for a call that has not come before, which it does not answer yet.
func (c *Callee) Rung(d time.Duration) *Dialog {
	c.t.Helper()
	return c.answering(c.Want(d, "call to the phone", c.rings))
}

// Rings is Rung for who does not know whether a call comes.
func (c *Callee) Rings(d time.Duration) (*Dialog, bool) {
	c.t.Helper()
	m, ok := c.Take(d, c.rings)
	if !ok {
		return nil, false
	}
	return c.answering(m), true
}

func (c *Callee) answering(m Arrived) *Dialog {
	c.t.Helper()
	c.aim.Lock() // calls that came before may be going on
	c.server = sender(m.Message)
	c.aim.Unlock()
	c.mu.Lock()
	c.known[m.Get("Call-ID")] = true
	c.mu.Unlock()
	from := m.Get("To") + ";tag=" + token()
	return &Dialog{Peer: c.Peer, RTP: NewRTP(c.t), Invite: m.Message, from: from, to: m.Get("From"), remote: m.Contact()}
}

// rings fits the INVITE of another call, not the repetition of one.
func (c *Callee) rings(m *Message) bool {
	return Requests("INVITE")(m) && !c.known[m.Get("Call-ID")]
}

// Silent reports whether no other call comes for so long.
func (c *Callee) Silent(d time.Duration) bool {
	m, rung := c.Take(d, c.rings)
	if rung {
		c.mu.Lock()
		c.known[m.Get("Call-ID")] = true
		c.mu.Unlock()
	}
	return !rung
}

// Says answers the INVITE of a call that came in with a code of which there may be more.
func (d *Dialog) Says(code int, reason string) {
	d.t.Helper()
	d.Send(d.Invite.Reply(code, reason, parameter(d.from, "tag")).Add("Contact", "<"+d.contact()+">"))
}

// Rejects answers the INVITE of a call that came in with a failure, and waits for the ACK.
func (d *Dialog) Rejects(code int, reason string) {
	d.t.Helper()
	d.Says(code, reason)
	d.Want(Patience, "ACK to the failure", d.ofCall("ACK"))
}

// Picks answers a call that came in and talks with the other side.
func (d *Dialog) Picks() {
	d.t.Helper()
	offer, err := ParseMedia(d.Invite.Body)
	if err != nil {
		d.t.Fatalf("SDP in the INVITE: %v", err)
	}
	d.version++
	d.Send(d.Invite.Reply(200, "OK", parameter(d.from, "tag")).Add("Contact", "<"+d.contact()+">").
		With("application/sdp", SDP(d.port(), d.version, "")))
	d.Want(Patience, "ACK", d.ofCall("ACK"))
	d.aim(offer.Address)
}

// Cancelled waits until a call that came in and rings is given up, and agrees.
func (d *Dialog) Cancelled(wait time.Duration) {
	d.t.Helper()
	m := d.Want(wait, "CANCEL", d.ofCall("CANCEL"))
	d.Send(m.Reply(200, "OK", ""))
	d.Rejects(487, "Request Terminated")
}

// ofCall fits requests of a method in this call.
func (d *Dialog) ofCall(method string) func(*Message) bool {
	return func(m *Message) bool {
		return Requests(method)(m) && m.Get("Call-ID") == d.Invite.Get("Call-ID")
	}
}

// OwnTag is the tag by which a call that came in is answered.
func (d *Dialog) OwnTag() string { return parameter(d.from, "tag") }

package testkit

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Patience is how long the dialog helpers wait for an answer that should come at once.
const Patience = 20 * time.Second

// Dialog is one call of a Peer: it numbers requests, keeps tags and target, and
// sends ACK where the test says so.
type Dialog struct {
	*Peer
	Invite *Message // as sent
	OK     Arrived  // the 2xx, once there
	RTP    *RTP     // nil until Call or NewDialog with media

	relay   *Relay
	cseq    int
	version int
	remote  string // request target: the other side's Contact
	routes  []string
	to      string
	from    string
}

// Options change how a call is made.
type Options struct {
	From    string                   // user part of From; "" = tester
	NoOffer bool                     // late offer: no SDP in the INVITE
	Change  func(*Message)           // last word on the INVITE before it goes
	RTP     *RTP                     // instead of one of its own
	Relay   *Relay                   // what the SDP says instead of the RTP's own port, for a relay
	Ring    time.Duration            // how long to wait for the 200; 0 = Patience
	Answer  func(offer Media) string // SDP for a late offer; nil = plain
}

// NewInvite makes a dialog and its INVITE without sending it.
func (p *Peer) NewInvite(user string, o Options) *Dialog {
	p.t.Helper()
	d := &Dialog{Peer: p, RTP: o.RTP, relay: o.Relay}
	if d.RTP == nil {
		d.RTP = NewRTP(p.t)
	}
	m := p.Request("INVITE", user)
	if o.From != "" {
		m.Set("From", "<sip:"+o.From+"@"+p.local.String()+">;tag="+token())
	}
	if !o.NoOffer {
		d.version++
		m.With("application/sdp", SDP(d.port(), d.version, ""))
	}
	if o.Change != nil {
		o.Change(m)
	}
	d.Invite, d.from, d.cseq = m, m.Get("From"), m.CSeq()
	return d
}

// Ring sends an INVITE and waits for its final answer, or with provisional for any
// but 100. Where the server turns it away for load (503) it tries again after a
// while, as callers do, on a machine that other work keeps busy.
func (p *Peer) Ring(user string, o Options, provisional bool) (*Dialog, Arrived) {
	p.t.Helper()
	wait := o.Ring
	if wait == 0 {
		wait = Patience
	}
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for deadline := time.Now().Add(3 * Patience); ; <-again.C {
		d := p.NewInvite(user, o)
		o.RTP = d.RTP
		p.Send(d.Invite)
		got := p.Want(wait, "answer to "+d.Invite.Start, func(m *Message) bool {
			return Answers(d.Invite)(m) && (m.Status() >= 200 || provisional && m.Status() > 100)
		})
		if got.Status() != 503 || time.Now().After(deadline) {
			return d, got
		}
		p.Send(d.AckFailure(got))
	}
}

// Call rings, waits for the 200, sends ACK and aims the RTP. It fails the test on
// any other final answer.
func (p *Peer) Call(user string, o Options) *Dialog {
	p.t.Helper()
	d, ok := p.Ring(user, o, false)
	if ok.Status() != 200 {
		p.t.Fatalf("INVITE to %s: %s", user, ok.Start)
	}
	d.Established(ok)
	media, err := ParseMedia(ok.Body)
	if err != nil {
		p.t.Fatalf("SDP in the 200: %v", err)
	}
	ack := d.Ack()
	if o.NoOffer {
		d.version++
		body := SDP(d.port(), d.version, "")
		if o.Answer != nil {
			body = o.Answer(media)
		}
		ack.With("application/sdp", body)
	}
	p.Send(ack)
	d.aim(media.Address)
	return d
}

// port is where the server is told to send RTP.
func (d *Dialog) port() int {
	if d.relay != nil {
		return d.relay.FarPort()
	}
	return d.RTP.Port()
}

func (d *Dialog) aim(server netip.AddrPort) {
	if d.relay != nil {
		d.relay.To(server)
		server = d.relay.Near()
	}
	d.RTP.Aim(server)
}

// Established takes tags, target and routes from a 2xx.
func (d *Dialog) Established(ok Arrived) {
	d.OK, d.to, d.remote = ok, ok.Get("To"), ok.Contact()
	routes := ok.All("Record-Route")
	d.routes = d.routes[:0]
	for i := len(routes) - 1; i >= 0; i-- {
		d.routes = append(d.routes, routes[i])
	}
}

// ServerMedia is where the server wants RTP, from its 200.
func (d *Dialog) ServerMedia() netip.AddrPort {
	d.t.Helper()
	media, err := ParseMedia(d.OK.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return media.Address
}

// Ack makes the ACK to the dialog's newest 2xx.
func (d *Dialog) Ack() *Message { return d.inside("ACK", d.OK.CSeq()) }

// Next makes the next request inside the dialog, with the CSeq counted up.
func (d *Dialog) Next(method string) *Message {
	d.cseq++
	return d.inside(method, d.cseq)
}

func (d *Dialog) inside(method string, cseq int) *Message {
	target := d.remote
	if target == "" {
		target = strings.Fields(d.Invite.Start)[1]
	}
	m := &Message{Start: method + " " + target + " SIP/2.0"}
	m.Add("Via", "SIP/2.0/"+strings.ToUpper(d.transport)+" "+d.local.String()+";branch="+NewBranch()+";rport")
	for _, r := range d.routes {
		m.Add("Route", r)
	}
	m.Add("Max-Forwards", "70")
	m.Add("From", d.from)
	m.Add("To", d.to)
	m.Add("Call-ID", d.Invite.Get("Call-ID"))
	m.Add("CSeq", fmt.Sprintf("%d %s", cseq, method))
	m.Add("Contact", "<"+d.contact()+">")
	return m
}

// Cancel makes the CANCEL of the INVITE (RFC 3261 section 9.1).
func (d *Dialog) Cancel() *Message {
	m := &Message{Start: strings.Replace(d.Invite.Start, "INVITE", "CANCEL", 1)}
	for _, name := range []string{"Via", "Max-Forwards", "From", "To", "Call-ID"} {
		m.Add(name, d.Invite.Get(name))
	}
	return m.Add("CSeq", fmt.Sprintf("%d CANCEL", d.Invite.CSeq()))
}

// AckFailure makes the ACK to a final answer of 300 and above (RFC 3261 section 17.1.1.3).
func (d *Dialog) AckFailure(response Arrived) *Message {
	m := &Message{Start: strings.Replace(d.Invite.Start, "INVITE", "ACK", 1)}
	m.Add("Via", d.Invite.Get("Via")).Add("Max-Forwards", "70").Add("From", d.Invite.Get("From"))
	m.Add("To", response.Get("To")).Add("Call-ID", d.Invite.Get("Call-ID"))
	return m.Add("CSeq", fmt.Sprintf("%d ACK", d.Invite.CSeq()))
}

// Reinvite changes the media direction ("sendonly" holds, "sendrecv" resumes) and
// returns what the server's answer says of its own.
func (d *Dialog) Reinvite(direction string) Media {
	d.t.Helper()
	d.version++
	m := d.Next("INVITE").With("application/sdp", SDP(d.port(), d.version, direction))
	d.Send(m)
	ok := d.Final(Patience, m)
	if ok.Status() != 200 {
		d.t.Fatalf("re-INVITE %s: %s", direction, ok.Start)
	}
	d.OK = ok
	d.Send(d.Ack())
	media, err := ParseMedia(ok.Body)
	if err != nil {
		d.t.Fatalf("SDP in the answer to a re-INVITE: %v", err)
	}
	return media
}

// Bye hangs up and waits for the 200.
func (d *Dialog) Bye() {
	d.t.Helper()
	if code := d.Status(Patience, d.Next("BYE")); code != 200 {
		d.t.Errorf("BYE was answered with %d", code)
	}
	d.RTP.Quiet()
}

// WaitBye waits for the server's BYE, answers it and returns it.
func (d *Dialog) WaitBye(wait time.Duration) Arrived {
	d.t.Helper()
	bye := d.Want(wait, "BYE from the server", func(m *Message) bool {
		return Requests("BYE")(m) && m.Get("Call-ID") == d.Invite.Get("Call-ID")
	})
	d.Send(bye.Reply(200, "OK", ""))
	d.RTP.Quiet()
	return bye
}

// Info sends a key by INFO (application/dtmf-relay) and returns the code of the answer.
func (d *Dialog) Info(key byte, ms int) int {
	d.t.Helper()
	m := d.Next("INFO").With("application/dtmf-relay", fmt.Sprintf("Signal=%c\r\nDuration=%d\r\n", key, ms))
	return d.Status(Patience, m)
}

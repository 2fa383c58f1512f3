package sip

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	gosip "github.com/emiago/sipgo/sip"
)

// dialog is the state RFC 3261 section 12 keeps between requests.
type dialog struct {
	server    *Server
	callID    string
	localTag  string
	remoteTag string
	transport string // "udp" or "tcp"
	inbound   bool
	near      netip.Addr // the other side's address, to choose ours by

	mu        sync.Mutex
	local     gosip.FromHeader // From of our requests
	remote    gosip.ToHeader   // To of our requests
	target    gosip.Uri        // remote target
	routes    []gosip.Uri      // route set, first hop first
	localSeq  uint32
	remoteSeq uint32
	source    string // where the other side's last request came from
}

// key names a dialog in the server's table.
type key struct{ callID, localTag, remoteTag string }

func (d *dialog) key() key { return key{d.callID, d.localTag, d.remoteTag} }

// accept checks the order of a request in the dialog (RFC 3261 section 12.2.2)
// and remembers where it came from.
func (d *dialog) accept(req *gosip.Request) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	seq := req.CSeq().SeqNo
	if seq <= d.remoteSeq {
		return false
	}
	d.remoteSeq = seq
	d.source = req.Source()
	return true
}

// retarget takes a new remote target from a re-INVITE or its answer.
func (d *dialog) retarget(m gosip.Message) {
	contact := contactOf(m)
	if contact == nil {
		return
	}
	d.mu.Lock()
	d.target = *contact
	d.mu.Unlock()
}

func contactOf(m gosip.Message) *gosip.Uri {
	type contacter interface{ Contact() *gosip.ContactHeader }
	h := m.(contacter).Contact()
	if h == nil || h.Address.Wildcard || h.Address.Host == "" {
		return nil
	}
	return h.Address.Clone()
}

// request builds the next request in the dialog, with a CSeq of its own.
func (d *dialog) request(method gosip.RequestMethod) *gosip.Request {
	d.mu.Lock()
	d.localSeq++
	seq := d.localSeq
	d.mu.Unlock()
	return d.build(method, seq)
}

// build makes a request as RFC 3261 section 12.2.1.1 says, loose and strict routes.
func (d *dialog) build(method gosip.RequestMethod, seq uint32) *gosip.Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	recipient, routes := d.target, d.routes
	if len(routes) > 0 && !routes[0].UriParams.Has("lr") {
		recipient = routes[0]
		routes = append(append([]gosip.Uri{}, routes[1:]...), d.target)
	}
	req := gosip.NewRequest(method, *recipient.Clone())
	d.server.addVia(req, d.transport, d.near)
	for i := range routes {
		req.AppendHeader(&gosip.RouteHeader{Address: *routes[i].Clone()})
	}
	from, to := d.local, d.remote
	from.Params, to.Params = from.Params.Clone(), to.Params.Clone()
	callID := gosip.CallIDHeader(d.callID)
	forwards := gosip.MaxForwardsHeader(70)
	req.AppendHeader(&from)
	req.AppendHeader(&to)
	req.AppendHeader(&callID)
	req.AppendHeader(&gosip.CSeqHeader{SeqNo: seq, MethodName: method})
	req.AppendHeader(&forwards)
	req.AppendHeader(gosip.NewHeader("User-Agent", d.server.agent))
	req.SetTransport(strings.ToUpper(d.transport))
	req.SetBody(nil)
	if d.transport == "udp" {
		req.Laddr = d.server.listener(d.near)
	}
	req.SetDestination(d.destination(recipient))
	return req
}

// destination is the next hop: the first route, else the remote target. An inbound
// caller with no route is reached where its requests come from if that is TCP, where
// only its own connection will do, or if its Contact is an address behind a NAT.
func (d *dialog) destination(recipient gosip.Uri) string {
	hop := recipient
	if len(d.routes) > 0 {
		hop = d.routes[0]
	} else if d.inbound && (d.transport == "tcp" || behindNAT(hop.Host, d.source)) {
		return d.source
	}
	return hostPort(hop)
}

func hostPort(u gosip.Uri) string {
	port := u.Port
	if port == 0 {
		port = 5060
	}
	host := strings.Trim(u.Host, "[]")
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(port)
}

// behindNAT: the Contact is a private or useless address, the packet came from a
// public one.
func behindNAT(contact, source string) bool {
	c, err := netip.ParseAddr(strings.Trim(contact, "[]"))
	if err != nil {
		return false
	}
	s, err := netip.ParseAddrPort(source)
	if err != nil {
		return false
	}
	return c.IsUnspecified() || (c.IsPrivate() && !s.Addr().IsPrivate() && !s.Addr().IsLoopback())
}

// reachable: a caller over TCP is reached by its own connection only. Opening one
// to the Contact a stranger names would let him choose where we connect to.
func (c *Call) reachable() bool {
	if !c.Inbound || c.Transport != "tcp" {
		return true
	}
	c.dialog.mu.Lock()
	source := c.dialog.source
	c.dialog.mu.Unlock()
	conn, err := c.server.agentUA.TransportLayer().GetConnection("tcp", source)
	if err != nil {
		return false
	}
	_, _ = conn.TryClose() // only the count of its users changes
	return true
}

// carries reports whether a call that is up came last over the TCP connection from
// there, so that our goodbye can go by it only.
func (s *Server) carries(from netip.AddrPort) bool {
	s.mu.Lock()
	calls := slices.Collect(maps.Values(s.calls))
	s.mu.Unlock()
	return slices.ContainsFunc(calls, func(c *Call) bool {
		if c.Transport != "tcp" {
			return false
		}
		c.dialog.mu.Lock()
		source, err := netip.ParseAddrPort(c.dialog.source)
		c.dialog.mu.Unlock()
		return err == nil && source.Port() == from.Port() && source.Addr().Unmap() == from.Addr()
	})
}

package sip

import (
	"context"
	"fmt"

	gosip "github.com/emiago/sipgo/sip"
)

// Ping asks the phone at a sip: URI whether it is there: OPTIONS outside any call (RFC
// 3261 section 11.1). It returns the code of the final answer, which is that of an INVITE
// at this moment; an error says that none came until ctx ended.
func (s *Server) Ping(ctx context.Context, uri string) (code int, err error) {
	target, transport, err := parseTarget(uri)
	if err != nil {
		return 0, fmt.Errorf("asking for a phone: %w", err)
	}
	near := lookup(ctx, target.Host)
	from := gosip.Uri{Scheme: "sip", User: "line", Host: hostOf(s.public(transport, near).Addr())}
	d := &dialog{
		server: s, callID: s.token(), localTag: s.token(), transport: transport, near: near,
		local:  gosip.FromHeader{Address: from},
		remote: gosip.ToHeader{Address: gosip.Uri{Scheme: "sip", User: target.User, Host: target.Host, Port: target.Port}},
		target: target,
	}
	d.local.Params.Add("tag", d.localTag)
	req := d.request(gosip.OPTIONS)
	req.AppendHeader(s.contact("line", transport, near))
	req.AppendHeader(gosip.NewHeader("Accept", acceptBody))
	res, err := s.roundTrip(ctx, req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, nil
}

package app

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/internal/config"
	"tandem/sip"
	"tandem/sip/gate"
)

// retryAfter is what callers turned away for load are told.
const retryAfter = 5 * time.Second

// makeSIP sets signalling up from the configuration.
func (a *App) makeSIP() error {
	c := a.cfg.SIP
	cfg := sip.Config{
		Listen: c.Listen, Users: map[string]string{}, AllowMD5: c.AllowMD5, Log: a.log, Registerer: a.registry, Limits: limits(c.Limits, a.cfg.Limits.Calls),
		UserAgent: "Tandem/" + a.o.Version,
	}
	if c.PublicAddress != "" {
		addr, err := netip.ParseAddr(c.PublicAddress)
		if err != nil {
			return tandem.Errorf(tandem.CodeInvalid, "sip.public_address: %w", err)
		}
		cfg.PublicAddress = addr
	}
	for name, password := range c.Users {
		cfg.Users[name] = password.Reveal()
	}
	for name, t := range c.Trunks {
		trunk, err := trunkOf(name, t)
		if err != nil {
			return tandem.Errorf(tandem.CodeInvalid, "sip.trunks.%s: %w", name, err)
		}
		cfg.Trunks = append(cfg.Trunks, trunk)
	}
	slices.SortFunc(cfg.Trunks, func(x, y sip.Trunk) int { return strings.Compare(x.Name, y.Name) })
	var err error
	a.sip, err = sip.NewServer(cfg, a)
	return err
}

// limits turns the configuration's figures, where 0 means no limit per source, into
// signalling's, where 0 means its default and a negative one no limit.
func limits(l config.SIPLimits, calls int) sip.Limits {
	per := func(n int) int {
		if n == 0 {
			return -1
		}
		return n
	}
	return sip.Limits{
		Calls: 2 * calls, CallsPerSource: per(l.CallsPerSource), RetryAfter: retryAfter,
		Gate: gate.Limits{
			Message: l.MessageBytes, HeaderLine: l.HeaderLineBytes, Headers: l.Headers, Body: l.BodyBytes, Vias: l.Via,
			InvitesPerSecond: float64(per(l.InvitesPerSecond)), InviteBurst: per(2 * l.InvitesPerSecond),
			Connections: per(l.ConnectionsPerSource), HeaderTime: l.HeaderTime, Idle: l.IdleTime, RetryAfter: retryAfter,
		},
	}
}

func trunkOf(name string, t config.Trunk) (sip.Trunk, error) {
	out := sip.Trunk{
		Name: name, TrustsCallerID: t.TrustsCallerID, User: t.User, Password: t.Password.Reveal(), Realm: t.Realm,
	}
	if t.Host != "" {
		out.Address = "sip:" + t.Host
		if t.Transport != "" {
			out.Address += ";transport=" + t.Transport
		}
	}
	for _, s := range t.Sources {
		if !strings.Contains(s, "/") {
			addr, err := netip.ParseAddr(s)
			if err != nil {
				return out, err
			}
			out.Sources = append(out.Sources, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return out, err
		}
		out.Sources = append(out.Sources, p)
	}
	return out, nil
}

var _ sip.Handler = (*App)(nil)

// Route says where a called number leads, and whether there is room now.
func (a *App) Route(to string, _ netip.AddrPort, _ string) sip.Route {
	entry, found := config.Match(*a.entries.Load(), to)
	if !found {
		return sip.Route{}
	}
	r := sip.Route{Found: true, Auth: entry.Auth}
	why := a.refusing()
	if why == nil {
		why = a.overload.admit()
	}
	if why == nil && a.shelf.Current().Flows[entry.Flow] == nil {
		why = &refusal{"flow", "the entry leads to a flow that is gone"}
	}
	if why != nil {
		a.metrics.refused.WithLabelValues(why.rule).Inc()
		r.Refuse = &sip.Refusal{Code: 503, RetryAfter: retryAfter}
	}
	return r
}

// refusal says why no new call is let in. The rule is from a closed list.
type refusal struct{ rule, why string }

func (r *refusal) Error() string { return r.why }

// refusing applies the admission rules before anything is spent on a call.
func (a *App) refusing() *refusal {
	if a.draining.Load() {
		return &refusal{"draining", "the server is stopping"}
	}
	if err := a.store.Healthy(); err != nil {
		return &refusal{"store", err.Error()}
	}
	if a.lineTaken.Load() {
		return &refusal{"line", "another process serves the line; end one of the two"}
	}
	if n := a.calls(); n >= a.cfg.Limits.Calls {
		return &refusal{"calls", "as many calls are up as limits.calls allows"}
	}
	if load := a.media.Load(); a.cfg.Limits.Late > 0 && load.Lateness > a.cfg.Limits.Late {
		return &refusal{"late", "audio leaves late: this machine is overloaded"}
	} else if load.Streams >= load.Ports {
		return &refusal{"ports", "no media port is free (media.ports)"}
	}
	return nil
}

package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"tandem"
	switchboard "tandem/bridge/phone"
	"tandem/ivr/flow"
	"tandem/sip"
)

const (
	askPhone  = 2 * time.Second  // how long a phone has to answer OPTIONS
	askPhones = 20 * time.Second // all of them; those whose turn has not come by then are not asked
	askAtOnce = 64               // phones
	mostNames = 5                // that a finding lists
)

// lineFindings is what flows and configuration say of the line, without asking anybody;
// config check prints those that are not ok as warnings.
func lineFindings(p *patient) []finding {
	if p.library == nil {
		return nil // the flows' own finding says why
	}
	var all []finding
	for _, check := range []func(*patient) []finding{agentsKnown, agentsPhones, callbacksOut} {
		all = append(all, check(p)...)
	}
	return all
}

func checkLine(ctx context.Context, p *patient) []finding {
	return append(lineFindings(p), p.askPhones(ctx)...)
}

// agentsKnown finds phones of nobody.
func agentsKnown(p *patient) []finding {
	var lost []string
	for name := range p.Agents {
		if p.library.Agents[name] == nil {
			lost = append(lost, name)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return []finding{{"agents", warn, fmt.Sprintf("the configuration has a phone for %s, but no *.queues.yaml names them: they serve nobody", names(lost)),
		fmt.Sprintf("add agents: { %s: { teams: [TEAM] } } to a *.queues.yaml, or take agents.%[1]s out of the configuration", first(lost))}}
}

// agentsPhones finds who is to take calls and cannot be rung.
func agentsPhones(p *patient) []finding {
	const name = "agents' phones"
	var without, outside []string
	spoken := spokenQueues(p.library)
	for agent, a := range p.library.Agents {
		phone := p.Agents[agent].Phone
		switch {
		case strings.HasPrefix(phone, "tel:"):
			outside = append(outside, agent)
		case phone == "" && a.Capacity[tandem.LoadVoice] > 0 && slices.ContainsFunc(spoken, func(q *flow.Queue) bool { return serves(q, a) }):
			without = append(without, agent)
		}
	}
	var all []finding
	if len(without) > 0 {
		all = append(all, finding{name, warn, fmt.Sprintf("%s can be offered no call: no phone is configured", names(without)),
			fmt.Sprintf("add agents: { %s: { phone: \"sip:%[1]s@HOST\" } } to the configuration, or say capacity: { voice: 0 } in *.queues.yaml", first(without))})
	}
	if len(p.SIP.Trunks) == 0 && len(outside) > 0 {
		all = append(all, finding{name, fail, names(outside) + " cannot be rung: tel: numbers are dialled by a trunk, and there is none", "add sip.trunks: { NAME: { host: HOST } }, or give them sip: phones"})
	}
	return all
}

// spokenQueues are those in which callers, or people who are to be called, may wait.
func spokenQueues(l *flow.Library) []*flow.Queue {
	found := map[string]*flow.Queue{}
	for _, f := range l.Flows {
		for _, s := range f.Steps {
			name := ""
			switch v := s.Verb.(type) {
			case *flow.QueueStep:
				if slices.Contains(f.Channels, tandem.Voice) || offersCallback(v) {
					name = v.Name
				}
			case *flow.CallbackStep:
				name = v.Queue
			}
			if q := l.Queues[name]; q != nil {
				found[name] = q
			}
		}
	}
	return slices.Collect(maps.Values(found))
}

func offersCallback(q *flow.QueueStep) bool {
	return slices.ContainsFunc(q.Offer, func(o flow.Offer) bool { return o.What == "callback" })
}

// serves reports whether an agent serves a queue, at once or by overflow.
func serves(q *flow.Queue, a *flow.Agent) bool {
	in := func(teams []string) bool {
		return slices.ContainsFunc(teams, func(t string) bool { return slices.Contains(a.Teams, t) })
	}
	return in(q.Teams) || slices.ContainsFunc(q.Over, func(o flow.Overflow) bool { return in(o.Teams) })
}

// callbacksOut looks whether a callback that is offered can be dialled at all.
func callbacksOut(p *patient) []finding {
	const name = "callbacks"
	by := callbackOfferer(p)
	if by == "" {
		return nil
	}
	var all []finding
	bad := func(found, do string) {
		all = append(all, finding{name, warn, by + " offers callbacks, but " + found, do})
	}
	if len(p.SIP.Trunks) == 0 {
		bad("there is no trunk: none can be dialled", "add sip.trunks: { NAME: { host: HOST } }")
	}
	o := p.Outbound
	if !slices.ContainsFunc(o.Allow, func(a string) bool { return !strings.HasPrefix(a, "sip:") }) {
		bad("outbound.allow lists no prefix of numbers: none is taken", "list the prefixes that may be called, such as outbound: { allow: [\"+86\"] }")
	}
	for _, c := range []struct {
		key  string
		none bool
	}{
		{"calls_at_once", o.CallsAtOnce == 0}, {"calls_per_hour", o.CallsPerHour == 0}, {"calls_per_day", o.CallsPerDay == 0},
		{"per_number_per_hour", o.PerNumberPerHour == 0}, {"per_number_per_day", o.PerNumberPerDay == 0},
		{"minutes_per_day", o.MinutesPerDay == 0}, {"max_minutes", o.MaxMinutes == 0},
		{"money_per_day", o.MoneyPerDay == 0 && len(o.Prices) > 0},
	} {
		if c.none {
			bad("outbound."+c.key+" is 0: none can be dialled", "set outbound."+c.key+" to more than 0")
		}
	}
	if len(all) == 0 {
		all = append(all, finding{name, ok, "may be dialled to " + strings.Join(o.Allow, ", "), ""})
	}
	return all
}

// callbackOfferer is who offers callbacks, the first by name; "" if nobody does.
func callbackOfferer(p *patient) string {
	for _, name := range slices.Sorted(maps.Keys(p.library.Flows)) {
		for _, s := range p.library.Flows[name].Steps {
			q, queues := s.Verb.(*flow.QueueStep)
			if _, books := s.Verb.(*flow.CallbackStep); books || queues && offersCallback(q) {
				return "flow " + name
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Chat.Sites)) {
		if p.Chat.Sites[name].CallBack {
			return "chat site " + name
		}
	}
	return ""
}

// askPhones asks the agents' phones by OPTIONS whether they are there, from ports of its
// own, so that it may run beside the server. It sends nothing else.
func (p *patient) askPhones(ctx context.Context) []finding {
	const name = "agents' phones"
	var agents []string
	for agent, a := range p.Agents {
		if strings.HasPrefix(a.Phone, "sip:") {
			agents = append(agents, agent)
		}
	}
	if len(agents) == 0 {
		return nil
	}
	server, err := sip.NewServer(sip.Config{Listen: anyPort(p.SIP.Listen), UserAgent: "Tandem doctor"}, nobody{})
	if err == nil {
		err = server.Start(ctx)
	}
	if err != nil {
		return []finding{{name, warn, "they were not asked: " + err.Error(), "see sip.listen"}}
	}
	silent, absent, left := p.ask(ctx, server, agents)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), askPhone)
	defer cancel()
	_ = server.Close(closing) // nothing is up
	var all []finding
	if len(silent) > 0 {
		all = append(all, finding{name, warn, fmt.Sprintf("%s answered nothing within %s", names(silent), askPhone),
			"see agents.NAME.phone, whether the phone is on, and whether a firewall lets this machine reach it"})
	}
	if len(absent) > 0 {
		all = append(all, finding{name, warn, "whoever was asked knows no phone of " + names(absent), "let the phone register there, or correct agents.NAME.phone"})
	}
	if left > 0 {
		all = append(all, finding{name, warn, counted(left, "phone") + " not asked: too many were silent", "mend those that are, and run it again"})
	}
	if there := len(agents) - len(silent) - len(absent) - left; there > 0 {
		all = append(all, finding{name, ok, fmt.Sprintf("%d of %s answer", there, counted(len(agents), "phone")), ""})
	}
	return all
}

// ask puts the question to many at once, the first by name first.
func (p *patient) ask(ctx context.Context, server *sip.Server, agents []string) (silent, absent []string, left int) {
	ctx, cancel := context.WithTimeout(ctx, askPhones)
	defer cancel()
	slices.Sort(agents)
	next := make(chan string)
	var mu sync.Mutex // guards the results
	var asking sync.WaitGroup
	for range min(askAtOnce, len(agents)) {
		asking.Go(func() {
			for agent := range next {
				once, cancel := context.WithTimeout(ctx, askPhone)
				code, err := server.Ping(once, p.Agents[agent].Phone)
				cancel()
				mu.Lock()
				switch {
				case err != nil && ctx.Err() != nil:
					left++
				case err != nil:
					silent = append(silent, agent)
				case !switchboard.There(code):
					absent = append(absent, agent)
				}
				mu.Unlock()
			}
		})
	}
	for _, agent := range agents {
		next <- agent
	}
	close(next)
	asking.Wait()
	return silent, absent, left
}

// anyPort is the same addresses, with ports that are free.
func anyPort(listen []string) []string {
	var out []string
	for _, l := range listen {
		network, addr, _ := strings.Cut(l, "://")
		host, _, _ := net.SplitHostPort(addr)
		out = append(out, network+"://"+net.JoinHostPort(host, "0"))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// nobody takes no calls.
type nobody struct{}

func (nobody) Route(string, netip.AddrPort, string) sip.Route { return sip.Route{} }

func (nobody) Call(context.Context, *sip.Call) tandem.Termination {
	return tandem.Terminate(tandem.BySystem, tandem.ReasonNoEntry)
}

// names lists the first few of them.
func names(list []string) string {
	slices.Sort(list)
	if more := len(list) - mostNames; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:mostNames], ", "), more)
	}
	return strings.Join(list, ", ")
}

// first is the one that an example is made with.
func first(list []string) string { return slices.Min(list) }

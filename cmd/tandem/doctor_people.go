package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/hook"
	"tandem/ivr/flow"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/staff"
)

const (
	keySoon    = 14 * 24 * time.Hour // before a key ends: time to give its program a new one
	failedLast = 10                  // deliveries of a webhook that are looked at, the newest
)

// kept is what the store says of people and programs.
type kept struct {
	users    map[string]staff.User
	keys     []staff.Key
	presence map[string]tandem.Presence // of who ever chose one
	waiting  map[string]int             // tasks, by queue
	hooks    []hook.Subscription
	failing  map[string]string // the last error of subscriptions to which nothing gets through
	letters  []store.Letter
	now      time.Time
}

// checkPeople looks at who serves, at programs' keys and at what is told to other programs.
// What is wrong with the store itself is the store's own finding.
func checkPeople(ctx context.Context, p *patient) []finding {
	if _, err := os.Stat(string(p.Store.Path)); err != nil {
		return nil // it is made at the first start
	}
	k, err := readKept(ctx, p)
	if err != nil {
		return nil
	}
	var all []finding
	for _, check := range []func(*patient) []finding{k.agents, k.queues, k.programs, k.webhooks, k.dead} {
		all = append(all, check(p)...)
	}
	return all
}

func readKept(ctx context.Context, p *patient) (*kept, error) {
	keys, err := loadKeys(ctx, p.Config)
	if err != nil {
		return nil, err
	}
	var quiet strings.Builder
	db, err := openStoreWith(ctx, p.Config, keys, toRead, &quiet)
	if err != nil {
		return nil, err
	}
	k := &kept{users: map[string]staff.User{}, presence: map[string]tandem.Presence{}, waiting: map[string]int{}, failing: map[string]string{}, now: time.Now()}
	err = errors.Join(k.readStaff(ctx, db, keys), k.readHooks(ctx, db, keys, p), db.View(ctx, k.readLine))
	if err == nil {
		k.letters, err = db.Outbox(ctx)
	}
	return k, errors.Join(err, db.Close())
}

func (k *kept) readLine(tx store.Tx) error {
	err := tx.Each("SELECT name, presence FROM agent", func(row store.Row) error {
		k.presence[row.Text(0)] = tandem.Presence(row.Text(1))
		return nil
	})
	return errors.Join(err, tx.Each("SELECT queue, count(*) FROM task WHERE state = 'waiting' GROUP BY queue", func(row store.Row) error {
		k.waiting[row.Text(0)] = int(row.Int(1))
		return nil
	}))
}

func (k *kept) readStaff(ctx context.Context, db *sqlite.DB, keys *store.Keyring) error {
	r, err := staff.New(staff.Options{Database: db, Keys: keys})
	if err != nil {
		return err
	}
	users, err := r.Users(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		k.users[u.Name] = u
	}
	k.keys, err = r.Keys(ctx)
	return err
}

func (k *kept) readHooks(ctx context.Context, db *sqlite.DB, keys *store.Keyring, p *patient) error {
	d, err := hook.New(hook.Options{Keys: keys, Private: p.Webhooks.Networks(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Open(ctx, db); err != nil {
		return err
	}
	k.hooks = d.List()
	for _, s := range k.hooks {
		sent, err := d.Deliveries(ctx, s.ID, "", failedLast)
		if err != nil {
			return err
		}
		through := slices.ContainsFunc(sent, func(d hook.Delivery) bool { return d.State == store.LetterDelivered })
		failed := slices.IndexFunc(sent, func(d hook.Delivery) bool { return d.Error != "" })
		if !through && failed >= 0 {
			k.failing[s.ID] = sent[failed].Error
		}
	}
	return nil
}

// agents finds who serves by the flows and cannot log in to do so.
func (k *kept) agents(p *patient) []finding {
	const name = "agents"
	if p.library == nil || len(p.library.Agents) == 0 {
		return nil
	}
	var missing, disabled, other []string
	for agent := range p.library.Agents {
		switch u, there := k.users[agent]; {
		case !there:
			missing = append(missing, agent)
		case u.Disabled:
			disabled = append(disabled, agent)
		case !u.Is(staff.Agent):
			other = append(other, agent)
		}
	}
	var all []finding
	if len(missing) > 0 {
		do := "type: tandem user add " + first(missing) + " --role agent" + p.withConfig()
		if len(p.Staff.OIDC) > 0 {
			do += "; who logs in by the provider becomes a user with their first login"
		}
		all = append(all, finding{name, warn, "*.queues.yaml names " + names(missing) + ", but there is no such user", do})
	}
	if len(other) > 0 {
		roles := []string{}
		for _, r := range append(slices.Clone(k.users[first(other)].Roles), staff.Agent) {
			roles = append(roles, string(r))
		}
		all = append(all, finding{name, warn, names(other) + " may not serve: the role agent is missing",
			fmt.Sprintf("type: tandem user set-role %s --role %s%s", first(other), strings.Join(roles, ","), p.withConfig())})
	}
	if len(disabled) > 0 {
		all = append(all, finding{name, warn, names(disabled) + " may not log in: disabled",
			fmt.Sprintf("type: tandem user enable %s%s, or take them out of *.queues.yaml", first(disabled), p.withConfig())})
	}
	if len(all) == 0 {
		all = append(all, finding{name, ok, counted(len(p.library.Agents), "agent") + " may log in", ""})
	}
	return all
}

// withConfig is what a command needs to find the configuration.
func (p *patient) withConfig() string {
	if p.File == "" || p.File == usualConfig {
		return ""
	}
	return " --config " + p.File
}

// queues finds those that are open and that nobody serves now, which is no news while the
// server is down; and tasks in queues that are no more.
func (k *kept) queues(p *patient) []finding {
	const name = "queues"
	if p.library == nil {
		return nil
	}
	var all []finding
	var lost []string
	for q := range k.waiting {
		if p.library.Queues[q] == nil {
			lost = append(lost, q)
		}
	}
	if len(lost) > 0 {
		all = append(all, finding{name, warn, fmt.Sprintf("tasks wait in %s, which no *.queues.yaml names: nobody is offered them", names(lost)),
			"bring the queue back, or move each: POST /api/v1/tasks/ID/queue {\"queue\": NAME}; GET /api/v1/line?queue=" + first(lost) + " lists them"})
	}
	if !p.running || len(p.library.Queues) == 0 {
		return all
	}
	var empty, away []string
	for _, q := range p.library.Queues {
		c := p.library.Calendars[q.Hours]
		switch available, there := k.served(p.library, q); {
		case available || c != nil && c.Status(k.now) != "open":
		case there:
			away = append(away, q.Name)
		default:
			empty = append(empty, q.Name)
		}
	}
	const do = "let an agent of its teams log in and choose to be available; GET /api/v1/agents says who is what"
	if len(empty) > 0 {
		all = append(all, finding{name, warn, "nobody of " + names(empty) + " is there now: calls and chats are not let into line (no_agents)", do})
	}
	if len(away) > 0 {
		all = append(all, finding{name, warn, "everybody of " + names(away) + " is away now: whoever comes waits", do})
	}
	if len(all) == 0 {
		all = append(all, finding{name, ok, counted(len(p.library.Queues), "queue") + ", each that is open is served", ""})
	}
	return all
}

// served reports whether somebody who serves a queue is available, and whether anybody is
// there at all.
func (k *kept) served(l *flow.Library, q *flow.Queue) (available, there bool) {
	for name, a := range l.Agents {
		if p := k.presence[name]; p != "" && p != tandem.PresenceOffline && serves(q, a) {
			available, there = available || p == tandem.PresenceAvailable, true
		}
	}
	return available, there
}

// programs finds keys that end, or open nothing any more.
func (k *kept) programs(p *patient) []finding {
	const name = "keys"
	var all []finding
	bad := func(found, do string) { all = append(all, finding{name, warn, found, do + p.withConfig()}) }
	in := 0
	for _, key := range k.keys {
		if !key.Revoked.IsZero() {
			continue
		}
		in++
		scopes := make([]string, 0, len(key.Scopes))
		for _, s := range key.Scopes {
			scopes = append(scopes, string(s))
		}
		anew := fmt.Sprintf("give its program a new one: tandem key add NEW-NAME --scope %s", strings.Join(scopes, ","))
		if key.Agent != "" {
			anew += " --agent " + key.Agent
		}
		u, there := k.users[key.Agent]
		switch left := key.Expires.Sub(k.now); {
		case left <= 0:
			bad(fmt.Sprintf("%s ended on %s", key.Name, key.Expires.Format(time.DateOnly)), anew+", or type: tandem key revoke "+key.Name)
		case key.Agent != "" && (!there || u.Disabled || !u.Is(staff.Agent)):
			bad(fmt.Sprintf("%s opens nothing: %s is no agent who may log in", key.Name, key.Agent), "type: tandem key revoke "+key.Name)
		case left < keySoon:
			bad(fmt.Sprintf("%s ends on %s", key.Name, key.Expires.Format(time.DateOnly)), anew)
		}
	}
	if in > 0 && len(all) == 0 {
		all = append(all, finding{name, ok, counted(in, "key") + " of programs, none ends within 14 days", ""})
	}
	return all
}

// webhooks finds receivers that are told nothing.
func (k *kept) webhooks(*patient) []finding {
	var all []finding
	for _, s := range k.hooks {
		name, id := "webhook "+s.Host(), "/api/v1/webhooks/"+s.ID
		since := ""
		if !s.MissedSince.IsZero() {
			since = ", since " + s.MissedSince.Format(time.DateTime)
		}
		switch {
		case !s.Active && s.Why == hook.WhyOff:
			all = append(all, finding{name, ok, "switched off by hand" + since, ""})
		case !s.Active:
			all = append(all, finding{name, warn, "switched off (" + s.Why + ")" + since,
				fmt.Sprintf("mend the receiver, then POST %s/active {\"active\": true} and %s/replay for what it missed, or DELETE %[1]s", id, id)})
		case k.failing[s.ID] != "":
			all = append(all, finding{name, warn, fmt.Sprintf("nothing gets through, %s waiting: %s", counted(s.Waiting, "message"), k.failing[s.ID]),
				"mend the receiver; GET " + id + "/deliveries has each try"})
		case since != "":
			all = append(all, finding{name, warn, "was told nothing for a time" + since, fmt.Sprintf("POST %s/replay {\"since\": %q}", id, s.MissedSince.UTC().Format(time.RFC3339))})
		default:
			all = append(all, finding{name, ok, "is told of " + strings.Join(s.Kinds, " "), ""})
		}
	}
	return all
}

// dead finds what was given up.
func (k *kept) dead(p *patient) []finding {
	kinds := map[string]int{}
	for _, l := range k.letters {
		if l.State == store.LetterDead {
			kinds[l.Kind]++
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	var list []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		list = append(list, fmt.Sprintf("%d of %s", kinds[kind], kind))
	}
	return []finding{{"dead letters", warn, "given up after all tries: " + strings.Join(list, ", "), "see why with: tandem outbox list --dead" + p.withConfig()}}
}

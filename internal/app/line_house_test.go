package app

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/queue/audit"
	"tandem/internal/testkit"
	"tandem/store"
	"tandem/store/staff"
)

// clerk is a program of staff with a key, on the staff door.
type clerk struct {
	name, base, key string
	http            *http.Client
}

// program makes a key of these scopes and gives the program that has it.
func (s *server) program(t *testing.T, agent string, scopes ...staff.Scope) *clerk {
	t.Helper()
	name := agent
	if agent == "" {
		name = "program"
	} else if _, err := s.staff.User(t.Context(), agent); err != nil {
		if _, err := s.staff.Add(t.Context(), staff.Actor{Name: "test"}, staff.User{Name: agent, Roles: []staff.Role{staff.Agent}}, ""); err != nil {
			t.Fatal(err)
		}
	}
	id := strings.ToLower(string(tandem.NewID[tandem.TaskID](time.Now(), s.random)))
	token, _, err := s.staff.MakeKey(t.Context(), staff.Actor{Name: "test"}, staff.Key{Name: name + "." + id[18:], Scopes: scopes, Agent: agent})
	if err != nil {
		t.Fatal(err)
	}
	c := &clerk{name: name, base: "http://" + s.Addresses()["http.staff_listen"][0] + "/api/v1", key: token, http: &http.Client{Transport: &http.Transport{}, Timeout: 2 * patience}}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// try makes a request; 0 = there was no answer.
func (c *clerk) try(method, path string, body, out any) (status int, text string) {
	for range 60 { // who asks too often waits, as they are told to
		if status, text = c.once(method, path, body, out); status != http.StatusTooManyRequests {
			break
		}
		time.Sleep(time.Second)
	}
	return status, text
}

func (c *clerk) once(method, path string, body, out any) (status int, text string) {
	data, err := json.Marshal(body)
	if err != nil {
		return 0, err.Error()
	}
	if body == nil {
		data = nil
	}
	r, err := http.NewRequest(method, c.base+path, bytes.NewReader(data))
	if err != nil {
		return 0, err.Error()
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	answer, err := c.http.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	if out != nil && answer.StatusCode < 300 {
		if err := json.Unmarshal(got, out); err != nil {
			return 0, err.Error()
		}
	}
	return answer.StatusCode, string(got)
}

// asks makes a request that is answered with a status.
func (c *clerk) asks(t *testing.T, want int, method, path string, body, out any) string {
	t.Helper()
	status, text := c.try(method, path, body, out)
	if status != want {
		t.Errorf("%s: %s %s %v: %d %s, want %d", c.name, method, path, body, status, text, want)
	}
	return text
}

// hand is what an agent has of a task.
type hand struct {
	Task  tandem.TaskID    `json:"task"`
	Kind  tandem.TaskKind  `json:"kind"`
	State tandem.TaskState `json:"state"`
	Fence uint64           `json:"fence"`
	Queue string           `json:"queue"`
}

// holds is all that an agent has.
func (c *clerk) holds() []hand {
	var me struct {
		Agent struct {
			Holds []hand `json:"holds"`
		} `json:"agent"`
	}
	c.try("GET", "/agent", nil, &me)
	return me.Agent.Holds
}

// is sets an agent's presence.
func (c *clerk) is(t *testing.T, p tandem.Presence) {
	t.Helper()
	c.asks(t, http.StatusOK, "PUT", "/agent/presence", map[string]any{"presence": p}, nil)
}

// sound holds that the line was never broken, that the audit finds nothing, and that all
// journals verify.
func (s *server) sound(t *testing.T) {
	t.Helper()
	if n := gatheredAll(t, s, "tandem_line_broken_total"); n != 0 {
		t.Errorf("the line was broken %v times", n)
	}
	report, err := audit.Read(t.Context(), s.store, Policy(s.shelf.Current()))
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK || len(report.Findings) > 0 {
		t.Errorf("the audit finds %q", report.Findings)
	}
	if v, err := s.store.Verify(t.Context()); err != nil || !v.OK {
		t.Errorf("verify: %+v, %v", v, err)
	}
}

// gatheredAll is a counter without labels.
func gatheredAll(t *testing.T, s *server, name string) (sum float64) {
	t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// idle waits until no agent has anything, no phone rings and no call is up.
func (s *server) idle(t *testing.T) {
	t.Helper()
	until(t, "everybody to be idle", func() bool {
		for _, a := range s.line.Agents() {
			if len(a.Holds) > 0 {
				return false
			}
		}
		return s.phones.Ringing() == 0 && s.App.calls() == 0
	})
}

// everything is each interaction's story.
func (s *server) everything(t *testing.T) (all []store.Story) {
	t.Helper()
	list, err := s.store.List(t.Context(), store.Filter{Limit: 10000})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		one, err := s.store.Interaction(t.Context(), string(x.Interaction.ID))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

// gone ends a call, whoever is first.
func gone(d *testkit.Dialog) {
	bye := d.Next("BYE")
	d.Send(bye)
	d.Take(testkit.Patience, func(m *testkit.Message) bool {
		if testkit.Requests("BYE")(m) && m.Get("Call-ID") == d.Invite.Get("Call-ID") {
			d.Send(m.Reply(200, "OK", ""))
			return true
		}
		return testkit.Answers(bye)(m)
	})
}

// legsEnd waits until the record of every leg has its end.
func (s *server) legsEnd(t *testing.T) {
	t.Helper()
	until(t, "the end of every leg's record", func() bool {
		for _, one := range s.everything(t) {
			for _, l := range one.Legs {
				if l.Ended.IsZero() {
					return false
				}
			}
		}
		return true
	})
}

package app

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/config"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/store/staff"
)

// again starts the server anew on the same folder, store and configuration.
func (s *server) again(t *testing.T) *server {
	t.Helper()
	s.end(t)
	next, err := s.try(t)
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Start(t.Context()); err != nil {
		t.Fatal(errors.Join(err, next.Abandon()))
	}
	t.Cleanup(func() { next.end(t) })
	return next
}

// try makes the server anew and does not start it.
func (s *server) try(t *testing.T) (*server, error) {
	t.Helper()
	loaded, err := config.Load(s.path("tandem.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	next := &server{dir: s.dir, log: &lines{}}
	next.App, err = New(t.Context(), Options{Config: loaded, Log: slog.New(slog.NewTextHandler(next.log, nil)), Version: "test"})
	return next, err
}

// A folder that was broken while the server was down takes no line down: the last
// release without mistakes serves, and everybody is told.
func TestLastGoodReleaseServes(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.end(t)
	good := fmt.Sprintf(sayTone, "low", "low.wav")
	write(t, s.path("flows/low.flow.yaml"), "flow: low\nsteps: [oops\n")
	s = s.again(t)
	if log := s.log.String(); !strings.Contains(log, "release 1 of") || !strings.Contains(log, "low.flow.yaml:2") {
		t.Errorf("the log does not say what serves, or not why:\n%s", log)
	}
	s.flowsChanged(s.shelf.State()) // as by a watch that looks before anything is mended
	if heard := s.call(t, "1", "a"); !strings.Contains(heard, "440") {
		t.Errorf("heard %s", heard)
	}
	if text := s.get(t, "http.admin_listen", "/readyz"); !strings.HasPrefix(text, "ok\n") || !strings.Contains(text, "have mistakes (1); release 1 serves") {
		t.Errorf("readyz says %q", text)
	}
	write(t, s.path("flows/low.flow.yaml"), strings.Replace(good, "low.wav", "high.wav", 1))
	s.wait(t, "flows read again")
	if heard := s.call(t, "1", "b"); !strings.Contains(heard, "1130") {
		t.Errorf("mended, heard %s", heard)
	}
	if text := s.get(t, "http.admin_listen", "/readyz"); text != "ok\n" {
		t.Errorf("mended, readyz says %q", text)
	}
	if told := strings.Count(s.log.String(), "low.flow.yaml:2"); told != 1 {
		t.Errorf("the mistakes are told %d times:\n%s", told, s.log.String())
	}

	// Without a release there is nothing to serve, and without a store none is made.
	s.end(t)
	write(t, s.path("flows/low.flow.yaml"), "flow: low\nsteps: [oops\n")
	if err := os.RemoveAll(s.path("data")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.try(t); err == nil || tandem.CodeOf(err) != tandem.CodeInvalid || !strings.Contains(err.Error(), "low.flow.yaml:2") {
		t.Errorf("started without flows: %v", err)
	}
	if _, err := os.Stat(s.path("data")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a server that does not start made a store: %v", err)
	}
}

// get is the answer of one of the server's own doors.
func (s *server) get(t *testing.T, door, path string) string {
	t.Helper()
	resp, err := http.Get("http://" + s.Addresses()[door][0] + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A session that began with an old version finds it again, also after a restart.
func TestVersionsOutliveARestart(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	old := s.shelf.Current().Flows["low"].Hash
	write(t, s.path("flows/low.flow.yaml"), fmt.Sprintf(sayTone, "low", "high.wav"))
	s.wait(t, "flows read again")
	for range 2 {
		lib, err := s.Library(t.Context(), "low", old)
		if err != nil || lib.Flows["low"].Hash != old || lib == s.shelf.Current() {
			t.Fatalf("the old version: %v", err)
		}
		s = s.again(t)
	}
	if _, err := s.Library(t.Context(), "low", "feed"); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Errorf("a version that never was: %v", err)
	}
}

// A stored session goes on where it waits, in the version it began with, though the
// flow has become another and the server was restarted.
func TestSessionGoesOnInItsVersion(t *testing.T) {
	const ask = "flow: low\nchannels: [voice]\nlanguages: [en]\nstart: ask\nsteps:\n" +
		"  ask: { menu: { prompt: { en: { audio: low.wav } }, choices: [ { keys: \"1\", go: old } ] }, next: { else: end } }\n" +
		"  old: { say: { en: { audio: low.wav } }, next: end }\n"
	s := newServerWith(t, setup{unstarted: true})
	if err := s.Abandon(); err != nil {
		t.Fatal(err)
	}
	write(t, s.path("flows/low.flow.yaml"), ask)
	s, err := s.try(t)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	session, _, err := engine.Start(s.shelf.Current(), "low", flow.Facts{Channel: tandem.Voice}, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := flow.Encode(session)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Abandon(); err != nil {
		t.Fatal(err)
	}
	write(t, s.path("flows/low.flow.yaml"), strings.ReplaceAll(ask, "old", "new"))
	if s, err = s.try(t); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Abandon(); err != nil {
			t.Error(err)
		}
	}()
	if session, err = flow.Decode(stored); err != nil {
		t.Fatal(err)
	}
	lib, err := s.Library(t.Context(), session.Frames[0].Flow, session.Frames[0].Hash)
	if err != nil {
		t.Fatal(err)
	}
	if session, _, err = engine.Resume(lib, session, now); err != nil {
		t.Fatal(err)
	}
	session, effects, err := engine.Advance(lib, session, flow.Input{Kind: flow.InputKey, At: now, Text: "1"})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(effects, func(e flow.Effect) bool {
		tr, ok := e.(flow.Trace)
		return ok && tr.Data == any(tandem.StepEntered{Flow: "low", Step: "old", Verb: "say"})
	}) {
		t.Errorf("it went on to %+v", session.Wait)
	}
	if session, err = flow.Decode(stored); err != nil {
		t.Fatal(err)
	}
	if _, _, err := engine.Resume(s.shelf.Current(), session, now); err == nil {
		t.Error("it goes on in another version")
	}
}

// What callers do is counted as they do it, and counted again after a restart.
func TestCounts(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.call(t, "1", "a")
	s.story(t, "a") // it is closed, and written
	for what, span := range map[string]time.Duration{"hour": time.Hour, "day": 24 * time.Hour} {
		if c := s.tally.Flow("low", span); c.Started != 1 || c.Steps["hello"] != 1 || c.Edges[[2]string{"hello", "done"}] != 1 {
			t.Errorf("in the %s %+v", what, c)
		}
	}
	s = s.again(t)
	until(t, "the counts of before the start", func() bool { return s.tally.Flow("low", time.Hour).Started == 1 })
	s.call(t, "1", "b")
	s.story(t, "b")
	if c := s.tally.Flow("low", time.Hour); c.Started != 2 || c.Steps["hello"] != 2 || c.Edges[[2]string{"hello", "done"}] != 2 {
		t.Errorf("after a restart and a call %+v", c)
	}
}

// client is a browser of a staff member who has logged in.
type client struct {
	t      *testing.T
	base   string
	cookie string
	csrf   string
}

func (s *server) login(t *testing.T, name string, roles ...staff.Role) *client {
	t.Helper()
	const password = "seven lamps by the river 41"
	if _, err := s.Staff().Add(t.Context(), staff.Actor{Name: "test", Source: "test"}, staff.User{Name: name, Display: name, Roles: roles}, password); err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, base: "http://" + s.Addresses()["http.staff_listen"][0]}
	var me struct{ CSRF string }
	if status := c.do("login", map[string]string{"name": name, "password": password}, &me); status != 200 {
		t.Fatalf("login: %d", status)
	}
	c.csrf = me.CSRF
	return c
}

func (c *client) request(address string, body any) *http.Response {
	c.t.Helper()
	method, reader := "GET", io.Reader(nil)
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		method, reader = "POST", bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+"/api/v1/"+address, reader)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", c.base)
	r.Header.Set("X-CSRF-Token", c.csrf)
	r.Header.Set("Cookie", c.cookie)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, cookie := range resp.Cookies() {
		c.cookie = cookie.Name + "=" + cookie.Value
	}
	return resp
}

func (c *client) do(address string, body, out any) int {
	c.t.Helper()
	resp := c.request(address, body)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			c.t.Fatalf("%s: %d %q: %v", address, resp.StatusCode, text, err)
		}
	}
	return resp.StatusCode
}

// A designer proposes, another publishes, and the next caller hears it; pages are told
// of it, and the stream does not keep the server from stopping.
func TestPublishedFlowServesTheNextCall(t *testing.T) {
	t.Parallel()
	s := newServerWith(t, setup{more: "studio: { second_person: true }\n"})
	li, wang, agent := s.login(t, "li", staff.Designer), s.login(t, "wang", staff.Designer), s.login(t, "agent", staff.Agent)
	if status := agent.do("flows", nil, nil); status != 403 {
		t.Errorf("an agent sees flows: %d", status)
	}
	var flows struct {
		Flows []struct {
			Name, File string
			Entries    []string
			Served     bool
		}
	}
	if li.do("flows", nil, &flows); len(flows.Flows) != 2 || flows.Flows[1].Name != "low" || !flows.Flows[1].Served || len(flows.Flows[1].Entries) != 1 {
		t.Fatalf("flows %+v", flows)
	}
	stream := wang.request("events", nil)
	defer stream.Body.Close()
	told := make(chan string, 16)
	go func() {
		defer close(told)
		for lines := bufio.NewScanner(stream.Body); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				told <- data
			}
		}
	}()
	var file struct{ Text, Hash string }
	li.do("files/low.flow.yaml", nil, &file)
	var p struct{ ID, State string }
	edit := map[string]string{"file": "low.flow.yaml", "text": strings.Replace(file.Text, "low.wav", "high.wav", 1), "base": file.Hash, "note": "higher"}
	if status := li.do("proposals", edit, &p); status != 200 || p.State != "open" {
		t.Fatalf("%d %+v", status, p)
	}
	if status := li.do("proposals/"+p.ID+"/publish", struct{}{}, nil); status != 403 {
		t.Errorf("the author publishes: %d", status)
	}
	forged := *wang
	forged.csrf = "x"
	if status := forged.do("proposals/"+p.ID+"/publish", struct{}{}, nil); status != 403 {
		t.Errorf("without the page's token: %d", status)
	}
	if status := wang.do("proposals/"+p.ID+"/publish", struct{}{}, nil); status != 200 {
		t.Fatalf("somebody else publishes: %d", status)
	}
	if heard := s.call(t, "1", "a"); !strings.Contains(heard, "1130") {
		t.Errorf("heard %s", heard)
	}
	var heard []string
	for len(heard) < 3 {
		select {
		case data, open := <-told:
			if !open {
				t.Fatalf("the stream ended after %q", heard)
			}
			heard = append(heard, data)
		case <-time.After(patience):
			t.Fatalf("told only %q", heard)
		}
	}
	if heard[1] != `{"number":2,"changed":["low.flow.yaml"]}` {
		t.Errorf("told %q", heard)
	}
	var audit struct {
		Entries []struct{ Actor, Action string }
	}
	operator := s.login(t, "op", staff.Operator)
	operator.do("audit", nil, &audit)
	var acts []string
	for _, e := range audit.Entries {
		if strings.HasPrefix(e.Action, "flow.") {
			acts = append(acts, e.Actor+" "+e.Action)
		}
	}
	if got := strings.Join(acts, ", "); got != "wang flow.publish, li flow.propose" {
		t.Errorf("the audit log has %s", got)
	}
	begun := time.Now()
	s.end(t)
	if took := time.Since(begun); took > stopTime/2 {
		t.Errorf("stopping took %v: a stream kept the door open", took)
	}
	for range told { // the stream has ended
	}
}

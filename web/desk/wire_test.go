package desk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"tandem"
	"tandem/web/desk/live"
)

// frame is what a socket was told, of any kind.
type frame struct {
	T       string
	ID      string
	N       uint64
	Epoch   string
	Resumed bool
	Agent   json.RawMessage
	Task    json.RawMessage
	Message json.RawMessage
	Talk    json.RawMessage
	Link    json.RawMessage
	Seat    string
	Page    string
	Upgrade json.RawMessage
	Check   json.RawMessage
	Invite  json.RawMessage
	Joined  json.RawMessage

	Interaction tandem.InteractionID
	Queues      []json.RawMessage
	Agents      []json.RawMessage
	Decision    json.RawMessage
	Fence       uint64
	Why         string
	Code        string
	Until       time.Time
	On          bool
	Fresh       bool
	Last        bool
	Name        string
	Board       bool

	text string
}

// task is the task of a frame, whole or by its id.
func (f frame) task() (t struct {
	ID    tandem.TaskID
	State tandem.TaskState
	Fence uint64
}) {
	if json.Unmarshal(f.Task, &t) != nil {
		_ = json.Unmarshal(f.Task, &t.ID) // an id alone
	}
	return t
}

// wire is a client's end of a socket.
type wire struct {
	h     *house
	conn  *websocket.Conn
	pings atomic.Int64 // that came
}

// frames are what each kind may have, with the schema of what stands there; docs/protocol.md
// describes them.
func frames() map[string]map[string]string {
	return map[string]map[string]string{
		"welcome": {"name": "", "agent": "", "board": "", "epoch": "", "n": "", "resumed": ""}, "state": {"n": "", "agent": "Agent"}, "offer": {"n": "", "task": "Task", "decision": "Decision"},
		"offer_over": {"n": "", "task": "ID", "fence": "Fence", "why": ""}, "task": {"n": "", "task": "Task", "why": ""}, "message": {"n": "", "task": "ID", "message": "Message"},
		"typing": {"task": "ID", "on": ""}, "wrap": {"n": "", "task": "ID", "fence": "Fence", "until": ""}, "ready": {"n": ""}, "done": {"id": "ClientID", "task": "Task", "message": "Message", "agent": "Agent", "link": "Link", "upgrade": "Upgrade", "check": "Check", "invite": "RoleLink", "joined": "Joined"},
		"upgrade": {"n": "", "task": "ID", "interaction": "ID", "upgrade": "?Upgrade"}, "check": {"n": "", "task": "ID", "interaction": "ID", "id": "ID", "check": "?Check"},
		"screen": {"interaction": "ID", "page": "ClientID", "signal": ""}, "role_link": {"n": "", "task": "ID", "link": "RoleLink"},
		"talk": {"n": "", "task": "ID", "interaction": "ID", "talk": "?Talk"}, "invite": {"n": "", "invite": "Invite"}, "invite_over": {"n": "", "invite": "", "why": ""}, "link": {"n": "", "task": "ID", "link": "Link"},
		"whisper": {"n": "", "task": "ID", "from": "", "text": "", "at": ""}, "listening": {"n": "", "task": "ID", "role": ""}, "voice": {"seat": "ClientID", "signal": ""},
		"asked": {"n": "", "task": "ID", "flow": "", "step": "", "outcome": "", "set": ""},
		"error": {"id": "", "seat": "", "page": "", "code": "", "message": "", "retry_after": ""}, "board": {"fresh": "", "last": "", "at": "", "queues": "[]QueueFigures", "agents": "[]Agent", "all": "BoardAll", "alerts": "[]Alert"}, "pong": {},
	}
}

// dial opens a socket; change may alter the request.
func (c *client) dial(change ...func(http.Header)) (*wire, *http.Response, error) {
	head := http.Header{}
	if c.key != "" {
		head.Set("Authorization", "Bearer "+c.key)
	} else if c.csrf != "" {
		head.Set("Origin", c.h.server.URL)
	}
	for _, f := range change {
		f(head)
	}
	ctx, cancel := context.WithTimeout(c.h.Context(), 10*time.Second)
	defer cancel()
	w := &wire{h: c.h}
	conn, resp, err := websocket.Dial(ctx, "wss"+strings.TrimPrefix(c.h.server.URL, "https")+live.Path, &websocket.DialOptions{
		HTTPClient: c.http, HTTPHeader: head, Subprotocols: []string{"tandem.desk.1"}, OnPingReceived: func(context.Context, []byte) bool { w.pings.Add(1); return true }})
	if err != nil {
		return nil, resp, err
	}
	conn.SetReadLimit(1 << 20)
	w.conn = conn
	c.h.Cleanup(func() { conn.CloseNow() })
	return w, resp, nil
}

// open is a socket that has said hello and was told all there is.
func (c *client) open(hello map[string]any) (*wire, []frame) {
	c.h.Helper()
	w, _, err := c.dial()
	c.h.must(err)
	if hello == nil {
		hello = map[string]any{}
	}
	hello["t"] = "hello"
	w.send(hello)
	return w, w.upto("ready")
}

func (w *wire) send(v any) {
	w.h.Helper()
	w.h.must(w.conn.Write(w.h.Context(), websocket.MessageText, []byte(asJSON(w.h, v))))
}

// next reads a frame and holds it against the document.
func (w *wire) next() (frame, error) {
	w.h.Helper()
	ctx, cancel := context.WithTimeout(w.h.Context(), 10*time.Second)
	defer cancel()
	_, data, err := w.conn.Read(ctx)
	if err != nil {
		return frame{}, err
	}
	var f frame
	w.h.must(json.Unmarshal(data, &f))
	f.text = string(data)
	if len(data) > 64<<10 {
		w.h.Errorf("a frame of %d bytes", len(data))
	}
	var fields map[string]json.RawMessage
	w.h.must(json.Unmarshal(data, &fields))
	known, ok := frames()[f.T]
	if !ok {
		w.h.Errorf("an unknown frame: %s", data)
	}
	for name, value := range fields {
		schema, described := known[name]
		switch {
		case name == "t":
		case !described:
			w.h.Errorf("%s has %s, which is not described", f.T, name)
		case strings.HasPrefix(schema, "?"):
			if string(value) != "null" {
				w.h.doc.holds(w.h, f.T+"."+name, component(schema[1:]), string(value))
			}
		case strings.HasPrefix(schema, "[]"):
			var list []json.RawMessage
			w.h.must(json.Unmarshal(value, &list))
			for _, one := range list {
				w.h.doc.holds(w.h, f.T+"."+name, component(schema[2:]), string(one))
			}
		case schema != "" && f.T+"."+name != "welcome.agent":
			w.h.doc.holds(w.h, f.T+"."+name, component(schema), string(value))
		}
	}
	return f, nil
}

// upto reads frames up to one of a kind.
func (w *wire) upto(kind string) (all []frame) {
	w.h.Helper()
	for {
		f, err := w.next()
		if err != nil {
			w.h.Fatalf("waiting for %s after %v: %v", kind, all, err)
		}
		if all = append(all, f); f.T == kind {
			return all
		}
	}
}

func (w *wire) last(kind string) frame {
	w.h.Helper()
	all := w.upto(kind)
	return all[len(all)-1]
}

// ask sends a command and reads up to its answer.
func (w *wire) ask(v map[string]any) (answer frame, before []frame) {
	w.h.Helper()
	w.send(v)
	for {
		f, err := w.next()
		if err != nil {
			w.h.Fatalf("asking %v: %v", v, err)
		}
		if (f.T == "done" || f.T == "error") && f.ID == v["id"] {
			return f, before
		}
		before = append(before, f)
	}
}

// done is ask, of what must be done.
func (w *wire) done(v map[string]any) []frame {
	w.h.Helper()
	f, before := w.ask(v)
	if f.T != "done" {
		w.h.Fatalf("%v was not done: %s", v, f.text)
	}
	return before
}

// closed reads till the socket is closed, and says how.
func (w *wire) closed() (websocket.StatusCode, string) {
	w.h.Helper()
	for {
		if _, err := w.next(); err != nil {
			var e websocket.CloseError
			if !errors.As(err, &e) {
				w.h.Fatalf("the socket ended without a word: %v", err)
			}
			return e.Code, e.Reason
		}
	}
}

func (w *wire) isClosed(code websocket.StatusCode, reason string) {
	w.h.Helper()
	if c, r := w.closed(); c != code || r != reason {
		w.h.Errorf("closed with %d %q, want %d %q", c, r, code, reason)
	}
}

func kindsOf(all []frame) string {
	var names []string
	for _, f := range all {
		names = append(names, f.T)
	}
	return strings.Join(names, " ")
}

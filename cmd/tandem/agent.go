package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/urfave/cli/v2"

	"tandem"
)

// agentCommand is a desk in the terminal: the desk protocol, typed.
func agentCommand() *cli.Command {
	return &cli.Command{
		Name: "agent", Usage: "serve customers from this terminal",
		Description: "Becomes available, shows what is offered, and takes what you type. Calls ring the telephone that the\n" +
			"configuration names for the agent (agents.NAME.phone); chats, texts, voicemails and tickets are served here.\n" +
			"The key is made by: tandem key add --agent NAME --scope agent",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "url", Value: "http://127.0.0.1:8081", Usage: "`ADDRESS` of the staff door"},
			&cli.StringFlag{Name: "key", EnvVars: []string{"TANDEM_KEY"}, Usage: "the agent's `KEY`; better in the environment, where no list of processes shows it"},
			&cli.StringFlag{Name: "key-file", Usage: "`FILE` with the key"},
		},
		Action: serveAsAgent,
	}
}

const agentHelp = `  a [TASK]           accept what is offered         d [TASK]     let it pass
  TEXT               write to the customer          say TEXT     the same, also for TEXT like a command
  r [DISPOSITION]    done: notes, then free         h            hand back to the flow
  t queue:NAME       back into line for a queue     t agent:NAME for another agent
  n TEXT             a note into the journal        play FILE    save a voicemail as WAV
  on | off | away REASON   be available, offline, away
  ls                 what you have                  use TASK     speak with that one
  q                  be offline and leave`

// desk is one agent at a terminal.
type desk struct {
	out  io.Writer
	url  string
	key  string
	conn *websocket.Conn

	mu     sync.Mutex
	n      int
	tasks  map[tandem.TaskID]*deskTask // offered, assigned or wrapping
	now    tandem.TaskID               // spoken with
	stands string                      // who one is and what one chose to be, as it was told last
}

// deskTask is one thing that the agent has.
type deskTask struct {
	tandem.Task
	said uint64 // the newest message that was shown
}

// deskFrame is what of the server's frames is shown here.
type deskFrame struct {
	T        string          `json:"t"`
	ID       string          `json:"id"`
	Task     json.RawMessage `json:"task"`
	Why      string          `json:"why"`
	Code     string          `json:"code"`
	Message  json.RawMessage `json:"message"`
	Until    time.Time       `json:"until"`
	Decision *struct {
		Why tandem.Words `json:"why"`
	} `json:"decision"`
	Agent json.RawMessage `json:"agent"` // yes or no in the welcome, who you are in a state
}

func serveAsAgent(c *cli.Context) error {
	if err := wantArgs(c); err != nil {
		return err
	}
	key := c.String("key")
	if file := c.String("key-file"); file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return tandem.Errorf(tandem.CodeInvalid, "reading the key: %w", err)
		}
		key = strings.TrimSpace(string(data))
	}
	if key == "" {
		return tandem.Errorf(tandem.CodeInvalid, "no key: give --key-file FILE or set TANDEM_KEY; make one with tandem key add")
	}
	d := &desk{out: c.App.Writer, url: strings.TrimSuffix(c.String("url"), "/"), key: key, tasks: map[tandem.TaskID]*deskTask{}}
	ctx, cancel := context.WithCancel(c.Context)
	defer cancel()
	if err := d.connect(ctx); err != nil {
		return err
	}
	defer d.conn.CloseNow()
	ended := make(chan error, 1)
	go func() { ended <- d.hear(ctx) }()
	lines := make(chan string)
	go func() {
		defer close(lines)
		scan := bufio.NewScanner(c.App.Reader)
		for scan.Scan() {
			select {
			case lines <- scan.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	d.command(ctx, "on")
	fmt.Fprintln(d.out, agentHelp)
	for {
		select {
		case err := <-ended:
			return err
		case line, more := <-lines:
			if !more || line == "q" {
				d.command(ctx, "off")
				return d.conn.Close(websocket.StatusNormalClosure, "")
			}
			d.command(ctx, line)
		}
	}
}

// connect opens the socket and says hello.
func (d *desk) connect(ctx context.Context) error {
	at, err := url.Parse(d.url + "/api/v1/desk/socket")
	if err != nil || at.Host == "" {
		return tandem.Errorf(tandem.CodeInvalid, "%q is no address of a staff door: write http://HOST:PORT", d.url)
	}
	at.Scheme = strings.Replace(at.Scheme, "http", "ws", 1)
	var answer *http.Response
	d.conn, answer, err = websocket.Dial(ctx, at.String(), &websocket.DialOptions{
		Subprotocols: []string{"tandem.desk.1"}, HTTPHeader: http.Header{"Authorization": {"Bearer " + d.key}},
	})
	if answer != nil && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden) {
		return tandem.Errorf(tandem.CodeInvalid, "the server does not take this key: is it revoked, or not of an agent? tandem key list shows it")
	}
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "%s is not reached: %w; is it the staff door (http.staff_listen)?", d.url, err)
	}
	d.conn.SetReadLimit(1 << 20)
	return d.send(ctx, map[string]any{"t": "hello"})
}

// sendTime bounds the writing of one frame.
const sendTime = 10 * time.Second

func (d *desk) send(ctx context.Context, frame map[string]any) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return wsjson.Write(ctx, d.conn, frame)
}

// hear shows what the server tells, until the socket ends.
func (d *desk) hear(ctx context.Context) error {
	for {
		var f deskFrame
		err := wsjson.Read(ctx, d.conn, &f)
		var closed websocket.CloseError
		switch {
		case ctx.Err() != nil || errors.As(err, &closed) && closed.Code == websocket.StatusNormalClosure:
			return nil
		case errors.As(err, &closed):
			return tandem.Errorf(tandem.CodeUnavailable, "the server has ended the connection (%d %s)", closed.Code, closed.Reason)
		case err != nil:
			return tandem.Errorf(tandem.CodeUnavailable, "the connection is lost: %w", err)
		}
		d.show(ctx, f)
	}
}

// show prints one frame and keeps what it tells.
func (d *desk) show(ctx context.Context, f deskFrame) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var t deskTask
	_ = json.Unmarshal(f.Task, &t.Task) // an id alone where the frame tells of no more
	switch f.T {
	case "state":
		var a struct {
			Name     string          `json:"name"`
			Presence tandem.Presence `json:"presence"`
			Reason   string          `json:"reason"`
		}
		_ = json.Unmarshal(f.Agent, &a)
		if now := strings.TrimSpace(fmt.Sprintf("· %s is %s %s", a.Name, a.Presence, a.Reason)); now != d.stands {
			d.stands = now
			fmt.Fprintln(d.out, now)
		}
	case "offer":
		d.tasks[t.ID] = &t
		fmt.Fprintf(d.out, "\a→ offered: %s of %s, waiting since %s (a = accept, d = let it pass)\n", t.Kind, t.Queue, t.Arrived.Local().Format(time.TimeOnly))
		if f.Decision != nil {
			fmt.Fprintf(d.out, "  %s\n", f.Decision.Why.En)
		}
	case "offer_over":
		var id tandem.TaskID
		_ = json.Unmarshal(f.Task, &id)
		what := "it"
		if o := d.tasks[id]; o != nil {
			what = fmt.Sprintf("%s of %s", o.Kind, o.Queue)
		}
		delete(d.tasks, id)
		fmt.Fprintf(d.out, "· the offer of %s is over: %s\n", what, f.Why)
	case "task":
		d.changed(&t, f.Why)
	case "wrap":
		if !f.Until.IsZero() {
			fmt.Fprintf(d.out, "· write your notes until %s: r DISPOSITION ends it\n", f.Until.Local().Format(time.TimeOnly))
		}
	case "message":
		d.said(f)
	case "error":
		var why string
		_ = json.Unmarshal(f.Message, &why)
		fmt.Fprintf(d.out, "✗ %s\n", why)
	}
}

// changed keeps a task as it is now.
func (d *desk) changed(t *deskTask, why string) {
	switch t.State {
	case tandem.TaskAssigned:
		if d.tasks[t.ID] != nil {
			t.said = d.tasks[t.ID].said
		}
		d.tasks[t.ID], d.now = t, t.ID
	case tandem.TaskWrapping:
		d.tasks[t.ID] = t
	default:
		delete(d.tasks, t.ID)
	}
	fmt.Fprintf(d.out, "· %s of %s: %s (%s)\n", t.Kind, t.Queue, t.State, why)
}

// said prints a message once.
func (d *desk) said(f deskFrame) {
	var id tandem.TaskID
	var m struct {
		Seq  uint64        `json:"seq"`
		From tandem.Sender `json:"from"`
		Text string        `json:"text"`
	}
	if json.Unmarshal(f.Task, &id) != nil || json.Unmarshal(f.Message, &m) != nil {
		return
	}
	t := d.tasks[id]
	if t == nil || m.Seq <= t.said {
		return
	}
	t.said = m.Seq
	fmt.Fprintf(d.out, "  %s: %s\n", m.From, printable(m.Text))
}

// command carries out what was typed.
func (d *desk) command(ctx context.Context, line string) {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	d.mu.Lock()
	frame, told := d.asked(word, strings.TrimSpace(rest), line)
	if frame != nil {
		d.n++
		frame["id"] = fmt.Sprintf("t-%d", d.n)
	}
	d.mu.Unlock()
	if told != "" {
		fmt.Fprintln(d.out, told)
	}
	if word == "play" && told == "" {
		d.play(ctx, rest)
		return
	}
	if frame == nil {
		return
	}
	if err := d.send(ctx, frame); err != nil {
		fmt.Fprintf(d.out, "✗ not sent: %v\n", err)
	}
}

// asked is the frame for a command, or what to tell in its place.
func (d *desk) asked(word, rest, line string) (frame map[string]any, told string) {
	on := func(state tandem.TaskState, t string, more ...any) (map[string]any, string) {
		task := d.find(state, rest)
		if task == nil {
			return nil, "· there is nothing " + string(state)
		}
		f := map[string]any{"t": t, "task": task.ID, "fence": task.Fence}
		for i := 0; i < len(more); i += 2 {
			f[more[i].(string)] = more[i+1]
		}
		return f, ""
	}
	switch word {
	case "":
		return nil, ""
	case "?", "help":
		return nil, agentHelp
	case "on":
		return map[string]any{"t": "presence", "presence": tandem.PresenceAvailable}, ""
	case "off":
		return map[string]any{"t": "presence", "presence": tandem.PresenceOffline}, ""
	case "away":
		return map[string]any{"t": "presence", "presence": tandem.PresenceAway, "reason": rest}, ""
	case "a":
		return on(tandem.TaskOffered, "accept")
	case "d":
		return on(tandem.TaskOffered, "decline")
	case "h":
		return on(tandem.TaskAssigned, "hand_back")
	case "r":
		if d.find(tandem.TaskAssigned, "") == nil {
			disposition := rest
			rest = ""
			return on(tandem.TaskWrapping, "wrap", "disposition", disposition)
		}
		rest = ""
		return on(tandem.TaskAssigned, "release")
	case "t":
		kind, name, _ := strings.Cut(rest, ":")
		if name == "" || kind != "queue" && kind != "agent" {
			return nil, "· write t queue:NAME or t agent:NAME"
		}
		rest = ""
		return on(tandem.TaskAssigned, "transfer", kind, name)
	case "n":
		text := rest
		rest = ""
		return on(tandem.TaskAssigned, "note", "text", text)
	case "use":
		if t := d.find(tandem.TaskAssigned, rest); t != nil {
			d.now = t.ID
			return nil, ""
		}
		return nil, "· you have no such task"
	case "ls":
		return nil, d.list()
	case "play":
		if d.find(tandem.TaskAssigned, "") == nil || rest == "" {
			return nil, "· accept a voicemail first, then write play FILE.wav"
		}
		return nil, ""
	case "say":
		line = rest
	}
	rest = ""
	return on(tandem.TaskAssigned, "say", "text", line)
}

// find is the task in a state that a word names by the end of its id, or the one spoken
// with, or any.
func (d *desk) find(state tandem.TaskState, word string) *deskTask {
	var found *deskTask
	for id, t := range d.tasks {
		switch {
		case t.State != state && (state != tandem.TaskOffered || t.State != ""):
		case word != "" && !strings.HasSuffix(string(id), word):
		case id == d.now:
			return t
		case found == nil || t.Arrived.Before(found.Arrived):
			found = t
		}
	}
	return found
}

func (d *desk) list() string {
	var b strings.Builder
	for id, t := range d.tasks {
		mark := " "
		if id == d.now {
			mark = "*"
		}
		fmt.Fprintf(&b, "%s %s  %-9s %-10s %s\n", mark, string(id)[max(0, len(id)-6):], t.State, t.Kind, t.Queue)
	}
	if b.Len() == 0 {
		return "· nothing"
	}
	return strings.TrimRight(b.String(), "\n")
}

// play saves the voicemail that the agent has.
func (d *desk) play(ctx context.Context, file string) {
	d.mu.Lock()
	t := d.find(tandem.TaskAssigned, "")
	d.mu.Unlock()
	if err := d.save(ctx, t.ID, file); err != nil {
		fmt.Fprintf(d.out, "✗ %v\n", err)
		return
	}
	fmt.Fprintf(d.out, "· saved as %s\n", file)
}

func (d *desk) save(ctx context.Context, id tandem.TaskID, file string) (err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+"/api/v1/tasks/"+string(id)+"/audio", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+d.key)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("the recording was not fetched: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s: the key needs the scope audio, the task a recording", answer.Status)
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, answer.Body)
	return errors.Join(err, f.Close())
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
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

const agentHelp = `  a [ID]             accept what is offered         d [ID]       let it pass
  TEXT               write to the customer          say TEXT     the same, also for TEXT like a command
  r                  done with the customer         h            hand back to the flow
  w [DISPOSITION]    done with the notes after it   n TEXT       a note into the journal
  t queue:NAME       back into line for a queue     t agent:NAME for another agent
  on | off | away REASON   be available, offline, away
  ls                 what you have                  use ID       speak with that one
  play FILE          save the voicemail as WAV      q            be offline and leave
  An ID is the end of one, as it is shown.`

// deskTerm is one agent at a terminal.
type deskTerm struct {
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
	ID          tandem.TaskID        `json:"id"`
	Interaction tandem.InteractionID `json:"interaction"`
	Kind        tandem.TaskKind      `json:"kind"`
	Queue       string               `json:"queue"`
	State       tandem.TaskState     `json:"state"`
	Arrived     time.Time            `json:"arrived"`
	Fence       uint64               `json:"fence"`
	Ticket      tandem.Number        `json:"ticket"`

	said uint64 // the newest message that was shown
}

// name is the task in a few words, with the end of its id.
func (t *deskTask) name() string {
	return fmt.Sprintf("%s of %s (%s)", t.Kind, t.Queue, string(t.ID)[max(0, len(t.ID)-4):])
}

// deskMessage is a line of a talk.
type deskMessage struct {
	Seq  uint64        `json:"seq"`
	From tandem.Sender `json:"from"`
	Text string        `json:"text"`
}

// deskFrame is what of the server's frames is shown here.
type deskFrame struct {
	T        string          `json:"t"`
	Task     json.RawMessage `json:"task"`
	Fence    uint64          `json:"fence"`
	Why      string          `json:"why"`
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
	d := &deskTerm{out: c.App.Writer, url: strings.TrimSuffix(c.String("url"), "/"), key: key}
	ctx, cancel := context.WithCancel(c.Context)
	defer cancel()
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
	if err := d.connect(ctx); err != nil {
		return err
	}
	d.command(ctx, "on")
	fmt.Fprintln(d.out, agentHelp)
	for {
		again, err := d.serve(ctx, lines)
		if !again {
			return err
		}
		fmt.Fprintf(d.out, "· the connection is lost (%v); trying again\n", err)
		if err := d.comeBack(ctx); err != nil {
			return err
		}
	}
}

// serve shows what comes and carries out what is typed, until the agent leaves or the
// connection is lost: then again is true.
func (d *deskTerm) serve(ctx context.Context, lines <-chan string) (again bool, err error) {
	defer d.conn.CloseNow()
	ended := make(chan error, 1)
	go func() { ended <- d.hear(ctx) }()
	for {
		select {
		case err := <-ended:
			return err != nil && ctx.Err() == nil, err
		case line, more := <-lines:
			if !more || strings.TrimSpace(line) == "q" {
				d.command(ctx, "off")
				return false, d.conn.Close(websocket.StatusNormalClosure, "")
			}
			d.command(ctx, line)
		}
	}
}

// Times of coming back, as docs/protocol.md asks for: a server that has just started is not
// overrun.
const (
	backFirst = time.Second
	backMost  = 15 * time.Second
)

// comeBack connects again, for as long as it takes.
func (d *deskTerm) comeBack(ctx context.Context) error {
	for wait := backFirst; ; wait = min(2*wait, backMost) {
		select {
		case <-time.After(wait/2 + rand.N(wait)):
		case <-ctx.Done():
			return nil
		}
		err := d.connect(ctx)
		if err == nil || tandem.CodeOf(err) == tandem.CodeForbidden {
			return err
		}
	}
}

// connect opens the socket and says hello: everything is told as it is now.
func (d *deskTerm) connect(ctx context.Context) error {
	at, err := url.Parse(d.url + "/api/v1/desk/socket")
	if err != nil || at.Host == "" {
		return tandem.Errorf(tandem.CodeInvalid, "%q is no address of a staff door: write http://HOST:PORT", d.url)
	}
	at.Scheme = strings.Replace(at.Scheme, "http", "ws", 1)
	conn, answer, err := websocket.Dial(ctx, at.String(), &websocket.DialOptions{
		Subprotocols: []string{"tandem.desk.1"}, HTTPHeader: http.Header{"Authorization": {"Bearer " + d.key}},
	})
	if answer != nil && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden) {
		return tandem.Errorf(tandem.CodeForbidden, "the server does not take this key: is it revoked, or not of an agent? tandem key list shows it")
	}
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "%s is not reached: %w; is it the staff door (http.staff_listen)?", d.url, err)
	}
	conn.SetReadLimit(1 << 20)
	d.mu.Lock()
	d.conn, d.tasks = conn, map[tandem.TaskID]*deskTask{}
	d.mu.Unlock()
	return d.send(ctx, map[string]any{"t": "hello"})
}

// sendTime bounds the writing of one frame.
const sendTime = 10 * time.Second

func (d *deskTerm) send(ctx context.Context, frame map[string]any) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return wsjson.Write(ctx, d.conn, frame)
}

// hear shows what the server tells, until the socket ends; nil = the agent ended it.
func (d *deskTerm) hear(ctx context.Context) error {
	for {
		var f deskFrame
		err := wsjson.Read(ctx, d.conn, &f)
		var closed websocket.CloseError
		switch {
		case ctx.Err() != nil || errors.As(err, &closed) && closed.Code == websocket.StatusNormalClosure:
			return nil
		case errors.As(err, &closed):
			return fmt.Errorf("%s", closed.Reason)
		case err != nil:
			return errors.New("it broke off")
		}
		d.show(ctx, f)
	}
}

// get asks the API.
func (d *deskTerm) get(ctx context.Context, path string, into any) error {
	answer, err := d.ask(ctx, path)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return json.NewDecoder(io.LimitReader(answer.Body, 8<<20)).Decode(into)
}

// ask makes a request whose answer is 200.
func (d *deskTerm) ask(ctx context.Context, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+"/api/v1/"+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+d.key)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("the server was not asked: %w", err)
	}
	if answer.StatusCode == http.StatusOK {
		return answer, nil
	}
	defer answer.Body.Close()
	var problem struct {
		Message string `json:"message"`
	}
	_ = json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&problem)
	return nil, fmt.Errorf("the server answers %s: %s", answer.Status, problem.Message)
}

// command carries out what was typed.
func (d *deskTerm) command(ctx context.Context, line string) {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	rest = strings.TrimSpace(rest)
	if word == "play" {
		d.play(ctx, rest)
		return
	}
	d.mu.Lock()
	frame, told := d.asked(word, rest, line)
	if frame != nil {
		d.n++
		frame["id"] = fmt.Sprintf("t-%d", d.n)
	}
	d.mu.Unlock()
	if told != "" {
		fmt.Fprintln(d.out, told)
	}
	if frame == nil {
		return
	}
	if err := d.send(ctx, frame); err != nil {
		fmt.Fprintln(d.out, "✗ not sent: there is no connection just now")
	}
}

// asked is the frame for a command, or what to tell in its place.
func (d *deskTerm) asked(word, rest, line string) (frame map[string]any, told string) {
	on := func(state tandem.TaskState, which, t string, more map[string]any) (map[string]any, string) {
		task := d.find(state, which)
		if task == nil {
			return nil, "· there is nothing " + string(state)
		}
		f := map[string]any{"t": t, "task": task.ID, "fence": task.Fence}
		maps.Copy(f, more)
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
		return on(tandem.TaskOffered, rest, "accept", nil)
	case "d":
		return on(tandem.TaskOffered, rest, "decline", nil)
	case "h":
		return on(tandem.TaskAssigned, "", "hand_back", nil)
	case "r":
		return on(tandem.TaskAssigned, "", "release", nil)
	case "w":
		return on(tandem.TaskWrapping, "", "wrap", map[string]any{"disposition": rest})
	case "n":
		return on(tandem.TaskAssigned, "", "note", map[string]any{"text": rest})
	case "t":
		kind, name, _ := strings.Cut(rest, ":")
		if name == "" || kind != "queue" && kind != "agent" {
			return nil, "· write t queue:NAME or t agent:NAME"
		}
		return on(tandem.TaskAssigned, "", "transfer", map[string]any{kind: name})
	case "use":
		if t := d.find(tandem.TaskAssigned, rest); t != nil {
			d.now = t.ID
			return nil, "· you speak with " + t.name()
		}
		return nil, "· you have no such task"
	case "ls":
		return nil, d.list()
	case "say":
		line = rest
	}
	return on(tandem.TaskAssigned, "", "say", map[string]any{"text": line})
}

// find is the task in a state that a word names by the end of its id; without a word the
// one spoken with, else the one that arrived first.
func (d *deskTerm) find(state tandem.TaskState, word string) (found *deskTask) {
	for id, t := range d.tasks {
		switch {
		case t.State != state, word != "" && !strings.HasSuffix(string(id), word):
		case id == d.now:
			return t
		case found == nil || t.Arrived.Before(found.Arrived):
			found = t
		}
	}
	return found
}

func (d *deskTerm) list() string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(d.tasks)) {
		mark := " "
		if id == d.now {
			mark = "*"
		}
		fmt.Fprintf(&b, "%s %-9s %s\n", mark, d.tasks[id].State, d.tasks[id].name())
	}
	if b.Len() == 0 {
		return "· nothing"
	}
	return strings.TrimRight(b.String(), "\n")
}

// play saves the voicemail that the agent has.
func (d *deskTerm) play(ctx context.Context, file string) {
	d.mu.Lock()
	t := d.find(tandem.TaskAssigned, "")
	d.mu.Unlock()
	if t == nil || file == "" {
		fmt.Fprintln(d.out, "· accept a voicemail first, then write play FILE.wav")
		return
	}
	if err := d.save(ctx, t.ID, file); err != nil {
		fmt.Fprintf(d.out, "✗ %v\n", err)
		return
	}
	fmt.Fprintf(d.out, "· saved as %s\n", file)
}

func (d *deskTerm) save(ctx context.Context, id tandem.TaskID, file string) error {
	answer, err := d.ask(ctx, "tasks/"+string(id)+"/audio")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, answer.Body)
	return errors.Join(err, f.Close())
}

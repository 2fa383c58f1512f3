package testkit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Debian's place for baresip's modules is found by pattern: it lies in the
// library folder of the machine's kind on some releases.
const baresipModules = "/usr/lib*/baresip/modules"

// PhoneOptions are what a baresip is started with.
type PhoneOptions struct {
	Name     string  // user part of its address; "" = phone
	Says     []int16 // what its microphone hears, over and over; nil = silence
	Answers  bool    // answers calls by itself
	Law      string  // PCMU or PCMA; "" = both, PCMU first
	TCP      bool    // signals over TCP
	User     string  // digest user, "" = none
	Password string
}

// PhoneEvent is something baresip told of a call.
type PhoneEvent struct {
	Type  string `json:"type"` // such as CALL_ESTABLISHED, CALL_CLOSED
	Param string `json:"param"`
	Peer  string `json:"peeruri"`
}

// Phone is a running baresip with one account, its sound taken from and written to
// files, led over its control connection. One goroutine reads that connection.
type Phone struct {
	t    testing.TB
	dir  string
	port int
	name string
	tcp  bool
	ctrl net.Conn
	log  *lockedBuffer

	mu      sync.Mutex
	events  []PhoneEvent
	answers map[string]chan phoneAnswer
	tokens  int
	news    chan struct{} // closed and replaced at each event
}

type phoneAnswer struct {
	OK   bool   `json:"ok"`
	Data string `json:"data"`
}

// NewPhone starts a baresip for this test; it needs the program. It is ended, by
// process id, with the test.
func NewPhone(t testing.TB, o PhoneOptions) *Phone {
	t.Helper()
	Need(t, "baresip")
	modules, _ := filepath.Glob(baresipModules)
	if more, _ := filepath.Glob("/usr/lib/*/baresip/modules"); len(modules) == 0 {
		modules = more
	}
	if len(modules) == 0 {
		lacking(t, "baresip's modules under "+baresipModules)
	}
	ports := FreePorts(t, 2)
	p := &Phone{t: t, dir: t.TempDir(), port: ports[0], name: o.Name, tcp: o.TCP, log: &lockedBuffer{},
		answers: map[string]chan phoneAnswer{}, news: make(chan struct{})}
	if p.name == "" {
		p.name = "phone"
	}
	if err := p.configure(o, modules[0], ports[1]); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("baresip", "-f", p.dir)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	run(t, "baresip", cmd, p.log)
	p.connect(ports[1])
	return p
}

func (p *Phone) configure(o PhoneOptions, modules string, control int) error {
	// Baresip hangs up when its sound file ends: it must outlast every call.
	const longest = 3 * time.Minute
	says := o.Says
	if len(says) == 0 {
		says = Silence(time.Second)
	}
	says = slices.Repeat(says, int(longest/Length(says))+1)
	microphone := filepath.Join(p.dir, "says.wav")
	if err := WriteWAV(microphone, says); err != nil {
		return err
	}
	heard := filepath.Join(p.dir, "heard")
	if err := os.Mkdir(heard, 0o700); err != nil {
		return err
	}
	config := fmt.Sprintf(`poll_method epoll
sip_listen 127.0.0.1:%d
call_local_timeout 120
call_max_calls 4
audio_source aufile,%s
audio_player aufile,unused
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_txmode poll
rtp_ports 10000-19998
rtp_stats no
statmode_default off
net_interface 127.0.0.1
module_path %s
module g711.so
module aufile.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:%d
snd_path %s
`, p.port, microphone, modules, control, heard)
	address := "sip:" + p.name + "@127.0.0.1:" + strconv.Itoa(p.port)
	if o.TCP {
		address += ";transport=tcp"
	}
	account := "<" + address + ">;regint=0"
	if o.Law != "" {
		account += ";audio_codecs=" + o.Law + "/8000/1"
	}
	if o.Answers {
		account += ";answermode=auto"
	}
	if o.User != "" {
		account += ";auth_user=" + o.User + ";auth_pass=" + o.Password
	}
	for name, text := range map[string]string{"config": config, "accounts": account + "\n", "contacts": ""} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (p *Phone) connect(port int) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	conn, err := dialRetry(ctx, "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		p.t.Fatalf("baresip's control connection: %v\n%s", err, p.log)
	}
	p.ctrl = conn
	done := make(chan struct{})
	go func() { defer close(done); p.read() }()
	p.t.Cleanup(func() { conn.Close(); <-done })
}

// dialRetry connects as soon as somebody listens.
func dialRetry(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		conn, err := d.DialContext(ctx, "tcp4", address)
		if err == nil {
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		case <-retry.C:
		}
	}
}

// read takes netstrings ("12:{...},") from the control connection until it ends.
func (p *Phone) read() {
	r := bufio.NewReader(p.ctrl)
	for {
		length, err := r.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
		if err != nil || n < 0 || n > 1<<20 {
			return
		}
		body := make([]byte, n+1)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		p.take(body[:n])
	}
}

func (p *Phone) take(body []byte) {
	var m struct {
		Event    bool   `json:"event"`
		Response bool   `json:"response"`
		Token    string `json:"token"`
		PhoneEvent
		phoneAnswer
	}
	if json.Unmarshal(body, &m) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.Response {
		if answer := p.answers[m.Token]; answer != nil {
			answer <- m.phoneAnswer
			delete(p.answers, m.Token)
		}
		return
	}
	p.events = append(p.events, m.PhoneEvent)
	close(p.news)
	p.news = make(chan struct{})
}

// Command runs one of baresip's long commands, such as "hold", and returns what it says.
func (p *Phone) Command(command, params string) string {
	p.t.Helper()
	answer := make(chan phoneAnswer, 1)
	p.mu.Lock()
	p.tokens++
	token := strconv.Itoa(p.tokens)
	p.answers[token] = answer
	p.mu.Unlock()
	body, err := json.Marshal(map[string]string{"command": command, "params": params, "token": token})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(p.ctrl, "%d:%s,", len(body), body); err != nil {
		p.t.Fatalf("baresip: %s: %v", command, err)
	}
	select {
	case a := <-answer:
		if !a.OK {
			p.t.Fatalf("baresip: %s %s: %s", command, params, a.Data)
		}
		return a.Data
	case <-time.After(Patience):
		p.t.Fatalf("baresip: %s %s: no answer\n%s", command, params, p.log)
	}
	return ""
}

// URI is the phone's own address.
func (p *Phone) URI() string { return "sip:" + p.name + "@" + p.Addr().String() }

// Addr is where the phone listens, UDP and TCP.
func (p *Phone) Addr() netip.AddrPort {
	return Loopback(p.port)
}

// Dial calls a user part at a server and waits until the call is established.
func (p *Phone) Dial(user string, server netip.AddrPort) {
	p.t.Helper()
	p.Start(user, server)
	p.Wait(15*time.Second, "CALL_ESTABLISHED")
}

// Start calls and does not wait.
func (p *Phone) Start(user string, server netip.AddrPort) {
	p.t.Helper()
	target := "sip:" + user + "@" + server.String()
	if p.tcp {
		target += ";transport=tcp"
	}
	p.Command("dial", target)
}

// Type sends keys by RFC 4733 and returns when the last was let go.
func (p *Phone) Type(digits string) {
	p.t.Helper()
	for _, d := range digits {
		p.Command("sndcode", string(d))
	}
}

// Hold puts the call on hold; Resume takes it off; Hangup ends it.
func (p *Phone) Hold()   { p.t.Helper(); p.Command("hold", "") }
func (p *Phone) Resume() { p.t.Helper(); p.Command("resume", "") }
func (p *Phone) Hangup() { p.t.Helper(); p.Command("hangup", "") }

// Wait waits for an event of one of the types and forgets it and those before it.
func (p *Phone) Wait(d time.Duration, types ...string) PhoneEvent {
	p.t.Helper()
	deadline := time.After(d)
	for {
		p.mu.Lock()
		for i, e := range p.events {
			if slices.Contains(types, e.Type) {
				p.events = p.events[i+1:]
				p.mu.Unlock()
				return e
			}
		}
		news, had := p.news, fmt.Sprint(p.events)
		p.mu.Unlock()
		select {
		case <-news:
		case <-deadline:
			p.t.Fatalf("baresip: no %s within %v; events since: %s\n%s", strings.Join(types, " or "), d, had, p.log)
		}
	}
}

// Closed waits for the end of the call and returns baresip's reason for it.
func (p *Phone) Closed(d time.Duration) string {
	p.t.Helper()
	return p.Wait(d, "CALL_CLOSED").Param
}

// Log is the newest of what baresip printed, for failure messages.
func (p *Phone) Log() string { return p.log.String() }

// Heard is the audio of the newest call as it was decoded. Baresip leaves out what
// never came: silence is there only where silent packets were. It records nothing
// any more once the call was on hold (seen with 1.0.0, between two of them too).
func (p *Phone) Heard() []int16 { p.t.Helper(); return p.dump("dec") }

// Said is the audio of the newest call as it was sent.
func (p *Phone) Said() []int16 { p.t.Helper(); return p.dump("enc") }

func (p *Phone) dump(which string) []int16 {
	p.t.Helper()
	files, _ := filepath.Glob(filepath.Join(p.dir, "heard", "dump-*-"+which+".wav"))
	if len(files) == 0 {
		p.t.Fatalf("baresip kept no %s audio\n%s", which, p.log)
	}
	pcm, err := ReadWAV(slices.Max(files))
	if err != nil {
		p.t.Fatal(err)
	}
	return pcm
}

// lockedBuffer keeps a child's output for failure messages.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

// String is the newest part of what was written, at most 4 kB of it.
func (l *lockedBuffer) String() string {
	const most = 4 << 10
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.b.Bytes()
	return string(b[max(0, len(b)-most):])
}

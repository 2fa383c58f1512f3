package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tandem/internal/app"
	"tandem/internal/config"
	"tandem/internal/testkit"
)

// patience bounds every wait of these tests.
const patience = 20 * time.Second

// text is what a program wrote, to be waited on.
type text struct {
	mu sync.Mutex
	b  strings.Builder
}

func (x *text) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.Write(p)
}

func (x *text) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.String()
}

// wait is until these words were written.
func (x *text) wait(t *testing.T, words string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.Now().Add(patience); !strings.Contains(x.String(), words); <-tick.C {
		if time.Now().After(late) {
			t.Fatalf("never written: %q\n%s", words, x)
		}
	}
}

const menuFlow = `flow: menu
channels: [voice]
languages: [en]
start: ask
steps:
  ask:
    menu: { prompt: { en: { audio: low.wav } }, timeout: 20s, tries: 1, choices: [ { keys: "12", go: right } ] }
    next: { no_input: end, no_match: end }
  right: { say: { en: { audio: high.wav } }, next: end }
`

// testConfig writes a folder with a flow, tones and a key, and a configuration.
func testConfig(t *testing.T, more string) (file string) {
	t.Helper()
	dir := t.TempDir()
	for _, sub := range []string{"flows", "keys"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := config.CreateMasterKey(filepath.Join(dir, "keys", "master.key"), rand.Reader); err != nil {
		t.Fatal(err)
	}
	for name, hz := range map[string]float64{"low.wav": 440, "high.wav": 1130} {
		if err := testkit.WriteWAV(filepath.Join(dir, "flows", name), testkit.Tone(hz, 500*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	file = filepath.Join(dir, "tandem.yaml")
	for name, content := range map[string]string{
		filepath.Join(dir, "flows", "menu.flow.yaml"): menuFlow,
		file: `
media: { ports: 0-0 }
speech: { engine: none }
entries: { "1": menu, "2": { flow: menu, auth: true } }
` + more,
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

const anyPorts = `http: { listen: "127.0.0.1:0", staff_listen: "127.0.0.1:0", admin_listen: "127.0.0.1:0" }
`

// startServe runs what serve runs and returns where it listens, its log, and its end.
func startServe(t *testing.T) (addr netip.AddrPort, log *text, ended <-chan error) {
	t.Helper()
	loaded, err := config.Load(testConfig(t, anyPorts+`sip: { listen: ["udp://127.0.0.1:0", "tcp://127.0.0.1:0"], users: { alice: wonderland } }`+"\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	log = &text{}
	up, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- serve(ctx, app.Options{Config: loaded, Log: slog.New(slog.NewTextHandler(log, nil)), Version: "test"}, func(a *app.App) error {
			up <- strings.TrimPrefix(a.Addresses()["sip.listen"][0], "udp://")
			return nil
		})
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		for range done { // until it has ended
		}
		if t.Failed() {
			t.Logf("the log:\n%s", log)
		}
	})
	select {
	case a := <-up:
		return netip.MustParseAddrPort(a), log, done
	case err := <-done:
		t.Fatalf("it did not start: %v", err)
	case <-time.After(patience):
		t.Fatal("it did not start")
	}
	return netip.AddrPort{}, nil, nil
}

func TestCall(t *testing.T) {
	addr, _, _ := startServe(t)
	dir := t.TempDir()
	right, wrong := filepath.Join(dir, "right"), filepath.Join(dir, "wrong")
	for file, word := range map[string]string{right: "wonderland\n", wrong: "nonsense\n"} {
		if err := os.WriteFile(file, []byte(word), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	closed := testkit.FreePorts(t, 1)[0]
	for _, tc := range []struct {
		name   string
		args   []string
		status int
		out    string
		tones  map[int]bool
	}{
		{"hangs up by itself", []string{"sip:1@ADDR", "--for", "1s"}, 0, "answered", map[int]bool{440: true, 1130: false}},
		{"its keys reach the flow", []string{"sip:1@ADDR", "--keys", "1 2"}, 0, "ended: hangup by remote", map[int]bool{440: true, 1130: true}},
		{"nobody has that number", []string{"sip:7@ADDR"}, 1, "not answered", nil},
		{"nobody listens there", []string{fmt.Sprintf("sip:1@127.0.0.1:%d;transport=tcp", closed)}, 1, "nobody answers at 127.0.0.1", nil},
		{"nobody listens there by UDP", []string{fmt.Sprintf("sip:1@127.0.0.1:%d", closed)}, 1, "nobody answers at 127.0.0.1", nil},
		{"its time is over", []string{"sip:1@ADDR", "--for", "1s"}, 0, "hung up after 1s (--for)\nended: hangup by us (--for)", map[int]bool{440: true}},
		{"no time", []string{"sip:1@ADDR", "--for", "0s"}, 1, "--for wants a time", nil},
		{"a time without a unit", []string{"sip:1@ADDR", "--for", "5"}, 1, "write 5s for seconds", nil},
		{"no folder to save in", []string{"sip:1@ADDR", "--save", filepath.Join(dir, "none", "x.wav")}, 1, "there is no folder", nil},
		{"a folder to save as", []string{"sip:1@ADDR", "--save", dir}, 1, "is a folder", nil},
		{"who calls is asked", []string{"sip:2@ADDR"}, 1, "not answered", nil},
		{"says who calls", []string{"sip:2@ADDR", "--user", "alice", "--password-file", right, "--for", "1s"}, 0, "answered", map[int]bool{440: true}},
		{"says it wrongly", []string{"sip:2@ADDR", "--user", "alice", "--password-file", wrong}, 1, "not answered", nil},
		{"has no password", []string{"sip:2@ADDR", "--user", "alice", "--password-file", filepath.Join(dir, "none")}, 1, "--password-file", nil},
		{"no such key", []string{"sip:1@ADDR", "--keys", "1x"}, 1, "is no key", nil},
		{"nobody named", nil, 1, "name one address", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := []string{"call"}
			for _, a := range tc.args {
				args = append(args, strings.ReplaceAll(a, "ADDR", addr.String()))
			}
			saved := filepath.Join(t.TempDir(), "heard.wav")
			if tc.tones != nil {
				args = append(args, "--save", saved)
			}
			status, out, errs := tandemRun(args...)
			if status != tc.status || !strings.Contains(out+errs, tc.out) {
				t.Errorf("status %d, said %s%s", status, out, errs)
			}
			if tc.tones == nil {
				return
			}
			pcm, err := testkit.ReadWAV(saved)
			if err != nil {
				t.Fatal(err)
			}
			spans := testkit.Transcript(pcm, 440, 1130)
			for hz, want := range tc.tones {
				if got := testkit.ToneTime(spans, hz) >= 200*time.Millisecond; got != want {
					t.Errorf("%d Hz heard: %v; saved is %s", hz, got, testkit.Describe(spans))
				}
			}
		})
	}
}

// Two of them speak with each other: one waits, takes one call, and saves it.
func TestCallAnswers(t *testing.T) {
	dir := t.TempDir()
	at := fmt.Sprintf("127.0.0.1:%d", testkit.FreePorts(t, 1)[0])
	said, saved := filepath.Join(dir, "said.wav"), filepath.Join(dir, "saved.wav")
	if err := testkit.WriteWAV(said, testkit.Tone(700, 2*time.Second)); err != nil {
		t.Fatal(err)
	}
	out, errs := &text{}, &text{}
	done := make(chan int, 1)
	go func() {
		done <- run(t.Context(), []string{"tandem", "call", "--answer", at, "--save", saved}, strings.NewReader(""), out, errs)
	}()
	out.wait(t, "waiting for a call")
	first, firstDone := &text{}, make(chan int, 1)
	go func() {
		firstDone <- run(t.Context(), []string{"tandem", "call", "sip:x@" + at, "--play", said, "--keys", ", 5", "--for", "7s", "--from", "1234"},
			strings.NewReader(""), first, errs)
	}()
	first.wait(t, "answered")
	if status, o, e := tandemRun("call", "sip:x@"+at); status != 1 || !strings.Contains(o+e, "busy") {
		t.Errorf("a second caller: status %d, %s%s", status, o, e)
	}
	if status := <-firstDone; status != 0 {
		t.Errorf("the caller ended with %d: %s", status, errs)
	}
	select {
	case status := <-done:
		if status != 0 {
			t.Errorf("who answered ended with %d: %s", status, errs)
		}
	case <-time.After(patience):
		t.Fatal("who answered does not end with the call")
	}
	for _, want := range []string{"a call from 1234", "heard key 5", "ended: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("who answered said %s, not %q", out, want)
		}
	}
	pcm, err := testkit.ReadWAV(saved)
	if err != nil {
		t.Fatal(err)
	}
	spans := testkit.Transcript(pcm, 700)
	if testkit.ToneTime(spans, 700) < 1500*time.Millisecond {
		t.Errorf("saved is %s", testkit.Describe(spans))
	}
}

// An address from which nothing comes back is given up after --for.
func TestCallIsGivenUp(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	begun := time.Now()
	status, out, errs := tandemRun("call", "sip:1@"+silent.LocalAddr().String(), "--for", "1s")
	if status != 1 || !strings.Contains(out, "dialling sip:1@") || !strings.Contains(errs, "not answered") {
		t.Errorf("status %d, said %s%s", status, out, errs)
	}
	if took := time.Since(begun); took < time.Second || took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

// Ctrl-C ends a call that was answered as a call, and waiting for none as none.
func TestCallIsInterrupted(t *testing.T) {
	for _, answered := range []bool{false, true} {
		at := fmt.Sprintf("127.0.0.1:%d", testkit.FreePorts(t, 1)[0])
		ctx, interrupt := context.WithCancel(t.Context())
		out, errs := &text{}, &text{}
		done := make(chan int, 1)
		go func() {
			done <- run(ctx, []string{"tandem", "call", "--answer", at}, strings.NewReader(""), out, errs)
		}()
		out.wait(t, "waiting for a call")
		want := 1
		if answered {
			want = 0
			d := testkit.NewPeer(t, "udp", netip.MustParseAddrPort(at)).Call("x", testkit.Options{})
			out.wait(t, "answered")
			interrupt()
			d.WaitBye(patience)
		}
		interrupt()
		select {
		case status := <-done:
			if status != want {
				t.Errorf("answered %v: status %d, said %s%s", answered, status, out, errs)
			}
		case <-time.After(patience):
			t.Fatal("it does not end")
		}
	}
}

// A taken address is named by the key that sets it; the status says that the input
// is at fault.
func TestServeOnATakenPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for key, conf := range map[string]string{
		"http.listen": fmt.Sprintf("http: { listen: %q, staff_listen: \"127.0.0.1:0\", admin_listen: \"127.0.0.1:0\" }\nsip: { listen: [\"udp://127.0.0.1:0\"], users: { a: b } }\n", taken.Addr()),
		"sip.listen":  fmt.Sprintf("%ssip: { listen: [\"udp://%s\"], users: { a: b } }\n", anyPorts, socket.LocalAddr()),
	} {
		status, _, errs := tandemRun("serve", "--config", testConfig(t, conf))
		if status != 1 || !strings.Contains(errs, key) || !strings.Contains(errs, "choose another address") {
			t.Errorf("%s: status %d, said %s", key, status, errs)
		}
	}
}

// The first signal drains, the second ends the calls that are up.
func TestSignals(t *testing.T) {
	addr, log, ended := startServe(t)
	d := testkit.NewPeer(t, "udp", addr).Call("1", testkit.Options{})
	d.RTP.Hear(patience, time.Time{}, 440, 100*time.Millisecond)
	interrupt := func() {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil { // serve takes it
			t.Fatal(err)
		}
	}
	interrupt()
	log.wait(t, "draining")
	p := testkit.NewPeer(t, "udp", addr)
	late := p.NewInvite("1", testkit.Options{})
	p.Send(late.Invite)
	if no := p.Final(testkit.Patience, late.Invite); no.Status() != 503 || no.Get("Retry-After") == "" {
		t.Errorf("while it drains a call gets %s", no.Start)
	}
	interrupt()
	d.WaitBye(testkit.Patience)
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("it does not end")
	}
}

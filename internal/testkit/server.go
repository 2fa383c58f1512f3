package testkit

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"tandem/store"
)

const (
	startTime = 30 * time.Second // until the server says it is ready, on a busy machine
	stopTime  = 15 * time.Second // from SIGTERM to the end, with no call up
	cliTime   = 30 * time.Second // for a command of the program
)

// Build compiles the program into folder dir and returns its path.
func Build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "tandem")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "tandem/cmd/tandem").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return path, nil
}

// Setting changes a configuration read as YAML.
type Setting func(config map[string]any)

// Set sets a value by its path, such as "media.rtp_timeout".
func Set(path string, value any) Setting {
	return func(config map[string]any) {
		names := strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			inner, ok := config[name].(map[string]any)
			if !ok {
				inner = map[string]any{}
				config[name] = inner
			}
			config = inner
		}
		config[names[len(names)-1]] = value
	}
}

// Server is the program as a process of its own, with ports found free and a store
// that outlives it until the test's end.
type Server struct {
	SIP     netip.AddrPort // UDP and TCP
	HTTP    netip.AddrPort // customers
	Staff   netip.AddrPort
	Admin   netip.AddrPort
	Store   string // folder of database and recordings
	Config  string // the configuration as written for this server
	binary  string
	process *child
	log     *lockedBuffer

	looking sync.Mutex
	looked  time.Time       // when seen was read
	seen    []store.Summary // the newest list of interactions
}

// NewServer writes a configuration made from the file base, with addresses, store
// and key of its own and the settings on top, and starts the server.
func NewServer(t testing.TB, binary, base string, settings ...Setting) *Server {
	t.Helper()
	dir := t.TempDir()
	ports := FreePorts(t, 4)
	s := &Server{binary: binary, Store: filepath.Join(dir, "data"), Config: filepath.Join(dir, "tandem.yaml"), log: &lockedBuffer{}}
	for i, a := range []*netip.AddrPort{&s.SIP, &s.HTTP, &s.Staff, &s.Admin} {
		*a = Loopback(ports[i])
	}
	own := []Setting{
		Set("sip.listen", []string{"udp://" + s.SIP.String(), "tcp://" + s.SIP.String()}),
		Set("http.listen", s.HTTP.String()), Set("http.staff_listen", s.Staff.String()), Set("http.admin_listen", s.Admin.String()),
		Set("limits.drain", "2s"), // a call that a failed test left up keeps nobody waiting
		Set("store.path", filepath.Join(s.Store, "tandem.db")), Set("store.blobs", filepath.Join(s.Store, "blobs")),
		Set("store.checkpoints", filepath.Join(dir, "checkpoints")), Set("store.master_key", filepath.Join(dir, "keys", "master.key")),
	}
	config, err := writeConfig(base, s.Config, append(own, settings...))
	if err != nil {
		t.Fatal(err)
	}
	if path, ok := lookUp(config, "store", "path").(string); ok {
		s.Store = filepath.Dir(path)
	}
	if err := writeKey(filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	s.Start(t)
	t.Cleanup(func() {
		if s.process == nil {
			return
		}
		if err := s.process.end(stopTime); err != nil {
			t.Errorf("ending the server: %v", err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.log)
		}
	})
	return s
}

// NewDemo starts the demo in a folder of its own on free ports and waits until it
// has said where it listens.
func NewDemo(t testing.TB, binary string) *Server {
	t.Helper()
	s := &Server{binary: binary, log: &lockedBuffer{}}
	cmd := exec.Command(binary, "demo", "--temporary", "--json")
	cmd.Stderr = s.log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.process = run(t, "the demo", cmd, s.log)
	var said struct {
		Addresses map[string][]string `json:"addresses"`
		Config    string              `json:"config"`
	}
	read := make(chan error, 1)
	go func() { read <- json.NewDecoder(stdout).Decode(&said) }()
	select {
	case err := <-read:
		if err != nil {
			t.Fatalf("the demo did not say where it listens: %v\n%s", err, s.log)
		}
	case <-time.After(startTime):
		t.Fatalf("the demo said nothing in %v\n%s", startTime, s.log)
	}
	s.Config = said.Config
	for name, a := range map[string]*netip.AddrPort{"sip.listen": &s.SIP, "http.listen": &s.HTTP, "http.staff_listen": &s.Staff, "http.admin_listen": &s.Admin} {
		if len(said.Addresses[name]) == 0 {
			t.Fatalf("the demo has no %s: %v", name, said.Addresses)
		}
		address := said.Addresses[name][0]
		if _, after, ok := strings.Cut(address, "://"); ok {
			address = after
		}
		if *a, err = netip.ParseAddrPort(address); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.ready(startTime); err != nil {
		t.Fatalf("the demo: %v\n%s", err, s.log)
	}
	return s
}

func lookUp(config map[string]any, group, name string) any {
	inner, _ := config[group].(map[string]any)
	return inner[name]
}

func writeConfig(base, path string, settings []Setting) (map[string]any, error) {
	raw, err := os.ReadFile(base)
	if err != nil {
		return nil, err
	}
	config := map[string]any{}
	if err := yaml.Unmarshal(raw, &config); err != nil {
		return nil, fmt.Errorf("reading %s: %w", base, err)
	}
	// Relative paths count from the file's folder, and the file moves.
	if flows, ok := lookUp(config, "flows", "dir").(string); ok && !filepath.IsAbs(flows) {
		absolute, err := filepath.Abs(filepath.Join(filepath.Dir(base), flows))
		if err != nil {
			return nil, err
		}
		Set("flows.dir", absolute)(config)
	}
	for _, set := range settings {
		set(config)
	}
	raw, err = yaml.Marshal(config)
	if err != nil {
		return nil, err
	}
	return config, os.WriteFile(path, raw, 0o600)
}

func writeKey(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	return os.WriteFile(filepath.Join(dir, "master.key"), []byte(base64.StdEncoding.EncodeToString(key[:])+"\n"), 0o600)
}

// Start starts the server and waits until it is ready. It fails the test with the
// server's log when it is not.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := os.MkdirAll(s.Store, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(s.binary, "serve", "--config", s.Config)
	cmd.Stdout, cmd.Stderr = s.log, s.log
	process, err := start(cmd)
	if err != nil {
		t.Fatalf("starting the server: %v", err)
	}
	s.process = process
	s.Ready(t)
}

// Ready waits until the server takes calls.
func (s *Server) Ready(t testing.TB) {
	t.Helper()
	if err := s.ready(startTime); err != nil {
		t.Fatalf("the server: %v\n%s", err, s.log)
	}
}

func (s *Server) ready(wait time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		var last error
		if code, err := HTTPStatus(ctx, "http://"+s.Admin.String()+"/readyz"); err != nil {
			last = err
		} else if code == http.StatusOK {
			return nil
		} else {
			last = fmt.Errorf("/readyz answers %d", code)
		}
		select {
		case <-s.process.done:
			return fmt.Errorf("ended before it was ready: %w", errors.Join(s.process.err, last))
		case <-ctx.Done():
			return fmt.Errorf("not ready in %v: %w", wait, last)
		case <-retry.C:
		}
	}
}

// HTTPStatus gets a page and returns its status only.
func HTTPStatus(ctx context.Context, url string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// PID is the server's process id.
func (s *Server) PID() int { return s.process.cmd.Process.Pid }

// Log is the newest of what the server wrote.
func (s *Server) Log() string { return s.log.String() }

// Kill ends the server at once, as a crash would. Start brings it back on the same
// store and addresses.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.process.kill(); err != nil {
		t.Fatalf("killing the server: %v", err)
	}
}

// Stop asks the server to end and waits for it; it fails the test unless it ended
// of itself with status 0.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("stopping the server: %v", err)
	}
	select {
	case <-s.process.done:
		if s.process.err != nil {
			t.Fatalf("the server's end: %v\n%s", s.process.err, s.log)
		}
	case <-time.After(stopTime):
		t.Fatalf("the server did not end in %v\n%s", stopTime, s.log)
	}
}

// Alive reports whether the process runs.
func (s *Server) Alive() bool {
	select {
	case <-s.process.done:
		return false
	default:
		return true
	}
}

// Command runs a command of the program, such as "interactions", "list", with this
// server's configuration, and returns its output, its error output and its exit status.
func (s *Server) Command(t testing.TB, args ...string) (out, errs string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), cliTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.binary, append(args, "--config", s.Config)...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("tandem %s: %v", strings.Join(args, " "), err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

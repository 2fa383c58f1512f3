package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// simulated runs the simulator until the test ends; it returns what it says of itself.
func simulated(t *testing.T, args ...string) (said struct {
	Page, Gateway, Target, Kind, Secret, Account string
	Numbers                                      []string
}) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	errs := &bytes.Buffer{}
	var status int
	var running sync.WaitGroup
	running.Go(func() {
		status = run(ctx, append([]string{"tandem", "simulate", "sms", "--listen", "127.0.0.1:0", "--json"}, args...), strings.NewReader(""), in, errs)
		in.Close()
	})
	t.Cleanup(func() {
		stop()
		running.Wait()
		if status != 0 {
			t.Errorf("status %d: %s", status, errs)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	if err := json.NewDecoder(out).Decode(&said); err != nil {
		stop()
		running.Wait()
		t.Fatalf("%v: %s", err, errs)
	}
	return said
}

func TestSimulateSMS(t *testing.T) {
	got := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		got <- r
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "secret")
	said := simulated(t, "--target", server.URL+"/api/v1/sms/first", "--number", "+861055550199", "--secret-file", file, "--delay", "0s")
	if said.Kind != "webhook" || said.Gateway != said.Page+"webhook" || said.Secret != "" || len(said.Numbers) != 1 || said.Numbers[0] != "+861055550199" {
		t.Errorf("%+v", said)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's file: %v %v", info, err)
	}
	for path, want := range map[string]int{"": 200, "phones": 200, "knobs": 200, "nothing": 404} {
		resp, err := http.Get(said.Page + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("/%s: %d", path, resp.StatusCode)
		}
	}
	resp, err := http.Post(said.Page+"phones/+8613800000001/reply", "application/json", strings.NewReader(`{"text":"你好"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	select {
	case r := <-got:
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/api/v1/sms/first" || !strings.Contains(string(body), `"text":"你好"`) || !strings.HasPrefix(r.Header.Get("webhook-signature"), "v1,") {
			t.Errorf("%s %s %v", r.URL, body, r.Header)
		}
	case <-time.After(10 * time.Second):
		t.Error("the reply did not come")
	}
}

func TestSimulateTwilio(t *testing.T) {
	said := simulated(t, "--kind", "twilio", "--target", "http://127.0.0.1:1/api/v1/sms/first", "--account", "AC1")
	if said.Kind != "twilio" || said.Gateway+"/" != said.Page || !strings.HasPrefix(said.Secret, "whsec_") || said.Account != "AC1" {
		t.Errorf("%+v", said)
	}
}

func TestSimulateAGatewayOfTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tandem.yaml"), []byte(`
http: { listen: "127.0.0.1:9999" }
sms: { gateways: { phones: { kind: webhook, url: "http://127.0.0.1:8091/webhook", secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, numbers: ["+861055550100"] }, real: { kind: twilio, url: "https://api.twilio.com", account: AC1, token: t, numbers: ["+15005550006"] } } }
`), 0o600); err != nil {
		t.Fatal(err)
	}
	said := simulated(t, "--config", filepath.Join(dir, "tandem.yaml"), "--gateway", "phones")
	if said.Target != "http://127.0.0.1:9999/api/v1/sms/phones" || said.Secret != "" || said.Numbers[0] != "+861055550100" {
		t.Errorf("%+v", said)
	}
	for gateway, want := range map[string]string{"phone": "did you mean --gateway phones?", "real": "for the simulator write http://127.0.0.1:8091 there", "other": "has no sms.gateways.other"} {
		status, _, errs := tandemRun("simulate", "sms", "--config", filepath.Join(dir, "tandem.yaml"), "--gateway", gateway)
		if status != 1 || !strings.Contains(errs, want) {
			t.Errorf("%s: %d %s", gateway, status, errs)
		}
	}
}

func TestSimulateMistakes(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	bad := filepath.Join(t.TempDir(), "bad")
	if err := os.WriteFile(bad, []byte("guess"), 0o600); err != nil {
		t.Fatal(err)
	}
	target := []string{"--target", "http://127.0.0.1:1/api/v1/sms/first"}
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "say where replies go with --target"},
		{[]string{"--target", "first"}, "say where replies go with --target"},
		{append(target, "--kind", "pigeon"), "--kind is webhook or twilio"},
		{append(target, "--fail", "2"), "fail is a chance from 0 to 1"},
		{append(target, "--listen", "8091"), "is not HOST:PORT"},
		{append(target, "--listen", taken.Addr().String()), "end what uses it, or choose another with --listen"},
		{append(target, "--secret-file", bad), "whsec_ and 24 to 64 bytes"},
		{append(target, "--gateway", "x"), "leave out --target"},
		{append(target, "--dellay", "1s"), "did you mean --delay?"},
		{append(target, "now"), "one argument too many"},
	} {
		status, _, errs := tandemRun(append([]string{"simulate", "sms"}, c.args...)...)
		if status != 1 || !strings.Contains(errs, c.want) {
			t.Errorf("%v: %d %s", c.args, status, errs)
		}
	}
}

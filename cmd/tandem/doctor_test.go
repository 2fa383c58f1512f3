package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tandem/internal/config"
)

// patientWith parses a configuration in a folder of its own and goes there.
func patientWith(t *testing.T, yaml string) *patient {
	t.Helper()
	t.Chdir(t.TempDir())
	loaded, err := config.Parse("tandem.yaml", []byte(yaml), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &patient{Loaded: loaded}
}

// has reports whether a finding came out so, with these words in it.
func has(all []finding, check string, v verdict, words string) bool {
	for _, f := range all {
		if f.Check == check && f.Verdict == v && strings.Contains(f.Found+" → "+f.Do, words) {
			return true
		}
	}
	return false
}

func TestDoctorListeners(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	takenUDP, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer takenUDP.Close()
	p := patientWith(t, `
http: { listen: "`+taken.Addr().String()+`", staff_listen: "127.0.0.1:0", admin_listen: "127.0.0.2:0" }
sip: { listen: ["udp://`+takenUDP.LocalAddr().String()+`", "tcp://192.0.2.99:5060"] }`)
	all := checkListeners(context.Background(), p)
	for _, want := range []struct {
		check string
		v     verdict
		words string
	}{
		{"http.listen", fail, "taken by another program"}, {"http.staff_listen", ok, "free"}, {"http.admin_listen", ok, "free"},
		{"sip udp", fail, "taken by another program"}, {"sip tcp", fail, "no address of this machine"},
	} {
		if !has(all, want.check, want.v, want.words) {
			t.Errorf("%s is not %s with %q: %+v", want.check, want.v, want.words, all)
		}
	}
	p.running = true
	if all := checkListeners(context.Background(), p); !has(all, "http.listen", ok, "running server") {
		t.Errorf("beside the running server: %+v", all)
	}
}

func TestDoctorMediaAndAddresses(t *testing.T) {
	for name, test := range map[string]struct {
		yaml  string
		check func(context.Context, *patient) []finding
		v     verdict
		words string
	}{
		"too few ports": {"media: { ports: 20000-20009 }\nlimits: { calls: 6 }", checkMediaPorts, fail, "5 pairs, limits.calls is 6"},
		"just enough":   {"media: { ports: 20000-20009 }\nlimits: { calls: 5 }", checkMediaPorts, ok, "5 calls fit"},
		"odd range":     {"media: { ports: 20001-20009 }\nlimits: { calls: 5 }", checkMediaPorts, fail, "4 pairs"},
		"any port":      {"media: { ports: 0-0 }", checkMediaPorts, warn, "firewall"},
		"not ours":      {"media: { address: 192.0.2.99 }", checkMediaPorts, fail, "can be opened"},
		"loopback":      {"", checkPublicAddress, ok, "this machine only"},
		"told loopback": {"sip: { listen: [\"udp://0.0.0.0:5060\"] }\nmedia: { public_address: 127.0.0.1 }", checkPublicAddress, fail, "cannot reach"},
		"told private":  {"sip: { listen: [\"udp://0.0.0.0:5060\"] }\nmedia: { public_address: 10.1.2.3 }", checkPublicAddress, warn, "own network"},
		"no voice":      {"", checkBrowsers, warn, "off"},
		"plain page":    {"http: { public_url: \"http://bank.example\" }\nwebrtc: { listen: \"127.0.0.1:0\" }", checkMicrophone, fail, "http://bank.example"},
		"udp alone":     {"webrtc: { listen: \"0.0.0.0:0\" }", checkWayIn, warn, "no UDP"},
		"voice":         {"webrtc: { listen: \"127.0.0.1:0\" }", checkBrowsers, ok, "is free"},
		"told public":   {"sip: { listen: [\"udp://0.0.0.0:5060\"] }\nmedia: { public_address: 203.0.113.9 }", checkPublicAddress, ok, "203.0.113.9"},
		"checkpoints":   {"", checkCheckpoints, ok, "checkpoints will be made at the first start"},
		"beside the db": {"store: { checkpoints: data/c }", checkCheckpoints, warn, "another disk"},
		"no folder":     {"store: { checkpoints: /proc/none/c }", checkCheckpoints, fail, "set store.checkpoints"},
		"no flows":      {"", checkFlows, fail, "no folder"},
		"key in store":  {"store: { master_key: data/key }", checkKey, fail, "lies in the store's folder"},
		"no entries":    {"", checkEntries, warn, "none"},
		"no key":        {"", checkKey, fail, "make one"},
		"no store yet":  {"", checkStore, ok, "first start"},
		"too many":      {"limits: { calls: 100000000 }", checkFiles, fail, "ulimit -n"},
		"clock":         {"", checkClock, "", ""},
		"disk":          {"", checkDisk, "", "GiB free"},
	} {
		t.Run(name, func(t *testing.T) {
			all := test.check(context.Background(), patientWith(t, test.yaml))
			if len(all) != 1 || !strings.Contains(all[0].Found+" "+all[0].Do, test.words) || (test.v != "" && all[0].Verdict != test.v) {
				t.Errorf("want one %s with %q, got %+v", test.v, test.words, all)
			}
			for _, f := range all {
				if (f.Verdict == ok) != (f.Do == "") {
					t.Errorf("what to do goes with warn and fail: %+v", f)
				}
			}
		})
	}
}

func TestDoctorFlows(t *testing.T) {
	p := patientWith(t, "flows: { dir: f }\nentries: { \"1\": hello, \"2\": helo }")
	if err := os.Mkdir("f", 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(filepath.Join("f", "hello.flow.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("flow: hello\nchannels: [voice]\nlanguages: [en]\nstart: hi\nsteps:\n  hi: { say: { en: Hello. }, next: end }\n")
	if all := checkFlows(context.Background(), p); !has(all, "flows", ok, "1 flow") {
		t.Fatalf("a right flow: %+v", all)
	}
	if all := checkEntries(context.Background(), p); !has(all, "entries", fail, `tandem.yaml:2:24: entry "2": there is no flow "helo" in f; did you mean hello?`) || has(all, "entries", fail, `"1"`) {
		t.Errorf("an entry without its flow: %+v", all)
	}
	write("flow: hello\nchannels: [voice]\nlanguages: [en]\nstart: hi\nsteps:\n  hi: { say: { en: Hello. }, nxt: end }\n")
	if all := checkFlows(context.Background(), p); !has(all, "flows", fail, "hello.flow.yaml:6:") {
		t.Errorf("a wrong flow: %+v", all)
	}
}

func TestDoctorStoreWithAnotherKey(t *testing.T) {
	journalWithCalls(t)
	loaded, err := config.Load("tandem.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &patient{Loaded: loaded}
	if all := checkStore(context.Background(), p); !has(all, "store", ok, "opens") {
		t.Errorf("a right store: %+v", all)
	}
	if err := os.Remove("keys/master.key"); err != nil {
		t.Fatal(err)
	}
	if err := config.CreateMasterKey("keys/master.key", rand.Reader); err != nil {
		t.Fatal(err)
	}
	if all := checkStore(context.Background(), p); !has(all, "store", fail, "another master key") {
		t.Errorf("a store under another key: %+v", all)
	}
}

func TestDoctorDisks(t *testing.T) {
	for blobs, want := range map[string]int{"data/blobs": 1, "data": 1, "data2": 2, "blobs": 2} {
		p := patientWith(t, "store: { path: data/t.db, blobs: "+blobs+" }")
		if all := checkDisk(context.Background(), p); len(all) != want {
			t.Errorf("objects in %s: %+v, want %d disks", blobs, all, want)
		}
	}
}

// A wrong key file is said once, with its own advice.
func TestDoctorSaysAKeysFaultOnce(t *testing.T) {
	journalWithCalls(t)
	if err := os.Chmod("keys/master.key", 0o644); err != nil {
		t.Fatal(err)
	}
	out := expect(t, 1, "doctor", "fail  master key", "→ run: chmod 600", "warn  store", "was not opened")
	if n := strings.Count(out, "can be read or changed by others"); n != 1 {
		t.Errorf("the key's mode is told %d times:\n%s", n, out)
	}
}

func TestDoctorReportsAndExits(t *testing.T) {
	t.Chdir(t.TempDir())
	expect(t, 1, "doctor", "warn  configuration", "fail  master key", "→ make one")
	var all []finding
	if err := json.Unmarshal([]byte(expect(t, 1, "doctor --json")), &all); err != nil || !has(all, "master key", fail, "make one") {
		t.Errorf("as JSON: %+v, %v", all, err)
	}
}

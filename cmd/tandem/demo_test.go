package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tandem/internal/config"
)

// A second demo tells of the first, and of anything else only that the port is taken.
func TestSecondDemo(t *testing.T) {
	for _, tc := range []struct{ body, want string }{
		{`{"demo": true}`, "a demo serves already"},
		{`{"demo": false}`, "the mock core bank cannot listen"},
		{`hello`, "the mock core bank cannot listen"},
	} {
		taken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(tc.body)) }))
		addr := strings.TrimPrefix(taken.URL, "http://")
		dir := t.TempDir()
		place := demoPlace{SIP: "127.0.0.1:0", HTTP: addr, Staff: "127.0.0.1:0", Admin: "127.0.0.1:0", Core: addr, Agent: "127.0.0.1:5090", Phones: "127.0.0.1:0", Street: "127.0.0.1:5091", Voice: "127.0.0.1:0"}
		if err := writeMissing(dir+"/"+usualConfig, place); err != nil {
			t.Fatal(err)
		}
		status, _, errs := tandemRun("demo", "--dir", dir)
		if status != 1 || !strings.Contains(errs, tc.want) {
			t.Errorf("beside %s: status %d, said %s", tc.body, status, errs)
		}
		taken.Close()
	}
}

func TestDemoConfig(t *testing.T) {
	dir := t.TempDir()
	if _, err := prepareDemo(dir, true); err != nil {
		t.Fatal(err)
	}
	loaded, err := config.Load(dir+"/"+usualConfig, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e, ok := config.Match(loaded.Entries, "95599"); !ok || e.Flow != "hotline" || !e.Record {
		t.Errorf("95599 leads to %+v", e)
	}
}

func TestDemoWords(t *testing.T) {
	if got := shellWord("sip:1@127.0.0.1:5060;transport=tcp"); got != "'sip:1@127.0.0.1:5060;transport=tcp'" {
		t.Error(got)
	}
	if got := shellWord("sip:1@127.0.0.1:5060"); got != "sip:1@127.0.0.1:5060" {
		t.Error(got)
	}
	if got := bankDay(time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC)); got != "2026-11-23" {
		t.Error(got)
	}
}

package engine_test

import (
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/read"
)

// now is told in the zone of the flow's calendars, or of those of the flow that called
// it, if that is one zone.
func TestZoneOfNow(t *testing.T) {
	calendar := func(name, zone string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("calendar: " + name + "\ntime_zone: " + zone + "\nweekly: { mon-sun: \"00:00-24:00\" }\n")}
	}
	const head = "channels: [voice]\nlanguages: [en]\n"
	for _, tt := range []struct{ name, start, want string }{
		{"by hours", "start: a\nsteps:\n  a: { hours: { calendar: shanghai }, next: told }\n", "2026-11-23 04:00"},
		{"by in_hours", "start: a\nsteps:\n  a: { branch: [ { if: \"in_hours('shanghai')\", go: told } ], next: { else: end } }\n", "2026-11-23 04:00"},
		{"two of one zone", "start: a\nsteps:\n  a: { hours: { calendar: shanghai }, next: b }\n  b: { hours: { calendar: pudong }, next: told }\n", "2026-11-23 04:00"},
		{"two zones", "start: a\nsteps:\n  a: { hours: { calendar: shanghai }, next: b }\n  b: { hours: { calendar: london }, next: told }\n", "2026-11-22 21:00"},
		{"none", "start: told\nsteps:\n", "2026-11-22 21:00"},
		{"of the caller", "start: a\nsteps:\n  a: { hours: { calendar: shanghai }, next: b }\n  b: { subflow: { name: child }, next: told }\n", "2026-11-23 04:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lib, found := read.FS(fstest.MapFS{
				"shanghai.calendar.yaml": calendar("shanghai", "Asia/Shanghai"), "pudong.calendar.yaml": calendar("pudong", "Asia/Shanghai"),
				"london.calendar.yaml": calendar("london", "Europe/London"),
				"child.flow.yaml":      {Data: []byte("flow: child\n" + head + "outcomes: [done]\nstart: told\nsteps:\n  told: { say: { en: \"${date(now)} ${time(now)}\" }, next: over }\n  over: { end: { as: done } }\n")},
				"x.flow.yaml":          {Data: []byte("flow: x\n" + head + tt.start + "  told: { say: { en: \"${date(now)} ${time(now)}\" }, next: end }\n")},
			}, read.Options{Now: monday})
			if lib == nil {
				t.Fatal(found)
			}
			server := time.FixedZone("", 3600)
			_, effects, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice}, nil, time.Date(2026, 11, 22, 21, 0, 0, 0, server))
			if err != nil {
				t.Fatal(err)
			}
			told := 0
			for _, e := range effects {
				if p, ok := e.(flow.Play); ok {
					told++
					var b strings.Builder
					for _, part := range p.Parts {
						if part.Value == "" {
							part.Value = part.Text
						}
						b.WriteString(part.Value)
					}
					if b.String() != tt.want {
						t.Errorf("told %s, want %s", b.String(), tt.want)
					}
				}
			}
			if told == 0 {
				t.Error("nothing was told")
			}
		})
	}
}

// Settings are made fit for expressions once, and what the reader was given may change
// afterwards.
func TestSettingsOfALibrary(t *testing.T) {
	given := map[string]any{"limit": 1.5, "desk": map[string]any{"number": uint64(7)}}
	lib, _ := read.FS(fstest.MapFS{}, read.Options{Settings: given, Now: monday})
	limit, err := expression.ParseNumber("1.5")
	if err != nil {
		t.Fatal(err)
	}
	given["desk"].(map[string]any)["number"] = "changed"
	if want := (map[string]any{"limit": limit, "desk": map[string]any{"number": 7}}); lib == nil || !reflect.DeepEqual(lib.Settings, want) {
		t.Errorf("got %v, want %v", lib, want)
	}
}

package app

import (
	"testing"
	"testing/fstest"

	"tandem/ivr/flow/read"
)

// TestZoneOf: times about a queue are read in the zone of its hours, else in the one zone of
// the calendars that there are.
func TestZoneOf(t *testing.T) {
	calendar := func(name, zone string) string {
		return "calendar: " + name + "\ntime_zone: " + zone + "\nweekly: { mon: \"09:00-18:00\" }\n"
	}
	one := map[string]string{"a.calendar.yaml": calendar("a", "Asia/Shanghai"), "q.queues.yaml": "queues: { q: { hours: a }, r: {} }\n"}
	two := map[string]string{"a.calendar.yaml": calendar("a", "Asia/Shanghai"), "b.calendar.yaml": calendar("b", "Europe/Lisbon"), "q.queues.yaml": "queues: { q: { hours: b }, r: {} }\n"}
	for _, test := range []struct {
		files       map[string]string
		queue, want string
	}{{one, "q", "Asia/Shanghai"}, {one, "r", "Asia/Shanghai"}, {one, "gone", "Asia/Shanghai"}, {two, "q", "Europe/Lisbon"}, {two, "r", ""}} {
		files := fstest.MapFS{}
		for name, text := range test.files {
			files[name] = &fstest.MapFile{Data: []byte(text)}
		}
		lib, ds := read.FS(files, read.Options{})
		if lib == nil {
			t.Fatal(ds)
		}
		got := ""
		if zone := zoneIn(lib, test.queue); zone != nil {
			got = zone.String()
		}
		if got != test.want {
			t.Errorf("queue %s: %q, want %q", test.queue, got, test.want)
		}
	}
}

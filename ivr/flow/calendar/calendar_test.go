package calendar_test

import (
	"slices"
	"testing"
	"time"

	"tandem/ivr/flow"
	"tandem/ivr/flow/calendar"
	"tandem/ivr/flow/source"
)

const text = `calendar: office
time_zone: Asia/Shanghai
weekly:
  mon-fri: "09:00-12:00, 13:00-24:00"
  sat: closed
holidays:
  - { date: 2026-11-22, name: { en: Yesterday } }
  - { date: 2026-11-23, name: { en: Today, zh-CN: 今天 } }
overrides:
  2026-12-31: "09:00-15:00"
`

func TestRead(t *testing.T) {
	f := source.New("office.calendar.yaml", "flows/office.calendar.yaml")
	if !f.Parse([]byte(text)) {
		t.Fatal(f.Found())
	}
	// Still the 22nd in UTC, the 23rd in Shanghai.
	c := calendar.Read(f, time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC))
	if c.Name != "office" || c.Zone.String() != "Asia/Shanghai" || f.Broken() {
		t.Errorf("name %q, zone %s, found %v", c.Name, c.Zone, f.Found())
	}
	day := []flow.Span{{From: 540, Until: 720}, {From: 780, Until: 1440}}
	for d := time.Sunday; d <= time.Saturday; d++ {
		want := day
		if d == time.Sunday || d == time.Saturday {
			want = nil
		}
		if !slices.Equal(c.Weekly[d], want) {
			t.Errorf("%s: open %v, want %v", d, c.Weekly[d], want)
		}
	}
	if got := c.Overrides["2026-12-31"]; !slices.Equal(got, []flow.Span{{From: 540, Until: 900}}) {
		t.Errorf("override %v", got)
	}
	if today := c.Holidays["2026-11-23"]; len(c.Holidays) != 2 || today == nil || today.ByLang["zh-CN"] == nil {
		t.Errorf("holidays %v", c.Holidays)
	}
	if found := f.Found(); len(found) != 1 || found[0].Rule != "expired-holiday" || found[0].Line != 7 {
		t.Errorf("found %v, want yesterday's holiday expired", found)
	}
}

func TestReadReportsMistakes(t *testing.T) {
	for hours, rule := range map[string]string{
		"weekly: { fry: closed }":                       "weekday",
		"weekly: { mon: closed, fri-mon: closed }":      "duplicate-name",
		"weekly: { mon: \"9:00-18:00\" }":               "hours",
		"weekly: { mon: \"18:00-09:00\" }":              "hours",
		"weekly: { mon: \"09:00-24:01\" }":              "hours",
		"weekly: { mon: \"09:00-12:00, 11:00-13:00\" }": "hours",
		"weekly: {}\noverrides: { tomorrow: closed }":   "date",
	} {
		f := source.New("x.calendar.yaml", "x.calendar.yaml")
		if !f.Parse([]byte("calendar: x\ntime_zone: UTC\n" + hours + "\n")) {
			t.Fatal(f.Found())
		}
		calendar.Read(f, time.Now())
		if found := f.Found(); len(found) != 1 || found[0].Rule != rule {
			t.Errorf("%s: found %v, want %s", hours, found, rule)
		}
	}
}

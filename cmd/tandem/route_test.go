package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tandem/bridge/route/whatif"
)

const dayPlan = `from: 2026-11-23T09:00:00+08:00
hours: 8
answer: 3s
streams:
  - { queue: front_door, kind: call, per_hour: [6, 14, 20, 14], talk: 4m, spread: 1, wrap: 30s, patience: 4m, skills: ["lang:en"], level: gold }
  - { queue: front_door, kind: chat, per_hour: [12], talk: 8m }
shifts: { anna: ["09:00-12:30"], bo: ["12:00-17:00"] }
`

// A planned day goes through the sample's policy; the picture is drawn, figures are the
// same each time, and two policies stand beside each other.
func TestRouteSimulate(t *testing.T) {
	dir := t.TempDir()
	plan, svg := filepath.Join(dir, "day.yaml"), filepath.Join(dir, "day.svg")
	if err := os.WriteFile(plan, []byte(dayPlan), 0o644); err != nil {
		t.Fatal(err)
	}
	status, first, errOut := tandemRun("route", "simulate", "../../flows", "--plan", plan, "--plot", svg)
	if status != exitFine || !strings.Contains(first, "front_door") || !strings.Contains(first, "occupancy: anna") {
		t.Fatalf("status %d\n%s%s", status, first, errOut)
	}
	if picture, err := os.ReadFile(svg); err != nil || !strings.HasPrefix(string(picture), "<svg") {
		t.Errorf("the picture: %v", err)
	}
	if _, again, _ := tandemRun("route", "simulate", "--plan", plan, "../../flows"); again != first {
		t.Errorf("the second time it says\n%s", again)
	}
	_, out, _ := tandemRun("route", "simulate", "--plan", plan, "--json", "../../flows", "../../flows/.")
	var reports map[string]whatif.Report
	if err := json.Unmarshal([]byte(out), &reports); err != nil || len(reports) != 2 {
		t.Errorf("%v in %s", err, out)
	}
}

func TestRouteSimulateRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tc := range []struct{ args, says string }{
		{"../../flows", "--plan FILE"},
		{"../../flows --plan " + write("a", strings.Replace(dayPlan, "talk: 8m", "", 1)), "stream 2: talk: write"},
		{"../../flows --plan " + write("b", strings.Replace(dayPlan, "hours: 8", "hour: 8", 1)), "hour"},
		{"../../flows --plan " + write("c", strings.Replace(dayPlan, "front_door, kind: chat", "backdoor, kind: chat", 1)), `no queue "backdoor"`},
		{"../../flows --plan " + write("d", strings.Replace(dayPlan, "09:00-12:30", "12:30-09:00", 1)), "no part of a day"},
		{"../../flows --plan " + write("e", strings.Replace(dayPlan, "talk: 4m", "talk: four", 1)), "no time"},
		{"../../flows --plan " + write("g", strings.Replace(dayPlan, "kind: chat", "kind: phone", 1)), `kind: "phone" is none of call`},
		{"../../flows --plan " + write("h", strings.Replace(dayPlan, "anna:", "zoe:", 1)), `no agent "zoe"`},
		{dir + " --plan " + write("f", dayPlan), "no routing policy"},
		{"--plan " + filepath.Join(dir, "none") + " ../../flows", "reading the plan"},
	} {
		if status, _, errOut := tandemRun(append([]string{"route", "simulate"}, strings.Fields(tc.args)...)...); status != exitInput || !strings.Contains(errOut, tc.says) {
			t.Errorf("%s: status %d, %s", tc.args, status, errOut)
		}
	}
}

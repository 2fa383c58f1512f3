package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFlowSchema(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir) // away from any configuration
	writeFlow(t, dir, "x.calendar.yaml", "calendar: head_office\ntime_zone: UTC\nweekly: {}\n")
	schema := func(args ...string) (status int, out, errOut string) {
		var stdout, stderr bytes.Buffer
		status = run(context.Background(), append([]string{"tandem", "flow", "schema"}, args...), strings.NewReader(""), &stdout, &stderr)
		return status, stdout.String(), stderr.String()
	}
	for _, c := range []struct {
		args     []string
		status   int
		has, not string
	}{
		{nil, exitFine, "Offers choices.", "head_office"},
		{[]string{"--names", "."}, exitFine, "head_office", "提供选项"},
		{[]string{"--lang", "zh-CN"}, exitFine, "提供选项", "Offers"},
		{[]string{"--kind", "calendar"}, exitFine, "time_zone", "menu"},
		{[]string{"--kind", "poem"}, exitInput, `there is no kind of file "poem"`, "$schema"},
		{[]string{"--names", "nowhere"}, exitInput, "the names in nowhere cannot be read", "$schema"},
		{[]string{"--lang", "fr"}, exitInput, "no descriptions in", "$schema"},
		{[]string{"more"}, exitInput, "one argument too many", "$schema"},
		{[]string{"--reference"}, exitFine, "# The flow language", "allOf"},
	} {
		status, out, errOut := schema(c.args...)
		if status != c.status || !strings.Contains(out+errOut, c.has) || strings.Contains(out+errOut, c.not) {
			t.Errorf("%v: status %d\n%.2000s%s", c.args, status, out, errOut)
		}
		if strings.HasPrefix(out, "{") && !json.Valid([]byte(out)) {
			t.Errorf("%v: no JSON", c.args)
		}
	}
	if status, out, errOut := schema("-o", "flow.schema.json"); status != exitFine || out+errOut != "" {
		t.Errorf("status %d: %s%s", status, out, errOut)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "flow.schema.json")); err != nil || !json.Valid(data) {
		t.Errorf("the file: %v", err)
	}
}

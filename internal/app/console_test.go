package app

import (
	"strings"
	"testing"
)

// Whoever watches a console sees mistakes as the checker prints them, line by line,
// and in the demo that a good save is in use.
func TestConsole(t *testing.T) {
	t.Parallel()
	console := &lines{}
	s := newServerWith(t, setup{before: func(a *App) { a.o.Console, a.o.Demo = console, true }})
	shows := func(words string) {
		t.Helper()
		until(t, "on the console: "+words, func() bool { return strings.Contains(console.String(), words) })
	}
	write(t, s.path("flows/high.flow.yaml"), "flow: high\nchannels: [voice]\nlanguages: [en]\nstart: hello\nsteps:\n  hello: { say: { en: Hello }, next: ends }\n")
	shows("error[unknown-step]: there is no step `ends`\n")
	if strings.Contains(s.log.String(), "unknown-step") || !strings.Contains(s.log.String(), "the old ones go on serving") {
		t.Errorf("the log has\n%s", s.log)
	}
	write(t, s.path("flows/high.flow.yaml"), "flow: high\nchannels: [voice]\nlanguages: [en]\nstart: hello\nsteps:\n  hello: { say: { en: Hello }, next: end }\n")
	shows("flows read again: the next call hears them\n")
	s.configure(t, `{ "1": lost }`, "")
	shows(`there is no flow "lost"`)
}

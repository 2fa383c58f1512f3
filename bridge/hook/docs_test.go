package hook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/hook"
	"tandem/internal/testkit"
	"tandem/store"
	"tandem/store/outbox"
	"tandem/store/storetest"
)

const page = "../../docs/webhooks.md"

// block is the first piece of code in a language on the page.
func block(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "```"+language+"\n")
	code, _, closed := strings.Cut(rest, "\n```")
	if !found || !closed {
		t.Fatalf("%s has no code in %s", page, language)
	}
	return code + "\n"
}

// check is one message as a receiver gets it, and what it is to make of it.
type check struct {
	Name, Secret, ID, Time, Signature, Body string
	Now                                     int64
	OK                                      bool
}

func checks(t *testing.T) []check {
	t.Helper()
	now := time.Unix(1795424400, 0)
	body := `{"type":"task.offered","data":{"queue":"信用卡"}}`
	sign := func(secret, id, body string) string {
		key, err := outbox.ParseSecret(secret)
		if err != nil {
			t.Fatal(err)
		}
		return key.Sign(id, now, []byte(body))
	}
	random := storetest.NewRandom(1)
	secret, err := outbox.NewSecret(random)
	if err != nil {
		t.Fatal(err)
	}
	other, err := outbox.NewSecret(random)
	if err != nil {
		t.Fatal(err)
	}
	good := check{"good", secret, "evt_1", fmt.Sprint(now.Unix()), sign(secret, "evt_1", body), body, now.Unix(), true}
	all := []check{good}
	add := func(name string, ok bool, change func(*check)) {
		c := good
		c.Name, c.OK = name, ok
		change(&c)
		all = append(all, c)
	}
	add("two signatures", true, func(c *check) { c.Signature = sign(other, "evt_1", body) + " " + good.Signature })
	add("another secret", false, func(c *check) { c.Secret = other })
	add("another body", false, func(c *check) { c.Body = strings.Replace(body, "offered", "done", 1) })
	add("another id", false, func(c *check) { c.ID = "evt_2" })
	add("another time", false, func(c *check) { c.Time = fmt.Sprint(now.Unix() + 1) })
	add("no signature", false, func(c *check) { c.Signature = "" })
	add("cut", false, func(c *check) { c.Signature = c.Signature[:20] })
	add("sent again later", false, func(c *check) { c.Now += 301 })
	add("from the future", false, func(c *check) { c.Now -= 301 })
	add("in time", true, func(c *check) { c.Now += 299 })
	return all
}

// TestGoOnThePage runs the page's program against what is sent, and what a liar sends.
func TestGoOnThePage(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cases, err := json.Marshal(checks(t))
	if err != nil {
		t.Fatal(err)
	}
	write("go.mod", "module receiver\n\ngo 1.24\n")
	write("main.go", block(t, "go"))
	write("cases.json", string(cases))
	write("main_test.go", `package main

import (
	"encoding/json"
	"net/http"
	"os"
	"testing"
	"time"
)

func TestVerify(t *testing.T) {
	data, err := os.ReadFile("cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Secret, ID, Time, Signature, Body string
		Now                                     int64
		OK                                      bool
	}
	if err := json.Unmarshal(data, &cases); err != nil || len(cases) == 0 {
		t.Fatal(err)
	}
	for _, c := range cases {
		h := http.Header{}
		h.Set("webhook-id", c.ID)
		h.Set("webhook-timestamp", c.Time)
		h.Set("webhook-signature", c.Signature)
		if err := verify(c.Secret, h, []byte(c.Body), time.Unix(c.Now, 0)); (err == nil) != c.OK {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}
`)
	run(t, dir, "go", "vet", ".")
	run(t, dir, "go", "test", ".")
}

func TestPythonOnThePage(t *testing.T) {
	testkit.Need(t, "python3")
	dir := t.TempDir()
	cases, err := json.Marshal(checks(t))
	if err != nil {
		t.Fatal(err)
	}
	code := block(t, "python") + `

import json, sys
cases = json.load(open("cases.json", encoding="utf-8"))
assert cases
for c in cases:
    headers = {"webhook-id": c["ID"], "webhook-timestamp": c["Time"], "webhook-signature": c["Signature"]}
    try:
        verify(c["Secret"], headers, c["Body"].encode(), c["Now"])
        ok = True
    except ValueError:
        ok = False
    if ok != c["OK"]:
        sys.exit(c["Name"])
`
	for name, text := range map[string]string{"check.py": code, "cases.json": string(cases)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "python3", "check.py")
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// payloads are those of every type that can be told.
var payloads = map[string]any{
	"interaction.opened": &tandem.Opened{}, "interaction.closed": &tandem.Closing{}, "customer.erased": &tandem.Audit{}, "leg.started": &tandem.Leg{}, "leg.ended": &tandem.Termination{},
	"session.moved": &tandem.Moved{}, "message.added": &tandem.Message{}, "consent.given": &tandem.Consent{}, "voicemail.left": &tandem.Recorded{}, "recording.kept": &tandem.Recorded{},
	"customer.identified": &tandem.Identified{}, "customer.merged": &tandem.Merged{}, "customer.unmerged": &tandem.Merged{}, "link.changed": &tandem.LinkChanged{},
	"callback.booked": &tandem.Callback{}, "task.opened": &tandem.Task{}, "task.changed": &tandem.TaskChanged{}, "task.offered": &tandem.Offered{}, "task.returned": &tandem.Returned{},
	"task.assigned": &tandem.Assigned{}, "task.released": &tandem.Released{}, "task.wrapped": &tandem.Wrapped{}, "task.done": &tandem.TaskOver{}, "ticket.opened": &tandem.Ticket{},
	"alert.fired": &hook.Alert{}, "alert.resolved": &hook.Alert{},
	"ticket.changed": &tandem.TicketChanged{}, "survey.answered": &tandem.Surveyed{}, "agent.noted": &tandem.Noted{},
}

// personal are the names of fields that may hold what is the customer's own.
var personal = map[string]bool{
	"To": true, "Text": true, "Name": true, "Client": true, "Note": true, "Told": true, "Why": true, "Disposition": true, "Outcome": true, "Status": true,
	"Image": true, "Label": true, "Keys": true, "MediaType": true, "Answer": true, "Level": true, "Prefer": true, "Skills": true, "En": true, "Zh": true, "Detail": true, "Reason": true,
}

// fill gives every field a value; what may be personal becomes text.
func fill(v reflect.Value, name, text string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name, text)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1795424400, 0).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), v.Type().Field(i).Name, text)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), name, text)
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]any{text: text}))
	case reflect.String:
		v.SetString("word")
		if personal[name] || name == "From" && v.Type() == reflect.TypeFor[string]() {
			v.SetString(text)
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(3)
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(1.5)
	}
}

// TestPageListsWhatIsTold: every type stands on the page with its fields, and none of them
// is the customer's.
func TestPageListsWhatIsTold(t *testing.T) {
	place := storetest.NewPlace(t)
	desk, err := hook.New(hook.Options{Keys: place.Keys})
	if err != nil {
		t.Fatal(err)
	}
	if err := desk.Open(t.Context(), oneForAll{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := desk.Add(t.Context(), "dana", hook.Wanted{URL: "https://x/", Kinds: []string{"*"}}); err != nil {
		t.Fatal(err)
	}
	told := func(kind, text string) map[string]any {
		t.Helper()
		p := payloads[kind]
		fill(reflect.ValueOf(p).Elem(), "", text)
		if task, ok := p.(*tandem.Task); ok {
			task.ID = "t"
		}
		e := tandem.NewEvent("i", "l", time.Now(), tandem.EventKind(kind), "system", p)
		e.Seq = 4
		letters := desk.Letters(&e, store.About{Number: "08798529501", Tasks: []tandem.Task{{ID: "word", Note: text, Level: text}}})
		if len(letters) != 1 {
			t.Fatalf("of %s there are %d letters", kind, len(letters))
		}
		if text != "word" && strings.Contains(string(letters[0].Body), text) {
			t.Errorf("%s tells too much: %s", kind, letters[0].Body)
		}
		var m struct{ Data map[string]any }
		if err := json.Unmarshal(letters[0].Body, &m); err != nil {
			t.Fatal(err)
		}
		for _, of := range []string{"interaction", "number", "seq", "leg"} {
			if _, ok := m.Data[of]; !ok {
				t.Errorf("%s does not tell %s", kind, of)
			}
			delete(m.Data, of)
		}
		return m.Data
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	name := regexp.MustCompile("`([a-z_.]+)`")
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z]+\\.[a-z]+)` \\| (.*) \\|$").FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(row[1], "data.") {
			continue
		}
		rows[row[1]] = []string{}
		for _, f := range name.FindAllStringSubmatch(row[2], -1) {
			rows[row[1]] = append(rows[row[1]], f[1])
		}
	}
	if !slices.Equal(slices.Sorted(maps.Keys(rows)), hook.Types()) || len(payloads) != len(rows) {
		t.Fatalf("the page lists %v, told are %v", slices.Sorted(maps.Keys(rows)), hook.Types())
	}
	for kind, fields := range rows {
		told(kind, "Zoë 138")
		got := slices.Sorted(maps.Keys(told(kind, "word")))
		slices.Sort(fields)
		if !slices.Equal(got, fields) {
			t.Errorf("%s tells %v, the page says %v", kind, got, fields)
		}
	}
}

// oneForAll is a store that keeps nothing.
type oneForAll struct{ hook.Store }

func (oneForAll) View(context.Context, func(store.Tx) error) error   { return nil }
func (oneForAll) Update(context.Context, func(store.Tx) error) error { return nil }

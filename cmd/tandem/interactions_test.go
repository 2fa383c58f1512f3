package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/config"
	"tandem/media/wav"
	"tandem/store"
	"tandem/store/blob"
	"tandem/store/sqlite"
)

// journalWithCalls makes a configuration and a journal with two calls, of which
// the first left a voicemail of one second, and moves there.
func journalWithCalls(t *testing.T) (first, second tandem.Interaction) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("tandem.yaml", []byte("log: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load("tandem.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := config.CreateMasterKey(string(cfg.Store.MasterKey), rand.Reader); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{string(cfg.Store.Path), string(cfg.Store.Checkpoints)} {
		if err := os.MkdirAll(filepath.Dir(f), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	master, err := config.LoadMasterKey(context.Background(), cfg.Store)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := store.NewKeyring(master)
	if err != nil {
		t.Fatal(err)
	}
	dirOfBlobs, err := blob.Open(string(cfg.Store.Blobs), time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(context.Background(), sqlite.Options{Path: string(cfg.Store.Path), Checkpoints: string(cfg.Store.Checkpoints),
		Keys: keys, Blobs: dirOfBlobs, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	first = commitCall(t, db, dirOfBlobs, "+861055550101", true)
	second = commitCall(t, db, dirOfBlobs, "evil\x1b[2J", false)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return first, second
}

func commitCall(t *testing.T, db *sqlite.DB, blobs *blob.Dir, from string, voicemail bool) tandem.Interaction {
	t.Helper()
	start := time.Now().Add(-time.Minute)
	in := tandem.Interaction{ID: tandem.NewID[tandem.InteractionID](start, rand.Reader), Number: tandem.NewNumber(rand.Reader), Entry: "95599",
		Flow: "front_door", FlowHash: "0123456789abcdef", State: tandem.Closed, Started: start, Ended: start.Add(42 * time.Second), Outcome: "completed"}
	leg := tandem.Leg{ID: tandem.NewID[tandem.LegID](start, rand.Reader), Interaction: in.ID, Kind: tandem.LegSIP, Inbound: true, Role: tandem.RoleCustomer,
		From: from, To: "95599", Started: start, Answered: start.Add(time.Second), Ended: in.Ended, Termination: tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup)}
	at := func(s int, kind tandem.EventKind, payload any) tandem.Event {
		return tandem.NewEvent(in.ID, leg.ID, start.Add(time.Duration(s)*time.Second), kind, "flow", payload)
	}
	change := &store.Change{Interaction: &in, Caller: &tandem.Identity{Kind: tandem.IdentityPhone, Value: from}, Legs: []tandem.Leg{leg}, Events: []tandem.Event{
		at(0, tandem.EventOpened, tandem.Opened{Entry: "95599", Channel: tandem.Voice, From: from, To: "95599"}),
		at(1, tandem.EventLegAnswered, nil),
		at(2, tandem.EventPrompt, tandem.Prompted{Step: "greet", Lang: "en", Text: "Welcome.", HeardMS: 400}),
		at(3, tandem.EventInput, tandem.Pressed{Step: "pin", Keys: "••••", Via: "rfc4733"}),
		at(4, tandem.EventHTTP, tandem.Fetched{Step: "look", Method: "POST", URL: "http://bank/cards/find", Status: 200, Outcome: "ok", MS: 12, Tries: 2}),
		at(5, tandem.EventOutcome, tandem.StepLeft{Flow: "front_door", Step: "look", Outcome: "ok", Next: "owed", Set: map[string]any{"card": map[string]any{"owed": 12.5}}}),
		at(42, tandem.EventMedia, tandem.MediaFigures{Sent: 2100, Received: 2098, Lost: 2}),
		at(42, tandem.EventLegEnded, leg.Termination),
	}}
	if voicemail {
		w, err := blobs.Create(in.ID, "audio/PCMU;rate=8000;channels=1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(bytes.Repeat([]byte{0x80}, 8000)); err != nil {
			t.Fatal(err)
		}
		ref, err := w.Commit()
		if err != nil {
			t.Fatal(err)
		}
		change.Blobs = []store.BlobRef{ref}
		change.Events = append(change.Events, at(41, tandem.EventVoicemail, tandem.Recorded{Blob: ref.ID, Seconds: 1, Box: "cards"}))
		task := tandem.Task{ID: tandem.NewID[tandem.TaskID](start, rand.Reader), Interaction: in.ID, Kind: tandem.TaskVoicemail,
			Queue: "cards", State: tandem.TaskWaiting, Arrived: start, Blob: ref.ID}
		change.Tasks = []tandem.Task{task}
		change.Events = append(change.Events, at(41, tandem.EventTaskOpened, task))
	}
	if err := db.Commit(context.Background(), change); err != nil {
		t.Fatal(err)
	}
	return in
}

// expect runs the program and wants a status and words in what it prints.
func expect(t *testing.T, status int, args string, words ...string) string {
	t.Helper()
	got, out, errOut := tandemRun(strings.Split(args, " ")...)
	if got != status {
		t.Errorf("tandem %s: status %d, want %d\n%s%s", args, got, status, out, errOut)
	}
	for _, w := range words {
		if !strings.Contains(out+errOut, w) {
			t.Errorf("tandem %s: %q is missing from\n%s%s", args, w, out, errOut)
		}
	}
	return out
}

func TestInteractionsListAndShow(t *testing.T) {
	first, second := journalWithCalls(t)
	out := expect(t, 0, "interactions list", "NUMBER", first.Number.String(), second.Number.String(), "42s", "95599", "+861055550101", "completed, hangup by remote")
	if strings.Contains(out, "\x1b") {
		t.Error("a caller's escape sequence reaches the terminal")
	}
	for _, line := range strings.Split(out, "\n") {
		if has := strings.Contains(line, "voicemail"); has != strings.Contains(line, first.Number.String()) {
			t.Errorf("a voicemail is with the first call only: %s", line)
		}
	}
	if open := expect(t, 0, "interactions list --open", first.Number.String(), "completed, hangup by remote; voicemail in cards waits, "); strings.Contains(open, second.Number.String()) {
		t.Errorf("one that is closed is listed as open: %s", open)
	}
	expect(t, 0, "interactions list --queue cards", first.Number.String())
	expect(t, 0, "interactions list --queue loans", "no interactions")
	expect(t, 0, "interactions list --since 1ns", "no interactions")
	expect(t, 1, "interactions list --limit 0", "--limit goes from 1")
	var list []store.Summary
	if err := json.Unmarshal([]byte(expect(t, 0, "interactions list --json --limit 1")), &list); err != nil || len(list) != 1 || list[0].ID != second.ID {
		t.Errorf("as JSON: %v, %v", list, err)
	}
	for _, ref := range []string{string(first.ID), string(first.Number)} {
		expect(t, 0, "interactions show "+ref, "Interaction "+first.Number.String(), "95599 → front_door", "hangup by remote", "after 42s, outcome completed",
			"0:00.000  opened by voice: +861055550101", "0:01.000  answered", "0:02.000  said “Welcome.” (cut after 0.4 s)", "keyed ••••",
			"POST http://bank/cards/find: 200 ok, 12 ms, 2 tries", "voicemail left in cards, 1.0 s",
			`front_door.look: ok → owed, card = {"owed":12.5}`, "2098 received, 2 lost", "voicemail  audio/PCMU", "tandem interactions export "+string(first.Number), "voicemail in cards, waiting, in line since")
	}
	var story store.Story
	if err := json.Unmarshal([]byte(expect(t, 0, "interactions show --json "+string(first.ID))), &story); err != nil || len(story.Events) != 10 {
		t.Errorf("as JSON: %d events, %v", len(story.Events), err)
	}
	expect(t, 1, "interactions show 12345678901", "there is no interaction")
	for _, ref := range []string{first.Number.String(), string(first.Number[:8]), first.Number.String()[:8]} {
		expect(t, 0, "interactions show "+ref, "Interaction "+first.Number.String())
	}
	expect(t, 1, "interactions show", "write tandem interactions show INTERACTION")
	expect(t, 1, "interactions show abcd efgh", `"efgh" is one argument too many; write tandem interactions show INTERACTION`)
}

func TestInteractionsExportIsAudited(t *testing.T) {
	first, second := journalWithCalls(t)
	expect(t, 1, "interactions export "+string(first.ID), "say why")
	expect(t, 1, "interactions export "+string(second.ID)+" --why test", "no voicemail, recording or picture")
	path := strings.TrimSpace(expect(t, 0, "interactions export "+first.Number.String()+" --why complaint"))
	if path != string(first.Number)+"-voicemail.wav" {
		t.Errorf("the voicemail is in %s", path)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	audio, err := wav.Read(f)
	if err != nil || audio.Rate != 8000 || len(audio.PCM) != 8000 || audio.PCM[0] != 32124 {
		t.Errorf("the voicemail reads as %d samples at %d Hz, %v", len(audio.PCM), audio.Rate, err)
	}
	if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the voicemail: %v, %v", info.Mode(), err)
	}
	expect(t, 1, "interactions export "+string(first.ID)+" --why complaint", "exists")
	expect(t, 0, "interactions show "+string(first.ID), "audit: somebody listened or looked, because: complaint")
	expect(t, 0, "interactions verify", "right")
}

func TestEraseAndVerify(t *testing.T) {
	first, second := journalWithCalls(t)
	id := string(first.ID)
	expect(t, 1, "interactions erase --why x", "say whom")
	expect(t, 1, "interactions erase "+id+" --customer x --why y", "by one of")
	expect(t, 1, "interactions erase "+id, "say why")
	expect(t, 1, "interactions erase "+id+" --why asked", "Type yes", "nothing was erased")
	expect(t, 1, "interactions erase --caller +1 --why asked", "nobody is known who called or wrote from +1")
	expect(t, 1, "interactions erase --customer none --why asked --yes", "there is no customer none")
	expect(t, 0, "interactions erase --caller +861055550101 --why asked --yes", "is erased from 1 interaction;")
	expect(t, 0, "interactions verify", "right", "1 interaction of erased persons")
	out := expect(t, 0, "interactions show "+id, "erased", "because: asked")
	for _, gone := range []string{"+861055550101", "Welcome", "flow.", "(erased)", "interactions export", "Kept"} {
		if strings.Contains(out, gone) {
			t.Errorf("%q is shown of an erased person:\n%s", gone, out)
		}
	}
	if !strings.Contains(out, "voicemail in cards, erased") {
		t.Errorf("the voicemail's task is not told as erased:\n%s", out)
	}
	expect(t, 1, "interactions export "+id+" --why x", "erased")
	expect(t, 0, "interactions show "+string(second.ID), "Welcome")
}

func TestVerifyFindsADeletedInteraction(t *testing.T) {
	first, _ := journalWithCalls(t)
	path, err := filepath.Abs("data/tandem.db")
	if err != nil {
		t.Fatal(err)
	}
	tamper(t, path, fmt.Sprintf("DELETE FROM event WHERE interaction = (SELECT no FROM interaction WHERE id = '%s') AND seq = 3", first.ID))
	expect(t, 1, "interactions verify", "wrong:", "WRONG")
	var v store.Verdict
	if err := json.Unmarshal([]byte(expect(t, 1, "interactions verify --json")), &v); err != nil || v.OK || len(v.Findings) == 0 {
		t.Errorf("as JSON: %+v, %v", v, err)
	}
}

func TestStoreErrorsSayWhatToDo(t *testing.T) {
	t.Chdir(t.TempDir())
	expect(t, 1, "interactions list", "--config FILE")
	if err := os.WriteFile("tandem.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, 1, "interactions list", "there is no master key", "make one")
	if err := config.CreateMasterKey("keys/master.key", rand.Reader); err != nil {
		t.Fatal(err)
	}
	expect(t, 1, "interactions list", "there is no journal")
	expect(t, 1, "outbox list", "there is no journal")
}

func TestOutbox(t *testing.T) {
	journalWithCalls(t)
	expect(t, 0, "outbox list", "nothing")
	expect(t, 0, "outbox list --json", "[]")
	expect(t, 1, "outbox retry nokey", "nothing with the key nokey was given up")
}

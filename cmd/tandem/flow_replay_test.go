package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/internal/config"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/replay"
	"tandem/store"
	"tandem/store/release"
)

const replayedFlow = `flow: shop
channels: [voice]
languages: [en]
start: main
steps:
  main:
    menu:
      prompt: { en: "1 or 2." }
      choices: [ { keys: "1", phrases: { en: [cards] }, go: cards }, { keys: "2", phrases: { en: [loans] }, go: loans } ]
    next: { no_input: end, no_match: end }
  cards: { say: { en: "Cards." }, next: end }
  loans: { say: { en: "Loans." }, next: end }
`

// shopCalls keeps n calls in the journal that pressed 1 in the shop.
func shopCalls(t *testing.T, n int) {
	t.Helper()
	cfg, err := config.Load("tandem.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	db, err := openStore(context.Background(), cfg.Config, toWrite, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		start := time.Now().Add(-time.Minute)
		in := tandem.Interaction{ID: tandem.NewID[tandem.InteractionID](start, rand.Reader), Number: tandem.NewNumber(rand.Reader), Entry: "95599",
			Flow: "shop", FlowHash: "0123", State: tandem.Closed, Started: start, Ended: start.Add(time.Second), Outcome: "completed"}
		event := func(kind tandem.EventKind, payload any) tandem.Event {
			return tandem.NewEvent(in.ID, "", start, kind, "flow", payload)
		}
		err := db.Commit(context.Background(), &store.Change{Interaction: &in, Events: []tandem.Event{
			event(tandem.EventFlowStarted, tandem.FlowRef{Flow: "shop", Hash: "0123"}),
			event(tandem.EventStep, tandem.StepEntered{Flow: "shop", Step: "main", Verb: "menu"}),
			event(tandem.EventOutcome, tandem.StepLeft{Flow: "shop", Step: "main", Outcome: "1", Next: "cards"}),
			event(tandem.EventStep, tandem.StepEntered{Flow: "shop", Step: "cards", Verb: "say"}),
			event(tandem.EventOutcome, tandem.StepLeft{Flow: "shop", Step: "cards", Outcome: "done", Next: "end"}),
			event(tandem.EventFlowEnded, tandem.FlowEnd{Reason: "completed"}),
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFlowReplay(t *testing.T) {
	journalWithCalls(t)
	shopCalls(t, 7)
	if err := os.Mkdir("flows", 0o700); err != nil {
		t.Fatal(err)
	}
	run := func(text string, args ...string) string {
		t.Helper()
		path := writeFlow(t, "flows", "shop.flow.yaml", text)
		var out bytes.Buffer
		app := &cli.App{Writer: &out, ErrWriter: &out, Commands: []*cli.Command{{Name: "flow", Subcommands: []*cli.Command{flowReplayCommand()}}}}
		if err := app.Run(append(append([]string{"tandem", "flow", "replay", "--config", "tandem.yaml"}, args...), path)); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		return out.String()
	}
	if got := run(replayedFlow); got != "7 interactions of flow shop: 7 the same way, 0 elsewhere, 0 asked something new\n" {
		t.Errorf("the same flow: %q", got)
	}
	changed := strings.Replace(replayedFlow, "[cards] }, go: cards", "[cards] }, go: loans", 1)
	got := run(changed)
	for _, want := range []string{"7 interactions of flow shop: 0 the same way, 7 elsewhere, 0 asked", "7 × after main on 1: then cards, now loans\n", "and 2 more; --json lists all"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	var list replayed
	if err := json.Unmarshal([]byte(run(changed, "--json")), &list); err != nil || len(list.Divergences) != 1 || len(list.Divergences[0].Interactions) != 7 || list.Divergences[0].Now != "loans" {
		t.Errorf("%v %+v", err, list)
	}
}

// A version of then is read though its entry records now, and it announces nothing.
func TestVersionFromBeforeRecording(t *testing.T) {
	journalWithCalls(t)
	cfg, err := config.Load("tandem.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	db, err := openStore(t.Context(), cfg.Config, toWrite, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	text := strings.Replace(replayedFlow, "cards: { say: { en: \"Cards.\" }, next: end }", "cards: { transfer: { to: \"tel:+15550100\", mode: blind }, next: { else: end } }", 1)
	if _, _, err := release.New(db, time.Now).Add(t.Context(), release.Snapshot{By: "li", Files: map[string][]byte{"shop.flow.yaml": []byte(text)}, Flows: map[string]string{"shop": "0123"}}); err != nil {
		t.Fatal(err)
	}
	o := read.Options{Settings: map[string]any{}, HTTPAllow: []string{}, Recorded: []string{"shop"}}
	v := versions{releases: release.New(db, time.Now), dir: ".", options: o, read: map[string]func(string, string) bool{}}
	c := cli.NewContext(nil, nil, &cli.Context{Context: t.Context()})
	had, err := v.of(c, replay.Past{Flow: "shop", Hash: "0123"})
	if err != nil || !had("shop", "cards") || had("shop", "new") {
		t.Errorf("its steps are not known: %v", err)
	}
}

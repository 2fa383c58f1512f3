package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/identity/check"
	"tandem/bridge/identity/check/pack"
	"tandem/ivr/flow"
	"tandem/media/video"
	"tandem/store/blob"
)

// aCheck is a check of an interaction that was passed.
func aCheck(t *testing.T, frame []byte, r records, in tandem.Interaction) check.Check {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const text = "check: face\n"
	sum := sha256.Sum256([]byte(text))
	policy := &flow.CheckPolicy{Name: "face", Level: tandem.Proofed, Grants: time.Minute, Interruption: time.Second, SecondOfficer: true, Hash: hex.EncodeToString(sum[:]), Text: text,
		Consent: flow.CheckConsent{Version: "2026-11", Text: map[string]string{"en": "We take pictures."}},
		Steps: []flow.CheckPolicyStep{{Name: "look", Kind: flow.CheckFace}, {Name: "act", Kind: flow.CheckRequest, Requests: []string{"read_number"}, Count: 1},
			{Name: "match", Kind: flow.CheckCompareBy, Compare: []flow.CheckCompare{{Name: "same_person"}}}}}
	blobs, err := blob.Open(string(r.cfg.Store.Blobs), time.Now, rand.Reader)
	must(err)
	desk := check.New(check.Options{Store: r.DB, Blobs: blobs, Sign: r.keys.Evidence(), Now: time.Now, Random: rand.Reader,
		Still: func(context.Context, tandem.InteractionID) (video.Frame, error) {
			return video.Frame{Key: true, Data: frame}, nil
		}})
	c, err := desk.Begin(t.Context(), check.Order{Interaction: in.ID, Customer: owner(t, r, in), Policy: policy, By: "flow", Officer: "anna"})
	must(err)
	_, err = desk.Consent(t.Context(), c.ID, "en", true)
	must(err)
	_, err = desk.Do(t.Context(), "anna", check.Command{Check: c.ID, Do: "restart", Round: 1})
	must(err)
	for _, in := range []check.Command{{Do: "capture"}, {Do: "done", Step: "look"}, {Do: "done", Step: "act"},
		{Do: "done", Step: "match", Said: map[string]any{"same_person": "yes"}}, {Do: "decide", Outcome: check.Passed, Reasons: []string{"same_person"}}} {
		in.Check = c.ID
		_, err = desk.Do(t.Context(), "anna", in)
		must(err)
	}
	c, err = desk.Second(t.Context(), "ben", c.ID, true, "")
	must(err)
	return c
}

func TestChecks(t *testing.T) {
	film, err := os.ReadFile(filepath.Join("..", "..", "media", "video", "testdata", "small.ivf"))
	if err != nil {
		t.Fatal(err)
	}
	first, second := journalWithCalls(t)
	expect(t, 0, "checks list", "no identity checks")
	var c check.Check
	beside(t, func(r records) { c = aCheck(t, film[44:44+binary.LittleEndian.Uint32(film[32:])], r, first) })
	id := string(c.ID)
	expect(t, 0, "checks list", id, first.Number.String(), "face", "passed", "anna")
	expect(t, 0, "checks list --state failed", "no identity checks")
	expect(t, 0, "checks list "+string(second.ID), "no identity checks")
	expect(t, 0, "checks show "+id, "agreed at", "text 2026-11 in en", "round 2", "void", "begun again by the officer", "read_number", "same_person = yes", "taken by the server", "passed (same_person)", "anna ben", "holds until")
	var v check.ForOfficer
	if err := json.Unmarshal([]byte(expect(t, 0, "checks show --json "+id)), &v); err != nil || v.ID != c.ID || len(v.Steps) != 3 {
		t.Errorf("%+v %v", v, err)
	}
	expect(t, 0, "interactions show "+string(first.ID), "identity check face, round 2, for proofed, by anna", "check step act: begins, number = ", "still of look kept", "round 1 of the check is void",
		"check step second_officer: asked for", "identity check passed (same_person), by anna, second officer ben", "identified by video: passed, proofed")

	expect(t, 1, "checks show 7", "no check's id")
	expect(t, 1, "checks show 06h0f8hig3moi0efio3rg5jqe8", "there is no identity check")
	expect(t, 1, "checks export "+id, "say why")
	key := strings.TrimSpace(expect(t, 0, "checks key"))
	expect(t, 0, "checks export "+id+" --why audit -o pack.zip", "pack.zip", "tandem checks verify pack.zip --key "+key)
	expect(t, 1, "checks export "+id+" --why audit -o pack.zip", "choose another file")
	expect(t, 0, "interactions show "+string(first.ID), "because: audit")
	expect(t, 0, "interactions verify")

	expect(t, 0, "interactions erase "+string(first.ID)+" --why asked --yes")
	if out := expect(t, 0, "checks list", id, first.Number.String(), "face", "erased"); strings.Contains(out, "passed") || strings.Contains(out, "anna") {
		t.Errorf("of one that is erased is told\n%s", out)
	}
	expect(t, 0, "checks list --state passed", "no identity checks")
	elsewhere, err := os.ReadFile("pack.zip") // on another machine, with nothing else
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for name, data := range map[string][]byte{"pack.zip": elsewhere, "changed.zip": bytes.Replace(elsewhere, []byte("\nofficer \"anna\"\n"), []byte("\nofficer \"xena\"\n"), 1), "key": []byte(key + "\n")} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, 0, "checks verify pack.zip --key "+key, "The pack is whole", id, "passed", "stills: 1")
	expect(t, 0, "checks verify pack.zip --key key", "The pack is whole")
	expect(t, 0, "checks verify pack.zip", "The pack is whole", "compare it with")
	expect(t, 1, "checks verify changed.zip --key "+key, "NOT as it was written", "001-2-look-server.txt")
	expect(t, 1, "checks verify pack.zip --key "+strings.Repeat("00", 32), "it is not from your server")
	expect(t, 1, "checks verify key", "is no pack")
	expect(t, 1, "checks verify pack.zip --key abc", "no Ed25519 public key")
	var report pack.Report
	if err := json.Unmarshal([]byte(expect(t, 0, "checks verify --json pack.zip --key "+key)), &report); err != nil || !report.OK || !report.Pinned || !report.Passed {
		t.Errorf("%+v %v", report, err)
	}
}

// What voice, pictures and role links come to is told in words.
func TestStoryTellsFaces(t *testing.T) {
	for want, e := range map[string]tandem.Event{
		"video asked for by anna, because: to see the card":                  event(tandem.EventUpgrade, tandem.Upgraded{By: "anna", Level: tandem.LevelVideo, State: "asked", Why: "to see the card"}),
		"voice agreed to by the customer, recorded":                          event(tandem.EventUpgrade, tandem.Upgraded{By: "customer", Level: tandem.LevelVoice, State: "agreed", Kept: true}),
		"text alone changed by the customer":                                 event(tandem.EventUpgrade, tandem.Upgraded{By: "customer", State: "changed"}),
		"only text gets through now, because: network":                       event(tandem.EventCarried, tandem.Carried{Why: "network"}),
		"video gets through now, because: back":                              event(tandem.EventCarried, tandem.Carried{Now: tandem.LevelVideo, Why: "back"}),
		"lee joins as specialist, by the link of anna":                       event(tandem.EventRoleLink, tandem.RoleLinked{Role: tandem.RoleSpecialist, By: "anna", Used: "lee"}),
		"link for a listener revoked":                                        event(tandem.EventRoleLink, tandem.RoleLinked{Role: tandem.RoleListener, Revoked: true}),
		"round 1 of the check is void: the customer was not seen, for 7.0 s": event(tandem.EventCheckBroken, tandem.CheckBroken{Round: 1, Why: "cut", Seconds: 7}),
		"identity check failed (other), by anna: “blurred”":                  event(tandem.EventVerdict, tandem.Verdict{Outcome: "failed", Reasons: []string{"other"}, Officer: "anna", Text: "blurred"}),
		"object b removed, because: retention":                               event(tandem.EventDisposed, tandem.Disposed{Blob: "b", Why: "retention"}),
	} {
		if got := eventLine(e); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

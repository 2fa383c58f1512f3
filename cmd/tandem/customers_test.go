package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/link"
	"tandem/internal/config"
	"tandem/store"
)

// beside opens the journal of this folder for a change.
func beside(t *testing.T, do func(records)) {
	t.Helper()
	loaded, err := config.Load("tandem.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := loadKeys(context.Background(), loaded.Config)
	if err != nil {
		t.Fatal(err)
	}
	db, err := openStoreWith(context.Background(), loaded.Config, keys, toWrite, &strings.Builder{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	do(records{db, keys, loaded.Config})
}

func owner(t *testing.T, r records, in tandem.Interaction) tandem.CustomerID {
	t.Helper()
	story, err := r.Interaction(t.Context(), string(in.ID))
	if err != nil {
		t.Fatal(err)
	}
	return story.Customer.ID
}

func TestCustomers(t *testing.T) {
	first, second := journalWithCalls(t)
	chat := tandem.Identity{Kind: tandem.IdentityChat, Value: "chat:06h03ui6lbl9pq52hds2l1omtk"}
	var into, from tandem.CustomerID
	beside(t, func(r records) {
		into, from = owner(t, r, first), owner(t, r, second)
		for _, c := range []store.Change{
			{Bind: &tandem.Binding{Customer: from, Identity: chat}},
			{Bind: &tandem.Binding{Customer: into, Identity: chat, Checked: time.Now()}, Merge: &store.Merge{From: from, Into: into}},
		} {
			if err := r.Commit(t.Context(), &c); err != nil {
				t.Fatal(err)
			}
		}
	})
	for _, ref := range []string{"+861055550101", "010-5555 0101", "(010) 5555 0101", "861055550101", string(into), string(from), string(first.ID), first.Number.String(), chat.Value} {
		out := expect(t, 0, "customers show "+ref, "Customer "+string(into), "is one person with "+string(from), "phone", "•••01", "a hint", chat.Value, "checked", "before to "+string(from), "Open, of 2 interactions", "none")
		if strings.Contains(out, "55550101") {
			t.Errorf("%s: the number is shown whole:\n%s", ref, out)
		}
	}
	var v customerView
	if err := json.Unmarshal([]byte(expect(t, 0, "customers show --json "+string(first.ID))), &v); err != nil || v.Customer != into || len(v.Bindings) != 3 || v.Interactions != 2 {
		t.Errorf("as JSON: %+v, %v", v, err)
	}
	expect(t, 1, "customers show", "write tandem customers show "+howToName)
	expect(t, 1, "customers show 12345678", "nobody is known by 12345678")
	expect(t, 1, "customers unbind "+string(into), "say why")
	expect(t, 1, "customers unbind "+string(into)+" --why test", "say which of 3 bindings with --binding N")
	expect(t, 1, "customers unbind "+string(into)+" --why test --binding 4", "say which")
	expect(t, 1, "customers unbind "+chat.Value+" --why test", "Type yes", "nothing was undone")
	expect(t, 0, "customers unbind "+chat.Value+" --why mistyped --yes", "customer "+string(from)+" has it again")
	expect(t, 0, "interactions show "+string(first.ID), "bound to the customer no more, because: mistyped", "is one with "+string(into)+" no more, because: mistyped")
	if out := expect(t, 0, "customers show "+string(into), "of 1 interaction"); strings.Contains(out, "one person") {
		t.Errorf("still merged:\n%s", out)
	}
	expect(t, 1, "customers unbind +861055550101 --why test", "Type yes", "•••01")
	if out := expect(t, 0, "customers unbind 01055550101 --why test --yes --json", `"value": "•••01"`); strings.Contains(out, `"customer"`) {
		t.Errorf("somebody else has the number now: %s", out)
	}
	expect(t, 1, "customers show +861055550101", "nobody is known")
	expect(t, 0, "customers show "+string(into), "Bound\n  nothing")
	expect(t, 0, "interactions verify", "right")
	expect(t, 0, "interactions show --json "+string(first.ID), `"actor": "operator`)
}

// A number that is written in another way than it was signalled in is the same person's;
// one that several have is nobody's to erase.
func TestEraseByNumber(t *testing.T) {
	first, second := journalWithCalls(t)
	beside(t, func(r records) {
		national := tandem.Identity{Kind: tandem.IdentityPhone, Value: "01055550101"}
		if err := r.Commit(t.Context(), &store.Change{Bind: &tandem.Binding{Customer: owner(t, r, second), Identity: national}}); err != nil {
			t.Fatal(err)
		}
	})
	expect(t, 1, "interactions erase --caller +86-10-5555-0101 --why asked --yes", "several customers are known by")
	beside(t, func(r records) {
		if err := r.Commit(t.Context(), &store.Change{Merge: &store.Merge{From: owner(t, r, second), Into: owner(t, r, first)}}); err != nil {
			t.Fatal(err)
		}
	})
	expect(t, 0, "interactions erase --caller 86-10-5555-0101 --why asked --yes --json", `"interactions": 2`)
	expect(t, 0, "customers show "+string(first.ID), "is erased", "nothing")
}

func TestLinks(t *testing.T) {
	first, second := journalWithCalls(t)
	var made, handoff link.Link
	beside(t, func(r records) {
		desk, err := r.linkDesk()
		if err != nil {
			t.Fatal(err)
		}
		make := func(o link.Order) link.Link {
			o.Interaction, o.Number, o.Customer, o.Lang, o.By, o.Flow, o.FlowHash = first.ID, first.Number, owner(t, r, first), "en", "sms", "f", "x"
			l, _, err := desk.Make(t.Context(), o, func(string, link.Link) (store.Change, error) { return store.Change{}, nil })
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		made = make(link.Order{Key: "a", Operation: "card_limit"})
		handoff = make(link.Order{Key: "b", To: tandem.Chat})
	})
	expect(t, 0, "links list", string(made.ID), "card_limit", string(handoff.ID), "going on by chat", first.Number.String(), "made")
	expect(t, 0, "links list "+first.Number.String(), string(made.ID))
	expect(t, 0, "links list "+string(second.ID), "no links")
	expect(t, 1, "links list --all", "say of which interaction")
	expect(t, 1, "links revoke", "write tandem links revoke")
	expect(t, 1, "links revoke "+string(made.ID), "say why")
	expect(t, 1, "links revoke 12345678901 --why x", "neither a link's id nor an interaction")
	expect(t, 0, "links revoke "+string(made.ID)+" --why mistake", "link "+string(made.ID)+" of "+first.Number.String()+" is revoked")
	expect(t, 0, "links revoke "+string(made.ID)+" --why mistake", "no link left")
	if out := expect(t, 0, "links list"); strings.Contains(out, string(made.ID)) {
		t.Errorf("a revoked link is listed:\n%s", out)
	}
	expect(t, 0, "links list --all "+string(first.ID), string(made.ID), "revoked")
	var gone []linkView
	if err := json.Unmarshal([]byte(expect(t, 0, "links revoke --json "+string(first.ID)+" --why mistake")), &gone); err != nil || len(gone) != 1 || gone[0].ID != handoff.ID || gone[0].State != tandem.LinkRevoked {
		t.Errorf("as JSON: %+v, %v", gone, err)
	}
	expect(t, 0, "links list --json", "[]")
	expect(t, 0, "interactions show "+string(first.ID), "link revoked, because: mistake")
	expect(t, 0, "interactions verify", "right")
}

func TestOutboxOfTexts(t *testing.T) {
	first, _ := journalWithCalls(t)
	beside(t, func(r records) {
		err := r.Commit(t.Context(), &store.Change{
			Events: []tandem.Event{tandem.NewEvent(first.ID, "", time.Now(), tandem.EventMessage, "flow", tandem.Message{Channel: tandem.SMS, Seq: 1, From: tandem.SenderFlow, Text: "hi"})},
			Outbox: []store.Outgoing{
				{Key: "text:06h03ui6lbl9pq52hds2l1omtk:1", Kind: "sms", Target: "+8613800000001", Body: []byte("{}")},
				{Key: "task-1", Kind: "webhook", Target: "https://hooks.example/t", Body: []byte("{}")},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	out := expect(t, 0, "outbox list", "text:06h03ui6lbl9pq52hds2l1omtk:1", "•••01", "waiting", "https://hooks.example/t", "now")
	if strings.Contains(out, "1380000") {
		t.Errorf("the number is shown whole:\n%s", out)
	}
	if out := expect(t, 0, "outbox list --kind sms"); strings.Contains(out, "webhook") {
		t.Errorf("not only texts:\n%s", out)
	}
	expect(t, 0, "outbox list --kind webhook --dead", "nothing")
	expect(t, 1, "outbox list --kind fax", "--kind is sms, webhook or hook")
}

package read

import (
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// The example that the language is explained by, with all its files, is without mistakes.
func TestBank(t *testing.T) {
	lib, ds := Dir("testdata/bank", testOptions())
	if len(ds) != 0 {
		t.Fatalf("got\n%s", shown(ds))
	}
	steps := lib.Flows["front_door"].Steps
	if l, ok := steps["online"].Verb.(*flow.LinkStep); !ok || l.Operation != "enrol" || l.Expires != 15*time.Minute || l.Wait != 3*time.Minute || l.OnOpened == nil ||
		len(l.By) != 2 || lib.Flows["front_door"].Prompts["form"] != l.Prompt {
		t.Errorf("link %+v", l)
	}
	if q, ok := steps["person"].Verb.(*flow.QueueStep); !ok || q.Name != "cards" || len(q.Skills) != 1 || q.Priority == nil || q.MaxWait != 8*time.Minute ||
		q.AnnounceEvery != 45*time.Second || len(q.Offer) != 2 || q.Offer[1].What != "chat" || q.Offer[1].Keys != "2" {
		t.Errorf("queue %+v", q)
	}
	if i, ok := steps["prove"].Verb.(*flow.IdentifyStep); !ok || i.Level != tandem.Verified || len(i.By) != 1 {
		t.Errorf("identify %+v", i)
	}
	if s, ok := steps["rate"].Verb.(*flow.SurveyStep); !ok || s.Form != "csat" || len(s.By) != 3 {
		t.Errorf("survey %+v", s)
	}
	if q := lib.Queues["cards"]; q.Full != 200 || q.Target[tandem.TaskText] != 15*time.Minute || len(q.Teams) != 1 {
		t.Errorf("queue %+v", q)
	}
	if f := lib.Forms["csat"]; f == nil || f.Fields[0].Least != 1 || f.Fields[0].Most != 5 || f.Fields[0].Ask.ByLang["zh-CN"] == nil {
		t.Errorf("form %+v", f)
	}
	if o := lib.Operations["enrol"]; o == nil || len(o.Steps) != 2 || o.Steps[0].Image != "one.png" || o.Steps[1].Form != "enrol_form" || o.Confirm == nil {
		t.Errorf("operation %+v", o)
	}
	if c := lib.Classifiers["triage"]; c == nil || len(c.Rules) != 2 || c.Rules[0].Any["en"][1] != "money back" || c.Rules[1].Set["sentiment"] != "angry" {
		t.Errorf("classifier %+v", c)
	}
}

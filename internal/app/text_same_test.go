package app

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"tandem"
	"tandem/internal/testkit"
	"tandem/store"
)

// caller is somebody with a telephone who is told by the journal what is being said: the
// recordings themselves are listened to elsewhere.
type caller struct {
	*testkit.Dialog
	t     *testing.T
	s     *textServer
	id    tandem.InteractionID
	taken map[tandem.InteractionID]int // of its prompts
}

// dials calls up a number from one.
func (s *textServer) dials(t *testing.T, number, from string, but ...tandem.InteractionID) *caller {
	t.Helper()
	but = append(but, s.calls(t)...)
	d := s.peer(t).Call(number, testkit.Options{From: from})
	return &caller{Dialog: d, t: t, s: s, id: s.latest(t, number, but...).Interaction.ID, taken: map[tandem.InteractionID]int{}}
}

// calls are the interactions that there are.
func (s *textServer) calls(t *testing.T) []tandem.InteractionID {
	t.Helper()
	all, err := s.store.List(t.Context(), store.Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var ids []tandem.InteractionID
	for _, x := range all {
		ids = append(ids, x.Interaction.ID)
	}
	return ids
}

// hears waits until a prompt, by its name or words, is said after the last that was heard.
func (c *caller) hears(words string) {
	c.t.Helper()
	c.s.shows(c.t, c.id, "hearing "+words, func(story store.Story) bool {
		said := prompts(story)
		for i := c.taken[c.id]; i < len(said); i++ {
			if said[i].Name == words || strings.Contains(said[i].Text, words) {
				c.taken[c.id] = i + 1
				return true
			}
		}
		return false
	})
}

// at waits until the flow has come to a step.
func (c *caller) at(step string) {
	c.t.Helper()
	c.s.shows(c.t, c.id, "being in step "+step, func(story store.Story) bool { return lastStep(story) == step })
}

// presses keys. Between two of them there is time to be heard.
func (c *caller) presses(keys string) { c.t.Helper(); c.RTP.Type(keys) }

// prompts are what was said by voice, or to nobody.
func prompts(story store.Story) []tandem.Prompted {
	return payloads[tandem.Prompted](story, tandem.EventPrompt)
}

// payloads are those of a story's events of one kind.
func payloads[T any](story store.Story, kind tandem.EventKind) []T {
	var all []T
	for _, e := range story.Events {
		var one T
		if e.Kind == kind && json.Unmarshal(e.Data, &one) == nil {
			all = append(all, one)
		}
	}
	return all
}

// lastStep is the step that was entered last.
func lastStep(story store.Story) string {
	steps := payloads[tandem.StepEntered](story, tandem.EventStep)
	if len(steps) == 0 {
		return ""
	}
	return steps[len(steps)-1].Step
}

// TestOneFlowThreeChannels asks one flow file for the same by phone, in the widget and by
// text message: a balance, for who has shown who they are. What was done is the same
// wherever it was done.
func TestOneFlowThreeChannels(t *testing.T) {
	t.Parallel()
	s := newTextServer(t, textSetup{})
	phone := s.texts.Inbox(customer)

	call := s.dials(t, "1", customer) // whose number says Chinese
	call.presses("1")
	call.presses(phone.Code())
	call.at("main")
	call.presses("7") // cuts what is being said short
	call.hears("您的余额为12345.60元。")
	call.Bye()
	byVoice := s.shows(t, call.id, "the end of the call", closed)

	visitor := testkit.NewChat(t, s.url, testkit.ChatOptions{Site: "demo", Langs: []string{"zh"}})
	visitor.Open()
	visitor.Reads("欢迎来到海港银行服务台。")
	visitor.Reads("请问您需要什么服务？")
	visitor.Say("查询余额")
	visitor.Reads("请输入您在我们这里登记的手机号码")
	visitor.SaySecret("138 0000 0001")
	visitor.Reads("尾号为01的手机")
	visitor.SaySecret(phone.Code())
	visitor.Reads("您的余额为12345.60元。")
	inChat := s.latest(t, "chat:demo")

	phone.Says("你好")
	phone.Gets("1 查询余额")
	phone.Says("1")
	phone.Says(phone.Code())
	phone.Gets("您的余额为12345.60元。")
	byText := s.latest(t, "sms:"+ourNumber)

	want := done(byVoice)
	for _, other := range []store.Story{inChat, byText} {
		if got := done(other); !slices.Equal(got, want) {
			t.Errorf("by %s the flow did\n%v\nand by phone\n%v", other.Interaction.Entry, got, want)
		}
		if other.Interaction.Flow != byVoice.Interaction.Flow || other.Interaction.FlowHash != byVoice.Interaction.FlowHash {
			t.Errorf("%s was served by flow %s %s", other.Interaction.Entry, other.Interaction.Flow, other.Interaction.FlowHash)
		}
	}
	s.verify(t)
}

func closed(story store.Story) bool { return !story.Interaction.Ended.IsZero() }

// done is what a flow did for a balance: the steps from the choice to the words, with their
// outcomes, but for those that only one channel needs.
func done(story store.Story) []string {
	var all []string
	for _, e := range payloads[tandem.StepLeft](story, tandem.EventOutcome) {
		switch e.Step {
		case "look_up", "prove", "balance", "main":
			if e.Outcome != "7" {
				all = append(all, e.Step+" "+e.Outcome)
			}
		}
	}
	for _, e := range payloads[tandem.Identified](story, tandem.EventIdentified) {
		all = append(all, "identified "+e.Method+" "+e.Outcome+" "+e.Level.String())
	}
	return all
}

package text

import (
	"context"
	"strings"

	"tandem"
	"tandem/ivr/flow"
)

// left answers who writes where the session ran before it moved on, and is not waited for
// there: once, where it goes on, and with a way back if there is one. What they write is kept
// for those who read it. Who asks to come back has the session come here, without what was
// shown there.
func (t *turn) left(ctx context.Context, s *Said) error {
	st := &t.st
	if !st.elsewhere || st.there == "" || s.Text == "" {
		return nil
	}
	leg, err := t.d.o.Store.Leg(ctx, t.leg)
	if err != nil || leg.Termination.Reason != tandem.ReasonMoved {
		return err // it was never here
	}
	if st.back && returns(s.Text) {
		t.goOn = &flow.Turn{Go: st.conv.Interaction}
		return nil
	}
	if st.awaited { // they come by this
		return nil
	}
	client := "left:" + string(t.leg)
	_, told, err := t.d.o.Book.ByClient(ctx, st.conv.ID, client)
	if err != nil || told {
		return err
	}
	m := tandem.Message{
		Channel: st.conv.Channel, From: tandem.SenderSystem, Client: client, Lang: st.conv.Lang, Text: leftWords(st.conv.Lang, st.there, st.back),
	}
	t.notes = append(t.notes, note{kind: tandem.EventMessage, actor: "system", message: &message{m: m, state: tandem.MessageSent}})
	return nil
}

// returns reports whether a message asks to go on here.
func returns(text string) bool {
	switch flow.Fold(text) {
	case "back", "go on here", "返回", "回来", "在这里继续":
		return true
	}
	return false
}

// leftWords say where the talk goes on.
func leftWords(lang string, there tandem.Channel, back bool) string {
	chinese := strings.HasPrefix(lang, "zh")
	switch {
	case there == tandem.Voice && chinese:
		return "我们正通过电话为您服务，您在此发送的内容会保留。"
	case there == tandem.Voice:
		return "We go on by phone now. What you write here is kept."
	case there == tandem.SMS && back && chinese:
		return "我们正通过短信为您服务。如需回到这里继续，请回复“返回”。"
	case there == tandem.SMS && back:
		return "We go on by text message now. To go on here instead, write BACK."
	case there == tandem.SMS && chinese:
		return "我们正通过短信为您服务，您在此发送的内容会保留。"
	case there == tandem.SMS:
		return "We go on by text message now. What you write here is kept."
	case back && chinese:
		return "我们正通过在线聊天为您服务。如需回到这里继续，请回复“返回”。"
	case back:
		return "We go on in the chat now. To go on here instead, write BACK."
	case chinese:
		return "我们正通过在线聊天为您服务，您在此发送的内容会保留。"
	}
	return "We go on in the chat now. What you write here is kept."
}

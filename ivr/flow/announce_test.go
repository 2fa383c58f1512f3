package flow_test

import (
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

func TestAnnounce(t *testing.T) {
	offers := []flow.Option{{Keys: "1", Label: "callback"}, {Keys: "#", Label: "chat"}, {Keys: "3", Label: "sms"}}
	place := func(n int, least, most time.Duration) *flow.Place {
		return &flow.Place{Queue: "cards", Position: n, AtLeast: least, AtMost: most}
	}
	for _, tt := range []struct {
		lang   string
		place  *flow.Place
		offers []flow.Option
		want   string
	}{
		{"en", nil, nil, "You are in line."},
		{"zh-CN", nil, nil, "正在排队，请稍候。"},
		{"fr", place(2, 0, 0), nil, "You are number 2 in line. How long it takes is not known yet."},
		{"en", place(0, 0, 0), nil, "You are in line."},
		{"en-GB", place(1, 0, time.Minute), nil, "You are number 1 in line. The wait is less than a minute."},
		{"en", place(3, 2*time.Minute, 5*time.Minute), nil, "You are number 3 in line. The wait is between 2 and 5 minutes."},
		{"en", place(3, 119*time.Second, 4*time.Minute+time.Second), nil, "You are number 3 in line. The wait is between 1 and 5 minutes."},
		{"en", place(3, 10*time.Second, 5*time.Minute), nil, "You are number 3 in line. The wait is up to 5 minutes."},
		{"en", place(3, 5*time.Minute, 5*time.Minute), nil, "You are number 3 in line. The wait is about 5 minutes."},
		{"zh-CN", place(2, 2*time.Minute, 12*time.Minute), offers[:1], "您排在第2位。预计等待两到12分钟。需要回电请按1。"},
		{"zh-HK", place(2, 0, 2*time.Minute), nil, "您排在第2位。预计等待不超过两分钟。"},
		{"en", place(1, 0, 0), offers, "You are number 1 in line. How long it takes is not known yet. To be called back, press 1. To go on in chat, press #. To go on by text message, press 3."},
		{"en", nil, []flow.Option{{Keys: "1", Label: "fax"}}, "You are in line."},
	} {
		if got := flow.Text(flow.PlaceParts(tt.lang, tt.place, tt.offers)); got != tt.want {
			t.Errorf("%s %+v: %q, want %q", tt.lang, tt.place, got, tt.want)
		}
	}
	p := flow.Announce("fr", flow.Wait{Kind: flow.WaitQueue, Step: "person", Place: place(7, 0, 0), Options: offers[:1]})
	if p.Lang != "en" || p.Step != "person" || p.BargeIn != flow.BargeDTMF || p.Parts[1] != (tandem.Part{Kind: tandem.PartNumber, Text: "7", Value: "7"}) {
		t.Errorf("%+v", p)
	}
	for _, name := range []string{flow.LinePutThrough, flow.LineNoCallback, flow.LineUnreachable, flow.LineSent} {
		for _, lang := range []string{"en", "zh-CN"} {
			if p := flow.LinePlay(lang, name); p.Lang != lang || p.Name != name || len(p.Parts) != 1 {
				t.Errorf("%s in %s: %+v", name, lang, p)
			}
		}
	}
}

// Whom an agent has is told no place and offered nothing.
func TestRenderServed(t *testing.T) {
	for _, c := range []tandem.Channel{tandem.Voice, tandem.Chat, tandem.SMS} {
		if got := flow.Render(c, "en", nil, flow.Wait{Kind: flow.WaitQueue, Served: true, Place: &flow.Place{Position: 1}}); got != nil {
			t.Errorf("%s: %+v", c, got)
		}
	}
}

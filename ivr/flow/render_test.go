package flow_test

import (
	"reflect"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

func play(step, text string) flow.Play {
	return flow.Play{Step: step, Parts: []tandem.Part{{Kind: tandem.PartText, Text: text}}}
}

func TestRender(t *testing.T) {
	menu := flow.Wait{Kind: flow.WaitListen, Step: "m", Options: []flow.Option{{Keys: "1", Label: "Balance"}, {Keys: "2", Label: "Cards"}}}
	yesNo := flow.Wait{Kind: flow.WaitListen, Step: "m", Options: []flow.Option{{Keys: "1", Label: "是"}, {Keys: "2", Label: "否"}}}
	listed := flow.Wait{Kind: flow.WaitListen, Step: "m", Options: []flow.Option{{Keys: "1", Label: "Monday 9:00"}, {Keys: "2", Label: "For Tuesday press 2"}}}
	words := flow.Wait{Kind: flow.WaitListen, Step: "m", Options: []flow.Option{{Label: "Balance"}, {Keys: "12", Label: "Cards"}}}
	lang := flow.Wait{Kind: flow.WaitListen, Step: "m", Options: []flow.Option{{Keys: "1", Label: "English"}, {Keys: "2", Label: "中文"}}}
	pin := flow.Wait{Kind: flow.WaitListen, Step: "m", Secret: true}
	offers := []flow.Option{{Keys: "1", Label: "callback"}, {Keys: "2", Label: "chat"}, {Keys: "3", Label: "sms"}}
	third := &flow.Place{Position: 3, AtLeast: 90 * time.Second, AtMost: 4 * time.Minute}
	hello, pick := play("hello", "Welcome."), play("m", "What would you like?")
	numbers := play("m", "For your balance, press 1. For cards, press 2.")
	tests := []struct {
		name    string
		channel tandem.Channel
		lang    string
		plays   []flow.Play
		wait    flow.Wait
		want    []flow.Shown
	}{
		{"voice is text only", tandem.Voice, "en", []flow.Play{hello, pick}, menu, []flow.Shown{{Text: "Welcome."}, {Text: "What would you like?"}}},
		{"a recording by voice", tandem.Voice, "en", []flow.Play{{Audio: "hello.wav"}}, menu, []flow.Shown{{Text: "(hello.wav)"}}},
		{"a recording in chat", tandem.Chat, "en", []flow.Play{{Audio: "hello.wav"}}, menu, nil},
		{"chat has buttons", tandem.Chat, "en", []flow.Play{hello, numbers}, menu, []flow.Shown{{Text: "Welcome."}, {Text: flow.Text(numbers.Parts), Buttons: menu.Options}}},
		{"sms has numbered lines", tandem.SMS, "en", []flow.Play{hello, pick}, menu, []flow.Shown{{Text: "Welcome."}, {Text: "What would you like?\n1 Balance\n2 Cards"}}},
		{"sms that names its keys", tandem.SMS, "en", []flow.Play{numbers}, menu, []flow.Shown{{Text: flow.Text(numbers.Parts)}}},
		{"sms that names one key", tandem.SMS, "en", []flow.Play{play("m", "Press 1, or 22.")}, menu, []flow.Shown{{Text: "Press 1, or 22.\n1 Balance\n2 Cards"}}},
		{"keys named by another step", tandem.SMS, "en", []flow.Play{play("hello", "1 or 2."), pick}, menu, []flow.Shown{{Text: "1 or 2."}, {Text: "What would you like?\n1 Balance\n2 Cards"}}},
		{"keys between Chinese letters", tandem.SMS, "zh-CN", []flow.Play{play("m", "余额请按1,信用卡请按2。")}, menu, []flow.Shown{{Text: "余额请按1,信用卡请按2。"}}},
		{"a list by sms", tandem.SMS, "en", []flow.Play{play("m", "When?")}, listed, []flow.Shown{{Text: "When?\n1 Monday 9:00\nFor Tuesday press 2"}}},
		{"a choice without keys", tandem.SMS, "en", []flow.Play{play("m", "Balance, or 12?")}, words, []flow.Shown{{Text: "Balance, or 12?\nBalance\n12 Cards"}}},
		{"yes or no in chat", tandem.Chat, "zh-CN", []flow.Play{play("m", "对吗?")}, yesNo, []flow.Shown{{Text: "对吗?", Buttons: yesNo.Options}}},
		{"yes or no by sms", tandem.SMS, "zh-CN", []flow.Play{play("m", "对吗?")}, yesNo, []flow.Shown{{Text: "对吗?\n1 是\n2 否"}}},
		{"languages are one message", tandem.SMS, "en", []flow.Play{play("m", "For English, 1."), play("m", "中文请按2。")}, lang, []flow.Shown{{Text: "For English, 1.\n中文请按2。"}}},
		{"the same step twice before another", tandem.Chat, "en", []flow.Play{pick, hello, pick}, menu,
			[]flow.Shown{{Text: "What would you like?"}, {Text: "Welcome."}, {Text: "What would you like?", Buttons: menu.Options}}},
		{"a secret", tandem.Chat, "en", []flow.Play{play("m", "Your PIN?")}, pin, []flow.Shown{{Text: "Your PIN?", Secret: true}}},
		{"an image alone", tandem.Chat, "en", []flow.Play{{Step: "m", Image: "a.png"}}, flow.Wait{}, []flow.Shown{{Image: "a.png"}}},
		{"nothing", tandem.SMS, "en", nil, menu, nil},
		{"in line in chat", tandem.Chat, "en", []flow.Play{hello}, flow.Wait{Kind: flow.WaitQueue, Place: third, Options: offers[:1]},
			[]flow.Shown{{Text: "Welcome."}, {Text: "You are number 3 in line. The wait is between 1 and 4 minutes.", Place: true, Buttons: []flow.Option{{Keys: "1", Label: "Call me back"}}}}},
		{"in line by voice", tandem.Voice, "en", nil, flow.Wait{Kind: flow.WaitQueue, Options: offers},
			[]flow.Shown{{Text: "You are in line. To be called back, press 1. To go on in chat, press 2. To go on by text message, press 3.", Place: true}}},
		{"in line by voice in Chinese", tandem.Voice, "zh-CN", nil, flow.Wait{Kind: flow.WaitQueue, Options: offers, Place: &flow.Place{Position: 1, AtMost: time.Second}},
			[]flow.Shown{{Text: "您排在第1位。预计等待不到一分钟。需要回电请按1。转到在线聊天请按2。转到短信请按3。", Place: true}}},
		{"in line by sms", tandem.SMS, "zh-CN", nil, flow.Wait{Kind: flow.WaitQueue, Options: offers[:1], Place: &flow.Place{Position: 2, AtLeast: 3 * time.Minute, AtMost: 3 * time.Minute}},
			[]flow.Shown{{Text: "您排在第2位。预计等待约3分钟。\n1 给我回电", Place: true}}},
	}
	for _, tt := range tests {
		if got := flow.Render(tt.channel, tt.lang, tt.plays, tt.wait); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

package flow

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem"
)

// Sentence is one sentence of the program's own for those who wait in line, in one
// language, as the pieces of text around its values: what there has to be recordings of.
type Sentence struct {
	Name   string // of the prompt, line_…
	Lang   string // en or zh-CN
	Pieces []string
}

// Sentences by name that LinePlay says.
const (
	LinePutThrough  = "line_put_through" // an agent is there
	LineNoCallback  = "line_no_callback" // the offer of a callback cannot be kept
	LineUnreachable = "line_unreachable" // nor that of chat or sms
	LineSent        = "line_sent"        // the way to chat or sms is sent
	LineInterrupted = "line_interrupted" // the agent's connection is cut
	LineOfficer     = "line_officer"     // somebody comes who checks by video who the caller is
	LineScreen      = "line_screen"      // and the page for that is sent
)

// lineSentence is a sentence in both languages; {} is where a value goes.
type lineSentence struct{ name, en, zh string }

func lineSentences() []lineSentence {
	return []lineSentence{
		{"line_place", "You are number {} in line.", "您排在第{}位。"},
		{"line_in_line", "You are in line.", "正在排队，请稍候。"},
		{"line_wait_unknown", "How long it takes is not known yet.", "暂时无法估计等待时间。"},
		{"line_wait_short", "The wait is less than a minute.", "预计等待不到一分钟。"},
		{"line_wait_most", "The wait is up to {} minutes.", "预计等待不超过{}分钟。"},
		{"line_wait_about", "The wait is about {} minutes.", "预计等待约{}分钟。"},
		{"line_wait_between", "The wait is between {} and {} minutes.", "预计等待{}到{}分钟。"},
		{"line_offer_callback", "To be called back, press {}.", "需要回电请按{}。"},
		{"line_offer_chat", "To go on in chat, press {}.", "转到在线聊天请按{}。"},
		{"line_offer_sms", "To go on by text message, press {}.", "转到短信请按{}。"},
		{LinePutThrough, "You are being put through.", "正在为您接通。"},
		{LineNoCallback, "Sorry, we cannot call that number back.", "抱歉，无法给该号码回电。"},
		{LineUnreachable, "Sorry, we cannot reach you there.", "抱歉，无法通过该方式联系您。"},
		{LineInterrupted, "The line to our colleague was interrupted. Please stay: you keep your place.", "与客服的连接中断了。请不要挂断，您的位置会保留。"},
		{LineOfficer, "Our colleague will check by video who you are. Please stay on the phone. To stop, press 0.", "我们的同事将通过视频核验您的身份。请不要挂断电话。取消请按0。"},
		{LineScreen, "We have sent you a text message with a page. Please open it now.", "我们已向您发送短信，请现在打开其中的页面。"},
		{LineSent, "We have sent you the way there. Your place in line is kept.", "已向您发送链接，您的排队位置会保留。"},
	}
}

// LineSentences is every sentence for those who wait, in each language, in a fixed order.
func LineSentences() []Sentence {
	var all []Sentence
	for _, s := range lineSentences() {
		all = append(all, Sentence{s.name, "en", strings.Split(s.en, "{}")}, Sentence{s.name, "zh-CN", strings.Split(s.zh, "{}")})
	}
	return all
}

// lineLang is the language of the sentences that comes nearest to a customer's.
func lineLang(lang string) string {
	if l, _, _ := strings.Cut(strings.ToLower(lang), "-"); l == "zh" || l == "cmn" || l == "yue" {
		return "zh-CN"
	}
	return "en"
}

// Announce is what a caller who waits is told: their place, an honest range for the wait,
// and what is offered by now. Keys stop it.
func Announce(lang string, w Wait) Play {
	return Play{Step: w.Step, Name: "line_place", Lang: lineLang(lang), Parts: PlaceParts(lang, w.Place, w.Options), BargeIn: BargeDTMF}
}

// LinePlay is one of the sentences without a value, by name.
func LinePlay(lang, name string) Play {
	return Play{Name: name, Lang: lineLang(lang), Parts: lineParts(nil, lang, name), BargeIn: BargeNone}
}

// PlaceParts tells the place in line, the range for the wait, and the offers with their
// keys, in pieces of which there are recordings. p nil = it is not known yet.
func PlaceParts(lang string, p *Place, offers []Option) []tandem.Part {
	var parts []tandem.Part
	switch {
	case p == nil, p.Position <= 0:
		parts = lineParts(parts, lang, "line_in_line")
	default:
		parts = lineParts(parts, lang, "line_place", count(p.Position))
	}
	if p != nil {
		parts = waitParts(parts, lang, p)
	}
	for _, o := range offers {
		parts = lineParts(parts, lang, "line_offer_"+o.Label, tandem.Part{Kind: tandem.PartDigits, Text: o.Keys, Value: o.Keys})
	}
	return parts
}

// waitParts adds the range for the wait, in minutes: the least rounded down and the most
// up, so that nobody waits longer than they were told.
func waitParts(parts []tandem.Part, lang string, p *Place) []tandem.Part {
	least, most := int(p.AtLeast/time.Minute), int((p.AtMost+time.Minute-1)/time.Minute)
	switch {
	case most <= 0 && p.Position <= 0:
		return parts
	case most <= 0:
		return lineParts(parts, lang, "line_wait_unknown")
	case most == 1:
		return lineParts(parts, lang, "line_wait_short")
	case least <= 0:
		return lineParts(parts, lang, "line_wait_most", minutes(lang, most))
	case least >= most:
		return lineParts(parts, lang, "line_wait_about", minutes(lang, most))
	}
	return lineParts(parts, lang, "line_wait_between", minutes(lang, least), minutes(lang, most))
}

func count(n int) tandem.Part {
	s := strconv.Itoa(n)
	return tandem.Part{Kind: tandem.PartNumber, Text: s, Value: s}
}

// minutes is a number before that word: in Chinese two of anything is another word than 2.
func minutes(lang string, n int) tandem.Part {
	if n == 2 && lineLang(lang) == "zh-CN" {
		return tandem.Part{Kind: tandem.PartText, Text: "两"}
	}
	return count(n)
}

// lineParts adds a sentence to those before it. One of no known name adds nothing.
func lineParts(parts []tandem.Part, lang, name string, values ...tandem.Part) []tandem.Part {
	all := lineSentences()
	i := slices.IndexFunc(all, func(s lineSentence) bool { return s.name == name })
	if i < 0 {
		return parts
	}
	text, between := all[i].en, " "
	if lineLang(lang) == "zh-CN" {
		text, between = all[i].zh, ""
	}
	if len(parts) == 0 {
		between = ""
	}
	for j, piece := range strings.Split(text, "{}") {
		if j > 0 && j <= len(values) {
			parts, between = append(parts, values[j-1]), ""
		}
		parts = append(parts, tandem.Part{Kind: tandem.PartText, Text: between + piece})
	}
	return parts
}

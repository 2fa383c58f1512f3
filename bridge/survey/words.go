package survey

import (
	"slices"
	"strconv"
	"strings"

	"tandem"
	"tandem/ivr/flow"
)

// Phrase is one sentence of the talk, in one language, as the pieces of text around its
// values: what there has to be recordings of.
type Phrase struct {
	Name   string // of the prompt, survey_…
	Lang   string // en or zh-CN
	Pieces []string
}

// phrase is a sentence in both languages; {} is where a value goes.
type phrase struct{ name, en, zh string }

func phrases() []phrase {
	return []phrase{
		{"survey_yes_no", "For yes, press 1. For no, press 2.", "是请按1，否请按2。"},
		{"survey_choice", "For {}, press {}.", "{}请按{}。"},
		{"survey_again", "That is none of the answers.", "输入无效。"},
		{"survey_again_range", "Please answer with a number from {} to {}.", "请用{}到{}的数字回答。"},
		{"survey_intro", "Thank you for talking to us. We would like to know how it was. To leave it at that, answer: quit.", "感谢您联系我们，想请您评价这次服务。如不想参与，请回复“退出”。"},
		{"survey_thanks", "Thank you for your answer.", "感谢您的评价。"},
	}
}

// Words is every sentence that is said in a call, in each language, in a fixed order.
func Words() []Phrase {
	var all []Phrase
	for _, p := range phrases()[:4] { // the last two are for texts
		all = append(all, Phrase{p.name, "en", strings.Split(p.en, "{}")}, Phrase{p.name, "zh-CN", strings.Split(p.zh, "{}")})
	}
	return all
}

// spoken is the language of the sentences that comes nearest to a customer's.
func spoken(lang string) string {
	if l, _, _ := strings.Cut(strings.ToLower(lang), "-"); l == "zh" || l == "cmn" || l == "yue" {
		return "zh-CN"
	}
	return "en"
}

// sentence is the words of a sentence.
func sentence(name, lang string) string {
	all := phrases()
	p := all[slices.IndexFunc(all, func(p phrase) bool { return p.name == name })]
	if spoken(lang) == "zh-CN" {
		return p.zh
	}
	return p.en
}

// say is a sentence as something to play, with values where it has {}.
func say(name, lang string, values ...tandem.Part) flow.Play {
	p := flow.Play{Name: name, Lang: spoken(lang), BargeIn: flow.BargeDTMF}
	for i, piece := range strings.Split(sentence(name, lang), "{}") {
		if i > 0 && i <= len(values) {
			p.Parts = append(p.Parts, values[i-1])
		}
		if piece != "" {
			p.Parts = append(p.Parts, tandem.Part{Kind: tandem.PartText, Text: piece})
		}
	}
	return p
}

func numberPart(n int) tandem.Part {
	s := strconv.Itoa(n)
	return tandem.Part{Kind: tandem.PartNumber, Text: s, Value: s}
}

// labels are of what can be tapped.
func labels(lang string) (yes, no, skip, stop string) {
	if spoken(lang) == "zh-CN" {
		return "是", "否", "跳过", "退出"
	}
	return "Yes", "No", "Skip", "Quit"
}

// ask is a form's prompt in the session's language, else in English, else in the first
// language by tag that it has.
func ask(p *flow.Prompt, lang string) flow.Play {
	play := flow.Play{Lang: lang, BargeIn: flow.BargeDTMF}
	if p == nil {
		return play
	}
	tags := []string{lang, spoken(lang), "en"}
	for tag := range p.ByLang {
		tags = append(tags, tag)
	}
	slices.Sort(tags[3:])
	for _, tag := range tags {
		w := p.ByLang[tag]
		if w == nil {
			continue
		}
		play.Name, play.Lang, play.Audio, play.Image = p.Name, tag, w.Audio, w.Image
		if w.Text != nil {
			play.Parts, _ = w.Text.Parts(nil, tag) // plain: the reader refuses values in a form
		}
		return play
	}
	return play
}

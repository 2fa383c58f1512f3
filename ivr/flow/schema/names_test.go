package schema

import (
	"regexp"
	"strings"
	"testing"
)

// folderNames is what a folder declares.
func folderNames() *Names {
	return &Names{
		Calendars: []string{"head_office"}, Queues: []string{"cards", "loans"}, Boxes: []string{"cards"}, Forms: []string{"csat"},
		Operations: []string{"enrol"}, Classifiers: []string{"triage"}, Knowledge: []string{"cards"}, Prompts: []string{"ask"},
		Flows: []FlowNames{
			{Name: "alone", Steps: []string{"a"}},
			{
				Name: "rating", Inputs: []Named{{"about", "text"}, {"from", "int"}}, Outcomes: []string{"rated", "declined"}, Steps: []string{"look"},
				HTTP: []string{"look"}, Vars: []Named{{"about", "text"}, {"from", "int"}, {"score", "int"}}, Prompts: []string{"ask"},
			},
		},
	}
}

// A schema with the names of a folder refuses others, and knows what a called flow
// takes and how it ends.
func TestSchemaWithNames(t *testing.T) {
	all := validators(t, folderNames())
	flow := func(step string) string {
		return "flow: x\nchannels: [voice]\nlanguages: [en]\nstart: a\nprompts: { own: { en: x } }\nsteps:\n  a: " + step + "\n"
	}
	for _, c := range []struct {
		text  string
		fine  bool
		about string
	}{
		{"{ hours: { calendar: head_office }, next: { else: end } }", true, "a calendar"},
		{"{ hours: { calendar: nowhere }, next: { else: end } }", false, "no such calendar"},
		{"{ queue: { name: loans }, next: { else: end } }", true, "a queue"},
		{"{ queue: { name: loan }, next: { else: end } }", false, "no such queue"},
		{"{ voicemail: { box: loans }, next: end }", false, "no such box"},
		{"{ survey: { form: csat }, next: end }", true, "a form"},
		{"{ link: { operation: enroll, prompt: own }, next: end }", false, "no such operation"},
		{"{ classify: { classifier: triage, text: x, into: { request: y } }, next: end }", true, "a classifier"},
		{"{ answer: { knowledge: card, text: x }, next: end }", false, "no such knowledge"},
		{"{ say: own, next: end }", true, "a prompt of its own"},
		{"{ say: ask, next: end }", true, "a prompt of another flow, which may be one here, too"},
		{"{ subflow: { name: rating, with: { about: x } }, next: { rated: end, declined: end } }", true, "a call"},
		{"{ subflow: { name: rating }, next: { rated: end } }", false, "an outcome left out"},
		{"{ subflow: { name: rating }, next: { rated: end, else: end, gone: end } }", false, "no such outcome"},
		{"{ subflow: { name: rating, with: { abuot: x } }, next: end }", false, "no such input"},
		{"{ subflow: { name: ratings }, next: end }", false, "no such flow"},
	} {
		says, ok := verdict(t, all, "x.flow.yaml", []byte(flow(c.text)))
		if !ok || (says == "") != c.fine {
			t.Errorf("%s: read %v, the schema says %q", c.about, ok, says)
		}
	}
	if says, ok := verdict(t, all, "x.queues.yaml", []byte("queues: { fresh: {} }\nboxes: { a: { queue: fresh } }\n")); !ok || says != "" {
		t.Errorf("a queue that is not in the folder yet: %s", says)
	}
	if text, err := JSON(&Names{Lang: "zh-CN"}); err != nil || !strings.Contains(string(text), "提供选项") {
		t.Errorf("in Chinese: %v", err)
	}
	if _, err := JSONOf("poem", nil); err == nil {
		t.Error("a schema of a kind that is none")
	}
}

// What an editor shows is in the language that was asked for.
func TestMessagesOfASchema(t *testing.T) {
	for lang, stop := range map[string]string{"en": ".", "zh-CN": "。"} {
		text, err := JSON(&Names{Lang: lang})
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`"(errorMessage|description)": "(.*)"`).FindAllStringSubmatch(string(text), -1)
		for _, m := range found {
			if !strings.HasSuffix(m[2], stop) {
				t.Errorf("%s: %s", lang, m[0])
			}
		}
		for _, message := range []string{map[string]string{"en": "small letters", "zh-CN": "小写字母"}[lang], map[string]string{"en": "a tag such as", "zh-CN": "语言写作标签"}[lang]} {
			if !strings.Contains(string(text), `"errorMessage": "`) || !strings.Contains(string(text), message) {
				t.Errorf("%s: nothing says %q", lang, message)
			}
		}
	}
}

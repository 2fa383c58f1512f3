package flow

import (
	"slices"
	"strings"

	"tandem/ivr/flow/expression"
)

// Reply is a text that agents send by its name: a canned reply.
type Reply struct {
	Name   string
	Pos    Pos
	Queues []string // whose agents have it; none = everybody
	Langs  []string // as written; the first is said where there is none that fits better
	ByLang map[string]*expression.Template
}

// ReplyPreview is a reply as it would be sent.
type ReplyPreview struct {
	Name    string   `json:"name"`
	Lang    string   `json:"lang"`
	Text    string   `json:"text"`              // what is missing stands in it as ‹name›
	Missing []string `json:"missing,omitempty"` // names in the text whose values are not known; it is not to be sent like this
}

// For reports whether the agents of a queue have the reply.
func (r *Reply) For(queue string) bool {
	return len(r.Queues) == 0 || slices.Contains(r.Queues, queue)
}

// Language is the language in which the reply is said to somebody who speaks lang: that one,
// else one of the same tongue, else the first.
func (r *Reply) Language(lang string) string {
	if _, ok := r.ByLang[lang]; ok || len(r.Langs) == 0 {
		return lang
	}
	tongue, _, _ := strings.Cut(lang, "-")
	for _, l := range r.Langs {
		if have, _, _ := strings.Cut(l, "-"); have == tongue {
			return l
		}
	}
	return r.Langs[0]
}

// Preview writes the reply for somebody who speaks lang. Known has the values of its names
// (customer, interaction, agent, and the flow's answers); what is not in it, or is empty, is
// shown as missing.
func (r *Reply) Preview(lang string, known map[string]any) ReplyPreview {
	p := ReplyPreview{Name: r.Name, Lang: r.Language(lang)}
	t := r.ByLang[p.Lang]
	if t == nil {
		return p
	}
	p.Text, p.Missing = t.Fill(known, p.Lang)
	return p
}

package link

import (
	"bytes"
	"html/template"
	"net/http"
	"slices"
	"strings"

	links "tandem/bridge/link"
)

// view is a page. Everything in it is text, which the templates escape where it stands.
type view struct {
	Root   string // way from the page's address to where the pages are mounted
	Kind   string // neutral, lost, unusable, busy, long, down, prove, nofactor, operation, done, declined, go, there, ticket
	W      *words
	Name   string // of the organisation
	Script bool
	Switch []other // other languages
	Lang   string  // chosen by the person; "" = none was
	Nonce  string
	Note   string

	Token string // neutral
	ID    string // of the link

	// prove
	Told, Digits    bool
	Question, Wrong string

	// operation
	Heading, HeadingLang string
	Steps                []stepView
	Errors               []fieldView
	Confirm, ConfirmLang string
	Left                 string

	// done
	Result, ResultLang string
	Said               []string

	Handoff *handoff // there

	Ticket *ticketView // ticket
}

// handoff is what the page's script /handoff.js reads.
type handoff struct {
	Site  string `json:"site"`
	Token string `json:"token"`
	Lang  string `json:"lang,omitempty"` // in which the customer is spoken with
}

type stepView struct {
	Text, Lang, Image string
	Fields            []fieldView
}

// other is a way to the page in another language.
type other struct{ Tag, Name, Href string }

// Title is that of the window.
func (v view) Title() string {
	switch v.Kind {
	case "neutral", "lost":
		return v.W.Neutral
	case "prove":
		return v.W.Prove
	case "nofactor":
		return v.W.NoFactor
	case "operation":
		title := v.Heading
		if title == "" {
			title = v.W.Fill
		}
		if len(v.Errors) > 0 { // those who hear the page hear it first
			return v.W.ErrorTitle + title
		}
		return title
	case "done":
		return v.W.Done
	case "declined":
		return v.W.Declined
	case "go", "there":
		return v.W.Go
	case "ticket":
		return v.Ticket.Heading
	case "busy":
		return v.W.Busy
	case "long":
		return v.W.Long
	case "down":
		return v.W.Down
	}
	return v.W.Unusable
}

// looks are the parsed templates.
type looks struct {
	t   *template.Template
	err error
}

func newLooks() looks {
	t, err := template.New("page.html").ParseFS(files, "page/*.html")
	return looks{t, err}
}

// show writes a page.
func (p *pages) show(w http.ResponseWriter, status int, v view) {
	v.Name = p.o.Name
	var b bytes.Buffer
	err := p.looks.err
	if err == nil {
		err = p.looks.t.Execute(&b, v)
	}
	if err != nil { // a fault of ours
		p.o.Log.Error("a link's page cannot be written", "kind", v.Kind, "link", v.ID, "error", err)
		http.Error(w, v.W.Down, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.W.Tag)
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that left is none of ours to mend
}

// chosen is the language that the person has chosen on a page; "" = none.
func chosen(r *http.Request) string {
	tag := r.URL.Query().Get("lang")
	if r.PostForm != nil && r.PostForm.Get("lang") != "" {
		tag = r.PostForm.Get("lang")
	}
	if _, known := wordsByTag()[tag]; !known {
		return ""
	}
	return tag
}

// wordsOf are those of a link's page: one that opens beside a call says so.
func (p *pages) wordsOf(r *http.Request, l links.Link) *words {
	w := p.words(r, l.Lang)
	if p.o.Beside == nil || !p.o.Beside(l) {
		return w
	}
	beside := *w
	beside.Go, beside.GoText, beside.GoHere = w.Beside, w.BesideText, w.BesideHere
	return &beside
}

// words are those of the language that was chosen, else the link's, else the browser's.
func (p *pages) words(r *http.Request, link string) *words {
	wanted := append([]string{chosen(r), link}, strings.FieldsFunc(r.Header.Get("Accept-Language"), func(c rune) bool { return c == ',' })...)
	for _, tag := range wanted[:min(len(wanted), 12)] {
		tag, _, _ = strings.Cut(strings.TrimSpace(tag), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		for _, w := range allWords() {
			if has, _, _ := strings.Cut(w.Tag, "-"); base == has {
				return w
			}
		}
	}
	return allWords()[0]
}

// langs are the languages that an operation's own words are looked for in.
func (p *pages) langs(r *http.Request, l links.Link) []string {
	var out []string
	for _, tag := range []string{chosen(r), l.Lang, p.words(r, l.Lang).Tag, "en"} {
		if tag != "" && !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	return out
}

// others are the ways to a page in the languages it is not in.
func (p *pages) others(tag, address string) []other {
	var out []other
	for _, w := range allWords() {
		if w.Tag != tag {
			out = append(out, other{w.Tag, w.Name, address + "?lang=" + w.Tag})
		}
	}
	return out
}

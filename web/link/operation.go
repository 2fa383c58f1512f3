package link

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"tandem"
	links "tandem/bridge/link"
	"tandem/ivr/flow"
)

// look shows the page of a link that this browser has opened, as it stands.
func (p *pages) look(w http.ResponseWriter, r *http.Request) {
	if !p.work.allow(p.o.Address(r), 1) {
		p.failed(w, r, "../", errTooMany)
		return
	}
	l, err := p.mine(r)
	if err != nil {
		p.failed(w, r, "../", err)
		return
	}
	p.stand(w, r, http.StatusOK, l, answers{})
}

// mine is the link of the request's address, if its browser is the one that opened it.
func (p *pages) mine(r *http.Request) (links.Link, error) {
	id := r.PathValue("id")
	browser := p.cookie(r, id)
	if browser == "" || !tandem.ValidID(id) {
		return links.Link{}, links.ErrUnusable
	}
	return p.o.Desk.Page(r.Context(), tandem.LinkID(id), browser)
}

// answers are what was typed into a page that is shown again.
type answers struct {
	given  bool
	in     url.Values
	faults map[string]fault
	note   string // why it is shown again, where no field is at fault
}

// stand shows where a link stands.
func (p *pages) stand(w http.ResponseWriter, r *http.Request, status int, l links.Link, a answers) {
	words := p.wordsOf(r, l)
	v := view{Root: "../", W: words, ID: string(l.ID), Note: a.note, Lang: chosen(r)}
	v.Nonce = p.forms.make("page", p.subject(r, l))
	v.Switch = p.others(words.Tag, "../o/"+v.ID)
	switch {
	case l.State == tandem.LinkDeclined:
		v.Kind = "declined"
	case l.State == tandem.LinkDone && l.Handoff():
		v.Kind = "go"
	case l.State == tandem.LinkDone:
		v.Kind = "done"
		if operation, _, err := p.o.Operations(r.Context(), l); err == nil { // without it, the plain words
			v.Result, v.ResultLang = pick(operation.Result, p.langs(r, l))
		}
		if p.o.Said != nil && l.Needs >= l.Assurance { // who has the page may be told what the session's customer is
			v.Said = p.o.Said(r.Context(), l)
		}
	case !p.o.Desk.Proved(l):
		p.prove(w, r, status, l, v, a)
		return
	case l.Handoff():
		v.Kind = "go"
	default:
		if err := p.operation(r, l, &v, a); err != nil {
			p.failed(w, r, "../", err)
			return
		}
	}
	p.show(w, status, v)
}

// subject is what the nonces of a link's page are about: the link in this browser.
func (p *pages) subject(r *http.Request, l links.Link) string {
	return string(l.ID) + " " + p.cookie(r, string(l.ID))
}

// prove asks for the second factor.
func (p *pages) prove(w http.ResponseWriter, r *http.Request, status int, l links.Link, v view, a answers) {
	v.Kind = "prove"
	q, err := p.o.Desk.Ask(r.Context(), l, v.W.Tag, false)
	switch {
	case errors.Is(err, links.ErrNoFactor):
		v.Kind = "nofactor"
	case errors.Is(err, links.ErrTooSoon):
		v.Kind, v.Note = "busy", ""
		status = http.StatusTooManyRequests
	case err != nil:
		p.failed(w, r, "../", err)
		return
	}
	v.Told, v.Question, v.Digits = q.Kind == links.KindTold, q.Words, q.Kind != "text"
	switch a.faults["code"] {
	case faultMissing:
		v.Wrong = v.W.Faults[faultMissing]
	case faultWrong:
		v.Wrong = plural(links.MaxAttempts-l.Attempts, v.W.WrongOnce, v.W.Wrong)
	}
	p.show(w, status, v)
}

// operation fills in what an operation shows and asks.
func (p *pages) operation(r *http.Request, l links.Link, v *view, a answers) error {
	operation, forms, err := p.o.Operations(r.Context(), l)
	if err != nil {
		return fmt.Errorf("finding operation %q: %w", l.Operation, err)
	}
	held := map[string]any{}
	if !a.given {
		if held, err = p.o.Desk.Params(r.Context(), l); err != nil {
			return err
		}
	}
	langs := p.langs(r, l)
	v.Kind = "operation"
	v.Heading, v.HeadingLang = pick(operation.Title, langs)
	v.Confirm, v.ConfirmLang = pick(operation.Confirm, langs)
	if left := l.Expires.Sub(p.o.Now()); left < 2*time.Hour {
		v.Left = plural(max(1, int(left/time.Minute)), v.W.MinuteLeft, v.W.MinutesLeft)
	}
	fields := fieldsOf(operation, forms)
	for i, s := range operation.Steps {
		step := stepView{}
		step.Text, step.Lang = pick(s.Show, langs)
		if image(s, langs) != "" {
			step.Image = fmt.Sprintf("../o/%s/%d?lang=%s", l.ID, i, url.QueryEscape(langs[0]))
		}
		for _, f := range fields[i] {
			text := f.written(held[f.Name])
			if a.given {
				text = a.in.Get(f.ID)
			}
			field := f.view(v.W, langs, text, a.faults[f.ID])
			step.Fields = append(step.Fields, field)
			if field.Error != "" {
				v.Errors = append(v.Errors, field)
			}
		}
		v.Steps = append(v.Steps, step)
	}
	return nil
}

// image is a step's picture: that of the language before that of all.
func image(s flow.OperationStep, langs []string) string {
	if w, _ := pickWords(s.Show, langs); w != nil && w.Image != "" {
		return w.Image
	}
	return s.Image
}

// act takes what the person does on a page.
func (p *pages) act(w http.ResponseWriter, r *http.Request) {
	in, err := p.take(w, r)
	if err != nil {
		p.failed(w, r, "../", err)
		return
	}
	l, err := p.mine(r)
	if errors.Is(err, links.ErrUnusable) {
		p.guessed(w, r, "../")
		return
	}
	if err != nil {
		p.failed(w, r, "../", err)
		return
	}
	if !p.forms.ok("page", p.subject(r, l), in.Get("nonce")) {
		p.stand(w, r, http.StatusBadRequest, l, answers{given: true, in: in, note: p.words(r, l.Lang).Stale})
		return
	}
	switch in.Get("act") {
	case "code":
		p.check(w, r, l, in)
	case "again":
		p.again(w, r, l)
	case "decline":
		_, err := p.o.Desk.Decline(r.Context(), l.ID, p.cookie(r, string(l.ID)))
		p.after(w, r, l, err)
	default:
		p.finish(w, r, l, in)
	}
}

// after shows what came of an act: by a page of its own, so that loading it anew does
// nothing again.
func (p *pages) after(w http.ResponseWriter, r *http.Request, l links.Link, err error) {
	if err != nil && !errors.Is(err, links.ErrUnproved) { // that page asks for what is missing
		p.failed(w, r, "../", err)
		return
	}
	p.see(w, string(l.ID), r.PostForm.Get("lang"))
}

// check takes the answer to the second factor.
func (p *pages) check(w http.ResponseWriter, r *http.Request, l links.Link, in url.Values) {
	browser := p.cookie(r, string(l.ID))
	l, ok, err := p.o.Desk.Prove(r.Context(), l.ID, browser, in.Get("code"))
	switch {
	case errors.Is(err, links.ErrTooSoon), errors.Is(err, links.ErrNoFactor): // the page asks anew, or says that it cannot
		p.stand(w, r, http.StatusOK, l, answers{})
	case errors.Is(err, links.ErrUnusable):
		p.guessed(w, r, "../")
	case err != nil:
		p.failed(w, r, "../", err)
	case !ok && strings.TrimSpace(in.Get("code")) == "":
		p.stand(w, r, http.StatusUnprocessableEntity, l, answers{faults: map[string]fault{"code": faultMissing}})
	case !ok:
		p.wrong.allow(p.o.Address(r), 1)
		p.stand(w, r, http.StatusUnprocessableEntity, l, answers{faults: map[string]fault{"code": faultWrong}})
	case l.Handoff():
		p.finish(w, r, l, in)
	default:
		p.see(w, string(l.ID), in.Get("lang"))
	}
}

// again sends a new code.
func (p *pages) again(w http.ResponseWriter, r *http.Request, l links.Link) {
	words := p.words(r, l.Lang)
	_, err := p.o.Desk.Ask(r.Context(), l, words.Tag, true)
	switch {
	case errors.Is(err, links.ErrTooSoon):
		p.stand(w, r, http.StatusTooManyRequests, l, answers{note: words.TooSoon})
	case err != nil && !errors.Is(err, links.ErrNoFactor):
		p.failed(w, r, "../", err)
	default:
		p.stand(w, r, http.StatusOK, l, answers{note: words.SentAgain})
	}
}

// finish carries the operation out, or lets the customer go on by another channel.
func (p *pages) finish(w http.ResponseWriter, r *http.Request, l links.Link, in url.Values) {
	browser := p.cookie(r, string(l.ID))
	if l.Handoff() {
		l, err := p.o.Desk.Finish(r.Context(), l.ID, browser, nil)
		if err != nil || l.State != tandem.LinkDone {
			p.after(w, r, l, err)
			return
		}
		p.goOn(w, r, "../", l)
		return
	}
	if l.State.Over() || !p.o.Desk.Proved(l) { // nothing to do, or not yet
		p.see(w, string(l.ID), in.Get("lang"))
		return
	}
	operation, forms, err := p.o.Operations(r.Context(), l)
	if err != nil {
		p.failed(w, r, "../", fmt.Errorf("finding operation %q: %w", l.Operation, err))
		return
	}
	values, faults := readAll(fieldsOf(operation, forms), in)
	if len(faults) > 0 {
		p.stand(w, r, http.StatusUnprocessableEntity, l, answers{given: true, in: in, faults: faults})
		return
	}
	_, err = p.o.Desk.Finish(r.Context(), l.ID, browser, values)
	p.after(w, r, l, err)
}

// pictureKinds are the files that a page shows. SVG is none: it may hold scripts.
var pictureKinds = map[string]string{".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp"}

// picture serves the picture of a step: its number is in the address, its file's name is
// nobody's business.
func (p *pages) picture(w http.ResponseWriter, r *http.Request) {
	if !p.work.allow(p.o.Address(r), 1) {
		p.failed(w, r, "../../", errTooMany)
		return
	}
	l, err := p.mine(r)
	if err == nil && !p.o.Desk.Proved(l) {
		err = links.ErrUnusable
	}
	if err != nil {
		p.failed(w, r, "../../", err)
		return
	}
	operation, _, err := p.o.Operations(r.Context(), l)
	if err != nil {
		p.failed(w, r, "../../", err)
		return
	}
	i, err := strconv.Atoi(r.PathValue("picture"))
	if err != nil || i < 0 || i >= len(operation.Steps) || p.o.Images == nil {
		p.failed(w, r, "../../", links.ErrUnusable)
		return
	}
	name := image(operation.Steps[i], p.langs(r, l))
	kind := pictureKinds[strings.ToLower(path.Ext(name))]
	data, err := fs.ReadFile(p.o.Images, name)
	if kind == "" || err != nil {
		p.failed(w, r, "../../", links.ErrUnusable)
		return
	}
	w.Header().Set("Content-Type", kind)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

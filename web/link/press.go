package link

import (
	"errors"
	"net/http"
	"net/url"

	"tandem"
	links "tandem/bridge/link"
)

// tokenGone stands in the address once the script has taken the token out of it. A page
// that is then loaded anew has no token any more.
const tokenGone = "open"

// neutral shows the page before the press. It is the same for every token, whether or not
// there is such a link; it looks nothing up and changes nothing, so that a program that
// looks at addresses in messages does no harm.
func (p *pages) neutral(w http.ResponseWriter, r *http.Request) {
	token := r.PathValue("token")
	if token == tokenGone {
		p.show(w, http.StatusOK, view{Root: "../", Kind: "lost", W: p.words(r, "")})
		return
	}
	if !links.ValidToken(token) {
		p.failed(w, r, "../", links.ErrUnusable)
		return
	}
	p.ask(w, r, http.StatusOK, "../", token, "")
}

func (p *pages) ask(w http.ResponseWriter, r *http.Request, status int, root, token, note string) {
	words := p.words(r, "")
	p.show(w, status, view{
		Root: root, Kind: "neutral", W: words, Token: token, Nonce: p.forms.make("press", token), Note: note, Script: true, Lang: chosen(r),
		Switch: p.others(words.Tag, root+"l/"+token),
	})
}

// press takes the person's press.
func (p *pages) press(w http.ResponseWriter, r *http.Request) {
	in, err := p.take(w, r)
	if err != nil {
		p.failed(w, r, "", err)
		return
	}
	token := in.Get("token")
	if !links.ValidToken(token) {
		p.guessed(w, r, "")
		return
	}
	nonce := in.Get("nonce")
	if !p.forms.ok("press", token, nonce) {
		p.ask(w, r, http.StatusBadRequest, "", token, p.words(r, "").Stale)
		return
	}
	l, browser, err := p.open(r, token, nonce)
	if errors.Is(err, links.ErrUnusable) {
		p.guessed(w, r, "")
		return
	}
	if err != nil {
		p.failed(w, r, "", err)
		return
	}
	p.keep(w, &l, browser)
	if l.Handoff() && l.State == tandem.LinkDone {
		p.goOn(w, r, "", l)
		return
	}
	p.see(w, "o/"+string(l.ID), in.Get("lang"))
}

// open opens the link for the browser that has its cookie, or for the one that presses
// first.
func (p *pages) open(r *http.Request, token, nonce string) (l links.Link, browser string, err error) {
	if l, err = p.o.Desk.ByToken(r.Context(), token); err != nil {
		return l, "", err
	}
	browser = p.cookie(r, string(l.ID))
	if browser == "" {
		browser = p.forms.browser(nonce, r.UserAgent())
		if !l.Opened.IsZero() && p.o.Now().Sub(l.Opened) > twice {
			return l, "", links.ErrUnusable
		}
	}
	l, err = p.o.Desk.Open(r.Context(), l.ID, browser)
	return l, browser, err
}

// take reads a form that was sent, if it may be sent from there, and so often.
func (p *pages) take(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	from := p.o.Address(r)
	if !p.wrong.allow(from, 0) || !p.work.allow(from, 1) {
		return nil, errTooMany
	}
	if !p.own(r) {
		return nil, errCross
	}
	return readBody(w, r)
}

// guessed answers a wrong token, and counts it.
func (p *pages) guessed(w http.ResponseWriter, r *http.Request, root string) {
	p.wrong.allow(p.o.Address(r), 1)
	p.failed(w, r, root, links.ErrUnusable)
}

// goOn answers with a page that hands the conversation to the browser and goes there: its
// script keeps the token where the chat looks for it, so that no address has it.
func (p *pages) goOn(w http.ResponseWriter, r *http.Request, root string, l links.Link) {
	if p.o.Accept == nil {
		p.failed(w, r, root, links.ErrUnusable)
		return
	}
	site, token, err := p.o.Accept(r.Context(), l, r)
	if err != nil {
		p.failed(w, r, root, err)
		return
	}
	p.show(w, http.StatusOK, view{Root: root, Kind: "there", W: p.wordsOf(r, l), Handoff: &handoff{site, token, l.Lang}})
}

// see redirects to an address, which may be relative to the request's: a proxy may have
// put the pages below a path of its own.
func (p *pages) see(w http.ResponseWriter, to, lang string) {
	if _, known := wordsByTag()[lang]; known {
		to += "?lang=" + lang
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

package simulator

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Phone is an inbox in a list.
type Phone struct {
	Number   string    `json:"number"`
	Messages int       `json:"messages"`
	Used     time.Time `json:"used"`
	Last     string    `json:"last"` // the newest text
}

// api is the JSON API:
//
//	GET  /phones                          {phones, numbers, counts}
//	GET  /phones/{number}/messages?after= {messages, rev}: those that changed after rev
//	POST /phones/{number}/reply           {text, to?, double?, delay_ms?} → 202 the message
//	GET  /knobs · PUT /knobs              Knobs
//	PUT  /knobs/next                      Knobs of the next text only
func (s *Simulator) api(mux *http.ServeMux) {
	handle := func(pattern string, h http.HandlerFunc) { mux.HandleFunc(pattern, s.fromHere(h)) }
	handle("GET /phones", s.listPhones)
	handle("GET /phones/{number}/messages", s.listMessages)
	handle("POST /phones/{number}/reply", s.reply)
	handle("GET /knobs", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		k := s.knobs
		s.mu.Unlock()
		writeJSON(w, http.StatusOK, k)
	})
	handle("PUT /knobs", s.setKnobs(func(k Knobs) { s.knobs = k }))
	handle("PUT /knobs/next", s.setKnobs(func(k Knobs) { s.next = &k }))
	for _, path := range []string{"/phones", "/phones/{number}/messages", "/phones/{number}/reply", "/knobs", "/knobs/next"} {
		handle("OPTIONS "+path, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	}
}

// fromHere lets in the simulator's own page, the one other origin that was named, and
// programs, which name none.
func (s *Simulator) fromHere(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		switch origin := r.Header.Get("Origin"); {
		case origin == "":
		case origin == s.o.Origin:
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Allow-Methods", "GET, POST, PUT")
			w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
		case origin != "http://"+r.Host && origin != "https://"+r.Host:
			refuse(w, http.StatusForbidden, "origin", "pages of this origin may not use the simulator; see --origin")
			return
		}
		h(w, r)
	}
}

func (s *Simulator) listPhones(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	list := []Phone{}
	for _, p := range s.phones {
		item := Phone{Number: p.number, Messages: len(p.messages), Used: p.used.UTC()}
		if n := len(p.messages); n > 0 {
			item.Last = p.messages[n-1].Text
		}
		list = append(list, item)
	}
	counts := s.counts
	s.mu.Unlock()
	slices.SortFunc(list, func(a, b Phone) int { return b.Used.Compare(a.Used) })
	numbers := []string{}
	for _, g := range s.o.Gateways {
		numbers = append(numbers, g.Numbers...)
	}
	writeJSON(w, http.StatusOK, map[string]any{"phones": list, "numbers": numbers, "counts": counts})
}

func (s *Simulator) listMessages(w http.ResponseWriter, r *http.Request) {
	after, err := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64)
	if err != nil && r.URL.Query().Has("after") {
		refuse(w, http.StatusBadRequest, "malformed", "after is the rev of an earlier answer")
		return
	}
	s.mu.Lock()
	list, rev := []Message{}, s.rev
	if p := s.phones[plain(r.PathValue("number"))]; p != nil {
		for _, m := range p.messages {
			if m.Rev > after {
				list = append(list, *m)
			}
		}
	}
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"messages": list, "rev": rev})
}

// Reply is what somebody writes on a phone.
type Reply struct {
	Text    string `json:"text"`
	To      string `json:"to"`       // "" = who wrote to the phone last, else the first number
	Double  bool   `json:"double"`   // it is posted twice
	DelayMS int    `json:"delay_ms"` // beside that of the knobs
}

const maxReply = 2000 // characters

func (s *Simulator) reply(w http.ResponseWriter, r *http.Request) {
	var in Reply
	if !readJSON(w, r, &in) {
		return
	}
	m, err := s.Reply(r.PathValue("number"), in)
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, errFull) {
			status = http.StatusServiceUnavailable
		}
		refuse(w, status, "refused", err.Error())
		return
	}
	writeJSON(w, http.StatusAccepted, m)
}

var errFull = errors.New("too much waits to be posted; is the server up?")

// Reply has a phone write a text.
func (s *Simulator) Reply(number string, in Reply) (Message, error) {
	from := plain(number)
	if from == "" {
		return Message{}, errors.New("the phone's number has 3 to 15 digits, with + and the country before them")
	}
	if n := len([]rune(in.Text)); n == 0 || n > maxReply {
		return Message{}, errors.New("a reply has 1 to 2000 characters")
	}
	if in.DelayMS < 0 || time.Duration(in.DelayMS)*time.Millisecond > maxDelay {
		return Message{}, errors.New("the delay goes from 0 to 10 minutes")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phoneOf(from)
	to := plain(in.To)
	if to == "" && in.To != "" {
		return Message{}, errors.New("the number that the reply is to is none")
	}
	for i := len(p.messages) - 1; i >= 0 && to == ""; i-- {
		if !p.messages[i].ByPhone {
			to = p.messages[i].From
		}
	}
	if to == "" {
		to = s.o.Gateways[0].Numbers[0]
	}
	g := s.gateway("", to)
	if g == nil {
		return Message{}, errors.New("no gateway here has the number that the reply is to")
	}
	if len(s.waiting) >= maxWaiting-1 {
		return Message{}, errFull
	}
	k := s.knobs
	m := &Message{ID: newID(map[string]string{Twilio: "SM", Webhook: "in_"}[g.Kind]), At: s.now().UTC(), From: from, To: to, ByPhone: true, Text: in.Text, State: "sending"}
	s.put(p, m)
	at := s.now().Add(time.Duration(in.DelayMS) * time.Millisecond)
	if s.chance(k.ReorderIn) {
		at = at.Add(k.delay() + time.Second)
	}
	s.plan(&post{at: at, message: m, gateway: g, address: g.Target})
	if in.Double || s.chance(k.DoubleIn) {
		s.plan(&post{at: at, message: m, gateway: g, address: g.Target})
	}
	return *m, nil
}

func (s *Simulator) setKnobs(set func(Knobs)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var k Knobs
		if !readJSON(w, r, &k) {
			return
		}
		if err := k.check(); err != nil {
			refuse(w, http.StatusBadRequest, "malformed", err.Error())
			return
		}
		s.mu.Lock()
		set(k)
		s.mu.Unlock()
		writeJSON(w, http.StatusOK, k)
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who asked may have left
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	writeJSON(w, status, map[string]string{"code": code, "message": message})
}

// readJSON reads a request's body; if that fails it has answered.
func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "not_json", "send application/json")
		return false
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		refuse(w, http.StatusBadRequest, "malformed", "the body has not the form this address takes")
		return false
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		refuse(w, http.StatusBadRequest, "malformed", "there is more after the body")
		return false
	}
	return true
}

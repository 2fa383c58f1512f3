package link

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	"tandem/bridge/ticket"
)

// ticketView is where a ticket stands, in the customer's words.
type ticketView struct {
	Heading string
	Status  string
	Late    bool
	Facts   []fact
	Told    []fact // Name is what was told
	Here    string // way to this page, in the language that it is in
}

// fact is something with a time.
type fact struct{ Name, Value, Exact string }

// status shows where a ticket stands. It changes nothing, and asks for nothing: what
// the customer wrote into the form is not on it.
func (p *pages) status(w http.ResponseWriter, r *http.Request) {
	from := p.o.Address(r)
	if !p.wrong.allow(from, 0) || !p.work.allow(from, 1) {
		p.failed(w, r, "../", errTooMany)
		return
	}
	token := r.PathValue("token")
	if p.o.Ticket == nil || !ticket.ValidToken(token) {
		p.guessed(w, r, "../")
		return
	}
	t, err := p.o.Ticket(r.Context(), token)
	if errors.Is(err, ticket.ErrUnusable) {
		p.guessed(w, r, "../")
		return
	}
	if err != nil {
		p.failed(w, r, "../", err)
		return
	}
	words := p.words(r, t.Lang)
	here := "../t/" + token
	v := view{Root: "../", Kind: "ticket", W: words, Lang: chosen(r), Switch: p.others(words.Tag, here), Ticket: p.standing(words, t)}
	if v.Ticket.Here = here; v.Lang != "" {
		v.Ticket.Here += "?lang=" + v.Lang
	}
	p.show(w, http.StatusOK, v)
}

// standing puts a ticket into words.
func (p *pages) standing(w *words, t ticket.View) *ticketView {
	zone := p.o.Zone
	if p.o.ZoneOf != nil {
		if z := p.o.ZoneOf(t.Queue); z != nil {
			zone = z
		}
	}
	now := p.o.Now().In(zone)
	v := &ticketView{Heading: fmt.Sprintf(w.Ticket, t.Number), Status: w.Statuses[t.Status], Late: t.Late}
	if p.o.Name != "" {
		v.Heading = fmt.Sprintf(w.TicketFrom, t.Number, p.o.Name)
	}
	if w.Tag == "zh-CN" {
		v.Heading = spaced(v.Heading)
	}
	add := func(name string, at time.Time) {
		if !at.IsZero() {
			v.Facts = append(v.Facts, fact{name, w.when(at.In(zone), now), at.UTC().Format(time.RFC3339)})
		}
	}
	due := w.DueBy
	switch {
	case !t.Done.IsZero():
		due = ""
	case t.Late:
		due = w.WasDueBy
	}
	if due != "" {
		add(due, t.Due)
	}
	add(w.DoneAt, t.Done)
	add(w.Opened, t.Opened)
	for i := len(t.Told) - 1; i >= 0; i-- { // the newest first
		at := t.Told[i].At
		v.Told = append(v.Told, fact{t.Told[i].Text, w.when(at.In(zone), now), at.UTC().Format(time.RFC3339)})
	}
	return v
}

// spaced puts a space where Chinese meets Latin letters or figures.
func spaced(text string) string {
	var b strings.Builder
	kind := func(c rune) int {
		switch {
		case unicode.Is(unicode.Han, c):
			return 1
		case unicode.Is(unicode.Latin, c), unicode.IsDigit(c):
			return 2
		}
		return 0
	}
	before := 0
	for _, c := range text {
		now := kind(c)
		if now+before == 3 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
		before = now
	}
	return b.String()
}

// when is a time as people say it: today and the days beside it by their names, others by
// the date. It names the zone, for whoever reads it elsewhere.
func (w *words) when(at, now time.Time) string {
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	zone := "UTC" + strings.TrimSuffix(at.Format("-07:00"), ":00")
	if strings.HasSuffix(zone, "+00") {
		zone = "UTC"
	}
	clock := at.Format("15:04")
	apart := int(day(at).Sub(day(now)) / (24 * time.Hour))
	if w.Tag == "zh-CN" {
		name, near := map[int]string{-1: "昨天", 0: "今天", 1: "明天"}[apart]
		if !near {
			name = at.Format("2006年1月2日") + [...]string{"周日", "周一", "周二", "周三", "周四", "周五", "周六"}[at.Weekday()]
		}
		return name + " " + clock + "（" + zone + "）"
	}
	name, near := map[int]string{-1: "yesterday", 0: "today", 1: "tomorrow"}[apart]
	if !near {
		name = at.Format("Monday, 2 January 2006")
	}
	return name + ", " + clock + " (" + zone + ")"
}

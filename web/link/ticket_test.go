package link

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/bridge/ticket"
)

const ticketToken = "mzxw6ytboi4dsnrzgq3tmobqge"

// tickets are pages over a ticket that is what the test says.
func tickets(t *testing.T, v *ticket.View, err *error) *house {
	t.Helper()
	h := newHouse(t, nil)
	o := h.options
	o.Zone = time.FixedZone("", 8*3600)
	o.ZoneOf = func(queue string) *time.Location { return map[string]*time.Location{"lisbon": time.UTC}[queue] }
	o.Ticket = func(_ context.Context, token string) (ticket.View, error) {
		switch {
		case err != nil && *err != nil:
			return ticket.View{}, *err
		case token != ticketToken:
			return ticket.View{}, ticket.ErrUnusable
		}
		return *v, nil
	}
	h.Handler = Handler(o)
	return h
}

func working() *ticket.View {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	return &ticket.View{
		Number: "12345678901", Status: ticket.StatusWorking, Lang: "en", Opened: at.Add(-26 * time.Hour), Due: at.Add(24 * time.Hour),
		Told: []ticket.Told{{At: at.Add(-20 * time.Hour), Text: "We have asked the branch."}, {At: at.Add(-time.Hour), Text: "They answer today.\nWe are sorry."}},
	}
}

func TestStatusPage(t *testing.T) {
	v := working()
	h := tickets(t, v, nil)
	b := h.browser()
	a := b.get("/t/" + ticketToken)
	for _, want := range []string{
		"Your request 123 4567 8901 at Harbour Bank", "We are working on it", "tomorrow, 17:00 (UTC&#43;08)", "yesterday, 15:00 (UTC&#43;08)", "We have asked the branch.",
		"They answer today.\nWe are sorry.", `<html lang="en">`, `<a href="../t/` + ticketToken + `?lang=zh-CN" lang="zh-CN"`, `datetime="2026-11-24T09:00:00Z"`,
	} {
		if !strings.Contains(a.text, want) {
			t.Errorf("no %q in %s", want, a.text)
		}
	}
	if strings.Index(a.text, "They answer") > strings.Index(a.text, "We have asked") {
		t.Error("the newest is not first")
	}
	if strings.Contains(a.text, "<script") || strings.Contains(a.text, "<form") || len(a.Result().Cookies()) > 0 {
		t.Error("it does more than show")
	}
	for key, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow, noarchive", "Content-Security-Policy": policy} {
		if got := a.Header().Get(key); got != want {
			t.Errorf("%s: %q", key, got)
		}
	}
	a = b.get("/t/" + ticketToken + "?lang=zh-CN")
	for _, want := range []string{"您在 Harbour Bank 的受理单 123 4567 8901", "正在处理", "明天 17:00（UTC&#43;08）", `<html lang="zh-CN">`, `href="../t/` + ticketToken + `?lang=zh-CN"`} {
		if !strings.Contains(a.text, want) {
			t.Errorf("no %q in %s", want, a.text)
		}
	}
	v.Queue = "lisbon" // whose hours are of another zone
	if a = b.get("/t/" + ticketToken); !strings.Contains(a.text, "tomorrow, 09:00 (UTC)") {
		t.Errorf("not in the queue's zone: %s", a.text)
	}
	v.Queue = ""
	v.Late = true
	if a = b.get("/t/" + ticketToken); !strings.Contains(a.text, "Promised for") || !strings.Contains(a.text, "longer than we said") {
		t.Error(a.text)
	}
	v.Status, v.Done, v.Late, v.Told = ticket.StatusDone, v.Opened.Add(20*24*time.Hour), false, nil
	if a = b.get("/t/" + ticketToken); !strings.Contains(a.text, "Saturday, 12 December 2026, 15:00") || strings.Contains(a.text, "Done by") || !strings.Contains(a.text, "Nothing yet") {
		t.Error(a.text)
	}
	if head := b.send(http.MethodHead, "/t/"+ticketToken, nil); head.Code != 200 {
		t.Error(head.Code)
	}
	if strings.Contains(h.log.String(), ticketToken) {
		t.Error("the token is in the log")
	}
}

func TestStatusRefused(t *testing.T) {
	var fails error
	h := tickets(t, working(), &fails)
	b := h.browser()
	other := strings.Repeat("a", 26)
	for _, token := range []string{other, "x", strings.ToUpper(ticketToken), ticketToken + "%00", "%2e%2e"} {
		if a := b.get("/t/" + token); a.Code != 404 || !strings.Contains(a.text, "This link cannot be used") {
			t.Errorf("%s: %d", token, a.Code)
		}
	}
	if a := b.send("POST", "/t/"+ticketToken, nil); a.Code == 200 {
		t.Error("it takes a form")
	}
	fails = errors.New("the disk is full")
	if a := b.get("/t/" + ticketToken); a.Code != 500 || strings.Contains(a.text, "disk") {
		t.Errorf("%d %s", a.Code, a.text)
	}
	fails = nil
	for range 100 { // guesses are bounded
		b.get("/t/" + other)
	}
	if a := b.get("/t/" + ticketToken); a.Code != 429 || a.Header().Get("Retry-After") == "" {
		t.Errorf("%d after a hundred guesses", a.Code)
	}
	h.Handler = Handler(h.options) // no tickets at all
	if a := h.browser().get("/t/" + ticketToken); a.Code != 404 {
		t.Error(a.Code)
	}
}

// TestHostileTold puts each text where an agent tells the customer something.
func TestHostileTold(t *testing.T) {
	v := working()
	h := tickets(t, v, nil)
	b := h.browser()
	want := bones(t, b.get("/t/"+ticketToken).text)
	for _, text := range hostile() {
		v.Told[1].Text = text
		a := b.get("/t/" + ticketToken)
		if got := bones(t, a.text); a.Code != 200 || !slices.Equal(got, want) {
			t.Errorf("%.60q: %d, %s", text, a.Code, diff(got, want))
		}
		if strings.Contains(a.text, "<script>") || strings.Contains(a.text, "\x00") {
			t.Errorf("%.60q: %s", text, a.text)
		}
	}
}

package sip

import (
	"context"
	"strings"
	"testing"
	"time"
)

// A phone is asked by OPTIONS of its own, outside any call, and any final answer is told.
func TestPing(t *testing.T) {
	for _, code := range []int{200, 404, 486} {
		p := listeningPeer(t)
		s := start(t, &app{}, nil)
		p.attach(s)
		type answer struct {
			code int
			err  error
		}
		out := make(chan answer, 1)
		go func() {
			code, err := s.Ping(t.Context(), "sip:anna@"+p.addr())
			out <- answer{code, err}
		}()
		req := p.expectRequest("OPTIONS")
		if !strings.HasPrefix(req.first, "OPTIONS sip:anna@"+p.addr()) || req.toTag() != "" || req.get("Accept") != "application/sdp" ||
			req.get("Max-Forwards") != "70" || req.body != "" {
			t.Errorf("OPTIONS %q", req.raw)
		}
		p.respond(req, code, "phone", "", "")
		if got := <-out; got.err != nil || got.code != code {
			t.Errorf("got %+v, want %d", got, code)
		}
		if s.Calls() != 0 {
			t.Error("a question counts as a call")
		}
	}
}

func TestPingNobody(t *testing.T) {
	p := listeningPeer(t)
	s := start(t, &app{}, nil)
	p.attach(s)
	ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond) // one repetition after T1 (500 ms in the library)
	defer cancel()
	if _, err := s.Ping(ctx, "sip:anna@"+p.addr()); err == nil {
		t.Error("nobody answered, and that was an answer")
	}
	p.expectRequest("OPTIONS")
	p.expectRequest("OPTIONS")
	for _, uri := range []string{"tel:+49", "sip:anna@host;transport=tls", "sip:anna@<evil>"} {
		if _, err := s.Ping(t.Context(), uri); err == nil {
			t.Errorf("%s was asked", uri)
		}
	}
}

func TestDialSaysWhatItIsAbout(t *testing.T) {
	s, p := trunkTo(t, "", "")
	out := dial(s, t.Context(), Dial{To: "sip:anna@" + p.addr(), From: "1", Name: "cards", About: "12345678901"})
	inv := p.expectRequest("INVITE")
	if inv.get("Subject") != "12345678901" || !strings.Contains(inv.get("From"), `"cards"`) {
		t.Errorf("INVITE %q", inv.raw)
	}
	p.respond(inv, 486, "x", "", "")
	p.expectRequest("ACK")
	<-out
	if _, err := s.Dial(t.Context(), Dial{To: "sip:a@b", Media: newMedia(), About: "a\r\nX: y"}); err == nil {
		t.Error("a line break came through")
	}
}

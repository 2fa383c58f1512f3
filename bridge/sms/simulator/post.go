package simulator

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// post is a receipt or a reply that goes out when its time has come.
type post struct {
	at      time.Time
	message *Message
	gateway *Gateway
	address string
	state   string // of a receipt; "" = a reply
	key     string // of a receipt
	silent  bool   // the phone has it, and nobody is told
	tries   int
}

const (
	maxTries   = 10
	firstPause = 250 * time.Millisecond // after a failure; doubled after each
	longest    = 30 * time.Second
)

// plan puts a post among those that wait; false if there is no room. The caller holds mu.
func (s *Simulator) plan(p *post) bool {
	if len(s.waiting) >= maxWaiting {
		s.counts.Lost++
		return false
	}
	s.waiting = append(s.waiting, p)
	select {
	case s.wake <- struct{}{}:
	default: // it is awake, or will look
	}
	return true
}

// Run posts what is due until ctx ends, and returns when the last post is over.
func (s *Simulator) Run(ctx context.Context) {
	defer s.http.CloseIdleConnections()
	free := make(chan struct{}, maxPosts)
	var under sync.WaitGroup
	defer under.Wait()
	for ctx.Err() == nil {
		p, wait := s.due()
		if p == nil {
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-s.wake:
			case <-ctx.Done():
			}
			timer.Stop()
			continue
		}
		if p.state != "" && !s.arrived(p) {
			continue
		}
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return
		}
		under.Go(func() {
			defer func() { <-free }()
			s.done(p, s.post(ctx, p))
		})
	}
}

// due takes the post whose time came first; without one it says how long to wait.
func (s *Simulator) due() (*post, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := -1
	for i, p := range s.waiting {
		if first < 0 || p.at.Before(s.waiting[first].at) {
			first = i
		}
	}
	if first < 0 {
		return nil, time.Hour
	}
	p := s.waiting[first]
	if wait := p.at.Sub(s.now()); wait > 0 {
		return nil, wait
	}
	s.waiting = slices.Delete(s.waiting, first, first+1)
	return p, 0
}

// arrived notes on the phone what a receipt says, and reports whether anybody is told.
func (s *Simulator) arrived(p *post) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	rank := map[string]int{"taken": 0, "sent": 0, "undelivered": 1, "delivered": 2, "read": 3}
	if p.tries == 0 && rank[p.state] > rank[p.message.State] {
		s.change(p.message, p.state)
	}
	return !p.silent && p.address != ""
}

// done notes what became of a post, or plans it again.
func (s *Simulator) done(p *post, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.tries++
	if p.state == "" {
		p.message.Tries = p.tries
	}
	switch {
	case err == nil:
		s.counts.Posted++
		if p.state == "" {
			s.change(p.message, "sent")
		}
		return
	case p.tries < maxTries && !isFinal(err):
		p.at = s.now().Add(min(firstPause<<(p.tries-1), longest))
		if s.plan(p) {
			s.log.Info("the server does not take it yet; it is tried again", "tries", p.tries, "error", err)
			return
		}
	}
	s.counts.Unposted++
	s.log.Warn("the server does not take it; given up", "tries", p.tries, "error", err)
	if p.state == "" {
		s.change(p.message, "failed")
	}
}

// answered is the server's answer to a post that it did not take.
type answered int

func (a answered) Error() string { return fmt.Sprintf("it answers %d", int(a)) }

// isFinal: the server says that trying again is of no use.
func isFinal(err error) bool {
	a, ok := err.(answered)
	return ok && a >= 400 && a < 500 && a != http.StatusTooManyRequests && a != http.StatusRequestTimeout
}

// post posts once.
func (s *Simulator) post(ctx context.Context, p *post) error {
	address, _, _ := strings.Cut(p.address, "#") // what follows is for the provider
	body, header := s.write(p, address)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return answered(http.StatusBadRequest) // the address is none
	}
	req.Header = header
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return answered(resp.StatusCode)
	}
	return nil
}

// write makes the body of a post and signs it.
func (s *Simulator) write(p *post, address string) (string, http.Header) {
	m, header := p.message, http.Header{"User-Agent": {"Tandem-SMS-Simulator"}}
	if p.gateway.Kind == Twilio {
		form := url.Values{"ApiVersion": {"2010-04-01"}, "AccountSid": {p.gateway.Account}, "MessageSid": {m.ID}, "SmsSid": {m.ID}, "From": {m.From}, "To": {m.To}}
		if p.state == "" {
			form["SmsMessageSid"], form["SmsStatus"] = []string{m.ID}, []string{"received"}
			form["Body"], form["NumMedia"], form["NumSegments"] = []string{m.Text}, []string{"0"}, []string{strconv.Itoa(m.Parts)}
		} else {
			form["MessageStatus"], form["SmsStatus"] = []string{p.state}, []string{p.state}
			if p.state == "undelivered" {
				form["ErrorCode"] = []string{"30003"}
			}
		}
		header.Set("Content-Type", "application/x-www-form-urlencoded")
		header.Set("X-Twilio-Signature", twilioSignature(p.gateway.key, address, form))
		return form.Encode(), header
	}
	data := map[string]any{"id": m.ID, "from": m.From, "to": m.To, "at": s.now().UTC().Format(time.RFC3339)}
	kind, id := "message.received", m.ID
	if p.state == "" {
		data["text"] = m.Text
	} else {
		kind, id = "message.status", m.ID+"_"+p.state
		data["key"], data["state"] = p.key, p.state
		if p.state == "undelivered" {
			data["error"] = "unreachable"
		}
	}
	body, err := json.Marshal(map[string]any{"type": kind, "timestamp": s.now().UTC().Format(time.RFC3339), "data": data})
	if err != nil {
		panic("simulator: a message cannot be written: " + err.Error()) // it is made of strings
	}
	stamp := strconv.FormatInt(s.now().Unix(), 10)
	header.Set("Content-Type", "application/json")
	header["webhook-id"], header["webhook-timestamp"] = []string{id}, []string{stamp}
	header["webhook-signature"] = []string{signature(p.gateway.key, id, stamp, body)}
	return string(body), header
}

// twilioSignature is X-Twilio-Signature of a form.
func twilioSignature(token []byte, address string, form url.Values) string {
	mac := hmac.New(sha1.New, token)
	mac.Write([]byte(address))
	for _, name := range slices.Sorted(maps.Keys(form)) {
		mac.Write([]byte(name + strings.Join(form[name], "")))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

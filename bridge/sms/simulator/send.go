package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// sent is a text as it came to a gateway.
type sent struct {
	gateway  *Gateway
	from, to string
	text     string
	template string
	params   map[string]string
	lang     string
	key      string // webhook: handed back
	callback string // where its receipts go
}

// fate is what becomes of a text.
type fate struct {
	id     string
	status int    // 0 = taken
	code   int    // twilio's
	why    string // webhook's
	after  int    // Retry-After, in seconds
	vanish bool   // the answer is lost
}

// take decides what becomes of a text and, if it is taken, puts it into the inbox. The
// caller holds mu.
func (s *Simulator) take(t *sent, prefix string) fate {
	k := s.knobsNow()
	refused := func(status, code int, why string) fate {
		s.counts.Refused++
		return fate{status: status, code: code, why: why}
	}
	switch {
	case s.chance(k.TooMany):
		f := refused(http.StatusTooManyRequests, 20429, "too_many")
		f.after = k.RetryAfterS
		return f
	case s.chance(k.Temporary):
		return refused(http.StatusServiceUnavailable, 20503, "unavailable")
	case s.chance(k.Fail):
		return refused(http.StatusBadRequest, 21614, "not_mobile")
	}
	s.counts.Taken++
	f := fate{id: newID(prefix), vanish: s.chance(k.Vanish)}
	if f.vanish {
		s.counts.Vanished++
	}
	m := &Message{ID: f.id, At: s.now().UTC(), From: t.from, To: t.to, Text: t.text, Template: t.template, Params: t.params, Lang: t.lang, Parts: 1, State: "taken"}
	s.put(s.phoneOf(t.to), m)
	s.report(t, m, k)
	return f
}

// report plans the receipts of a text. The caller holds mu.
func (s *Simulator) report(t *sent, m *Message, k Knobs) {
	states := []string{"sent", "delivered"}
	if s.chance(k.Undelivered) {
		states = []string{"sent", "undelivered"}
	} else if k.Read {
		states = append(states, "read")
	}
	if s.chance(k.Reorder) {
		s.random.Shuffle(len(states), func(i, j int) { states[i], states[j] = states[j], states[i] })
	}
	at := s.now()
	for _, state := range states {
		at = at.Add(k.delay())
		times := 1
		if s.chance(k.LostReceipt) {
			s.counts.Lost++
			times = 0
		} else if s.chance(k.Double) {
			times = 2
		}
		s.plan(&post{at: at, state: state, message: m, gateway: t.gateway, address: t.callback, key: t.key, silent: times == 0})
		if times == 2 {
			s.plan(&post{at: at.Add(k.delay() / 2), state: state, message: m, gateway: t.gateway, address: t.callback, key: t.key})
		}
	}
}

// twilioSend is the Messages resource of Twilio's API.
func (s *Simulator) twilioSend(w http.ResponseWriter, r *http.Request) {
	refuse := func(status, code int, after int) {
		if after > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(after))
		}
		writeJSON(w, status, map[string]any{"code": code, "status": status, "message": "the simulator refuses this", "more_info": "https://www.twilio.com/docs/errors/" + strconv.Itoa(code)})
	}
	if err := r.ParseForm(); err != nil {
		refuse(http.StatusBadRequest, 21620, 0)
		return
	}
	f := r.PostForm
	from, to := plain(f.Get("From")), plain(f.Get("To"))
	g := s.gateway(Twilio, from)
	account, token, ok := r.BasicAuth()
	if g == nil || !ok || account != g.Account || r.PathValue("account") != g.Account || subtle.ConstantTimeCompare([]byte(token), g.key) != 1 {
		if g == nil && ok && s.anyAccount(account, token) {
			refuse(http.StatusBadRequest, 21606, 0)
			return
		}
		s.mu.Lock()
		s.counts.Forged++
		s.mu.Unlock()
		refuse(http.StatusUnauthorized, 20003, 0)
		return
	}
	t := &sent{gateway: g, from: from, to: to, text: f.Get("Body"), template: f.Get("ContentSid"), callback: f.Get("StatusCallback")}
	switch {
	case to == "" || !strings.HasPrefix(to, "+"):
		refuse(http.StatusBadRequest, 21211, 0)
		return
	case t.text == "" && t.template == "":
		refuse(http.StatusBadRequest, 21602, 0)
		return
	case len([]rune(t.text)) > 1600:
		refuse(http.StatusBadRequest, 21617, 0)
		return
	}
	if v := f.Get("ContentVariables"); v != "" {
		if err := json.Unmarshal([]byte(v), &t.params); err != nil {
			refuse(http.StatusBadRequest, 21656, 0)
			return
		}
	}
	s.mu.Lock()
	fate := s.take(t, "SM")
	s.mu.Unlock()
	switch {
	case fate.status != 0:
		refuse(fate.status, fate.code, fate.after)
	case fate.vanish:
		drop(w)
	default:
		writeJSON(w, http.StatusCreated, map[string]any{"sid": fate.id, "status": "queued", "account_sid": g.Account, "from": from, "to": to, "error_code": nil})
	}
}

// anyAccount reports whether account and token are of a gateway that is played.
func (s *Simulator) anyAccount(account, token string) bool {
	for _, g := range s.o.Gateways {
		if g.Kind == Twilio && g.Account == account && subtle.ConstantTimeCompare([]byte(token), g.key) == 1 {
			return true
		}
	}
	return false
}

// drop breaks the connection off without an answer.
func drop(w http.ResponseWriter) {
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = c.Close()
		return
	}
	panic(http.ErrAbortHandler)
}

// webhookSend takes a signed "message.send".
func (s *Simulator) webhookSend(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var in struct {
		Type string `json:"type"`
		Data struct {
			Key, From, To, Text, Template, Lang string
			Params                              map[string]string
		} `json:"data"`
	}
	if err != nil || json.Unmarshal(body, &in) != nil {
		refuse(w, http.StatusBadRequest, "malformed", "the body is no message.send")
		return
	}
	from, to := plain(in.Data.From), plain(in.Data.To)
	g := s.gateway(Webhook, from)
	if g == nil {
		refuse(w, http.StatusBadRequest, "unknown_sender", "no gateway here has the number in from")
		return
	}
	id := r.Header.Get("webhook-id")
	if err := checkSigned(g.key, r.Header, body, s.now()); err != nil {
		s.mu.Lock()
		s.counts.Forged++
		s.mu.Unlock()
		refuse(w, http.StatusUnauthorized, "forged", err.Error())
		return
	}
	if in.Type != "message.send" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if to == "" || !strings.HasPrefix(to, "+") || (in.Data.Text == "" && in.Data.Template == "") {
		refuse(w, http.StatusBadRequest, "malformed", "to is no number, or the message is empty")
		return
	}
	s.mu.Lock()
	first, again := s.known[id]
	var fate fate
	if again {
		s.counts.Doubled++
		fate.id = first
	} else if fate = s.take(&sent{gateway: g, from: from, to: to, text: in.Data.Text, template: in.Data.Template, params: in.Data.Params,
		lang: in.Data.Lang, key: in.Data.Key, callback: g.Target}, "msg_"); fate.status == 0 {
		s.remember(id, fate.id)
	}
	s.mu.Unlock()
	switch {
	case fate.after > 0:
		w.Header().Set("Retry-After", strconv.Itoa(fate.after))
		fallthrough
	case fate.status != 0:
		refuse(w, fate.status, fate.why, "the simulator refuses this")
	case fate.vanish:
		drop(w)
	default:
		writeJSON(w, http.StatusAccepted, map[string]string{"id": fate.id})
	}
}

// remember keeps the answer to a webhook-id. The caller holds mu.
func (s *Simulator) remember(id, answer string) {
	if len(s.order) >= maxKnown {
		delete(s.known, s.order[0])
		s.order = s.order[1:]
	}
	s.known[id] = answer
	s.order = append(s.order, id)
}

// readSecret reads whsec_ and base64.
func readSecret(secret string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("a webhook secret is whsec_ and 24 to 64 bytes in base64 after it")
	}
	return key, nil
}

// signature is that of Standard Webhooks.
func signature(key []byte, id, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// checkSigned checks a request as a receiver of Standard Webhooks does.
func checkSigned(key []byte, h http.Header, body []byte, now time.Time) error {
	id, stamp := h.Get("webhook-id"), h.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if id == "" || err != nil {
		return errors.New("webhook-id or webhook-timestamp is missing")
	}
	if d := now.Sub(time.Unix(seconds, 0)); d.Abs() > 5*time.Minute {
		return errors.New("webhook-timestamp is too far from now")
	}
	want := signature(key, id, stamp, body)
	for _, given := range strings.Fields(h.Get("webhook-signature")) {
		if subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 1 {
			return nil
		}
	}
	return errors.New("webhook-signature does not fit the secret")
}

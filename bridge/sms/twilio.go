package sms

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem"
	"tandem/store/outbox"
)

// TwilioOptions is what a Twilio is made of.
type TwilioOptions struct {
	URL       string            // https://api.twilio.com, or who speaks like it
	Account   string            // the account's SID, AC…
	Token     string            // its auth token: passes for the password, and signs what comes
	Service   string            // a messaging service's SID, MG…; "" = none
	Callback  string            // the webhook's address as the provider knows it: http.public_url/api/v1/sms/NAME
	Templates map[string]string // flows' names → content SIDs, HX…
	// TemplatesOnly refuses free text.
	TemplatesOnly bool
	Log           *slog.Logger     // slog.Default if nil
	Now           func() time.Time // time.Now if nil
}

// Twilio is a Gateway that speaks Twilio's Programmable Messaging, API 2010-04-01.
type Twilio struct {
	*client
	o        TwilioOptions
	send     string // address of the messages
	callback string
}

// NewTwilio makes a Twilio.
func NewTwilio(o TwilioOptions) (*Twilio, error) {
	c, err := newClient(o.URL)
	if err != nil {
		return nil, err
	}
	if o.Account == "" || o.Token == "" || strings.ContainsAny(o.Account, "/?#") {
		return nil, errors.New("the gateway needs account and token, as the provider's console shows them")
	}
	if u, err := url.Parse(o.Callback); err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the gateway needs the address that the provider calls back, without a query")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Twilio{client: c, o: o, callback: o.Callback,
		send: strings.TrimSuffix(o.URL, "/") + "/2010-04-01/Accounts/" + o.Account + "/Messages.json"}, nil
}

var _ Gateway = (*Twilio)(nil)

// keyParam carries our key in the address of receipts, which the signature covers.
const keyParam = "k"

// overrides ask the provider to try callbacks again: it does not by itself when we
// answer 5xx. They are a fragment, which is neither sent nor signed.
const overrides = "#rc=5&rp=all"

// What the provider's codes mean, in words without the number they are about:
// https://www.twilio.com/docs/api/errors
var (
	twilioCodes = map[int]string{
		20003: "account and token are not accepted",
		20404: "there is no such account or template",
		20429: "too many requests at once",
		21211: "the number is not valid",
		21408: "texts to this country are not enabled for the account",
		21606: "our number cannot send texts",
		21608: "an account on trial only texts numbers it has verified",
		21610: "the person has stopped texts",
		21611: "our number has as many texts waiting as it may",
		21612: "this number cannot be reached from ours",
		21614: "the number takes no texts",
		21617: "the text is too long",
		21656: "the template's parameters do not fit it",
		30001: "too many texts wait",
		30002: "the account is suspended",
		30003: "the phone is off or out of reach",
		30004: "the carrier blocked it",
		30005: "the number does not exist",
		30006: "the number takes no texts",
		30007: "the carrier took it for spam",
		30008: "the carrier gave no reason",
		30034: "our number is not registered for such texts",
	}
	// passing are failures that go by, although their status says otherwise.
	passing = []int{14107, 20429, 21611, 30001}
)

const (
	codeAuth    = 20003
	codeStopped = 21610
)

// inWords is a code with its meaning.
func inWords(code int) string {
	if code == 0 {
		return ""
	}
	if text := twilioCodes[code]; text != "" {
		return fmt.Sprintf("%s (%d)", text, code)
	}
	return fmt.Sprintf("error %d", code)
}

// Send implements Gateway. The provider has no keys against doubles: when its answer is
// lost, the person gets the text again.
func (t *Twilio) Send(ctx context.Context, m Message) (id string, err error) {
	name, err := template(&m, t.o.Templates, t.o.TemplatesOnly)
	if err != nil {
		return "", err
	}
	form := url.Values{"To": {m.To}, "From": {m.From},
		"StatusCallback": {t.callback + "?" + keyParam + "=" + base64.RawURLEncoding.EncodeToString([]byte(m.Key)) + overrides}}
	if t.o.Service != "" {
		form.Set("MessagingServiceSid", t.o.Service)
	}
	if name != "" {
		form.Set("ContentSid", name)
		if len(m.Params) > 0 {
			variables, err := json.Marshal(m.Params)
			if err != nil {
				return "", fmt.Errorf("writing the template's parameters: %w: %w", err, outbox.ErrPermanent)
			}
			form.Set("ContentVariables", string(variables))
		}
	} else {
		form.Set("Body", m.Text)
	}
	resp, err := t.post(ctx, t.send, form.Encode(), t.o.Now(), func(h http.Header) {
		h.Set("Content-Type", "application/x-www-form-urlencoded")
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(t.o.Account+":"+t.o.Token)))
	})
	if err != nil {
		return "", err
	}
	var said struct {
		SID  string `json:"sid"`
		Code int    `json:"code"`
	}
	parsed := json.Unmarshal(resp.body, &said)
	switch {
	case resp.code >= 200 && resp.code < 300 && parsed == nil && said.SID != "" && len(said.SID) <= maxID:
		return said.SID, nil
	case resp.code >= 200 && resp.code < 300:
		return "", fmt.Errorf("%s took the text but its answer has no sid; is url the provider's API?: %w", t.base.Host, outbox.ErrPermanent)
	case said.Code == codeStopped:
		return "", ErrStopped
	case said.Code == codeAuth || resp.code == http.StatusUnauthorized:
		t.o.Log.Error("a gateway does not accept its account and token: no texts go out by it", "host", t.base.Host)
	case slices.Contains(passing, said.Code):
		resp.code = http.StatusTooManyRequests
	}
	what := ""
	if said.Code != 0 {
		what = ": " + inWords(said.Code)
	}
	return "", t.refusal(resp, what)
}

// sign is the provider's signature of a form posted to an address: HMAC-SHA1 under the
// token, over the address and all names and values sorted by name, joined. A name with
// several values has each value once, sorted.
func (t *Twilio) sign(address string, form url.Values) []byte {
	mac := hmac.New(sha1.New, []byte(t.o.Token))
	io.WriteString(mac, address)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(form[name]))) {
			io.WriteString(mac, name+value)
		}
	}
	return mac.Sum(nil)
}

// signed checks the header X-Twilio-Signature of a form posted to the callback. Some of
// the provider's services sign the address with its port, some without.
func (t *Twilio) signed(r *http.Request, form url.Values) error {
	header := r.Header.Get("X-Twilio-Signature")
	if header == "" {
		return reject("unsigned", http.StatusForbidden, "the request has no header X-Twilio-Signature")
	}
	given, err := base64.StdEncoding.DecodeString(header)
	if err != nil {
		return reject("forged", http.StatusForbidden, "the signature is no base64")
	}
	query := ""
	if r.URL.RawQuery != "" {
		query = "?" + r.URL.RawQuery
	}
	ok := false
	for _, address := range ports(t.callback) {
		if hmac.Equal(given, t.sign(address+query, form)) {
			ok = true
		}
	}
	if !ok {
		return reject("forged", http.StatusForbidden,
			"the signature does not fit; the provider's webhook must be http.public_url/api/v1/sms/NAME, and token the account's auth token")
	}
	return nil
}

// ports is an address as it is, with its port, and without one.
func ports(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return []string{address}
	}
	scheme, rest, _ := strings.Cut(address, "://")
	host := u.Host // as written: letters keep their case
	_, path, _ := strings.Cut(rest, host)
	if u.Port() != "" {
		return []string{address, scheme + "://" + strings.TrimSuffix(host, ":"+u.Port()) + path}
	}
	port := ":443"
	if strings.EqualFold(scheme, "http") {
		port = ":80"
	}
	return []string{address, scheme + "://" + host + port + path}
}

// Receive implements Gateway: texts to our numbers, and status callbacks.
func (t *Twilio) Receive(r *http.Request, body []byte) ([]Inbound, []Receipt, Answer, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, nil, Answer{}, reject("malformed", http.StatusUnsupportedMediaType, "the provider posts forms")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, nil, Answer{}, reject("malformed", http.StatusBadRequest, "the request's body is no form")
	}
	if err := t.signed(r, form); err != nil {
		return nil, nil, Answer{}, err
	}
	if form.Get("AccountSid") != t.o.Account {
		return nil, nil, Answer{}, reject("wrong_account", http.StatusForbidden, "the request is of another account than the gateway's")
	}
	id := form.Get("MessageSid")
	if id == "" {
		id = form.Get("SmsSid")
	}
	if id == "" {
		return nil, nil, Answer{}, reject("malformed", http.StatusBadRequest, "the request is about no message")
	}
	if status := form.Get("MessageStatus"); status != "" {
		return nil, t.statuses(r, id, status, form), Answer{Status: http.StatusNoContent}, nil
	}
	if form.Get("From") == "" || form.Get("To") == "" {
		return nil, nil, Answer{}, reject("malformed", http.StatusBadRequest, "the text has no sender or receiver")
	}
	media, _ := strconv.Atoi(form.Get("NumMedia")) // not said = 0
	return []Inbound{{ID: id, From: form.Get("From"), To: form.Get("To"), Text: form.Get("Body"), Media: max(media, 0)}}, nil,
		Answer{Type: "text/xml; charset=utf-8", Body: `<?xml version="1.0" encoding="UTF-8"?><Response/>`}, nil
}

// statuses reads a status callback; a status we do not know says nothing.
func (t *Twilio) statuses(r *http.Request, id, status string, form url.Values) []Receipt {
	state := map[string]tandem.MessageState{
		"accepted": tandem.MessageSent, "scheduled": tandem.MessageSent, "queued": tandem.MessageSent, "sending": tandem.MessageSent, "sent": tandem.MessageSent,
		"delivered": tandem.MessageDelivered, "read": tandem.MessageRead,
		"undelivered": tandem.MessageFailed, "failed": tandem.MessageFailed, "canceled": tandem.MessageFailed,
	}[status]
	if state == "" {
		return nil
	}
	key, err := base64.RawURLEncoding.DecodeString(r.URL.Query().Get(keyParam))
	if err != nil || checkKey(string(key)) != nil {
		key = nil // another's callback: it is found by its id, or not at all
	}
	code, _ := strconv.Atoi(form.Get("ErrorCode"))
	receipt := Receipt{ID: id, Key: string(key), State: state}
	if state == tandem.MessageFailed {
		receipt.Error = inWords(code)
	}
	return []Receipt{receipt}
}

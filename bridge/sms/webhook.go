package sms

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tandem"
	"tandem/store/outbox"
)

// WebhookOptions is what a Webhook is made of.
type WebhookOptions struct {
	URL    string // takes what we send
	Secret string // whsec_…: signs both ways
	// Old is a secret still taken from the gateway while secrets are changed; "" = none.
	Old           string
	Templates     map[string]string // flows' names → the provider's
	TemplatesOnly bool              // refuses free text
	Log           *slog.Logger      // slog.Default if nil
	Now           func() time.Time  // time.Now if nil
}

// Webhook is a Gateway that speaks Standard Webhooks 1.0.0 both ways, for providers with
// an adapter between. docs/sms.md has the messages.
type Webhook struct {
	*client
	o       WebhookOptions
	secret  outbox.Secret
	secrets []outbox.Secret // taken from the gateway
}

// NewWebhook makes a Webhook.
func NewWebhook(o WebhookOptions) (*Webhook, error) {
	c, err := newClient(o.URL)
	if err != nil {
		return nil, err
	}
	w := &Webhook{client: c, o: o}
	if w.secret, err = outbox.ParseSecret(o.Secret); err != nil {
		return nil, fmt.Errorf("the gateway's secret: %w", err)
	}
	w.secrets = []outbox.Secret{w.secret}
	if o.Old != "" {
		old, err := outbox.ParseSecret(o.Old)
		if err != nil {
			return nil, fmt.Errorf("the gateway's old secret: %w", err)
		}
		w.secrets = append(w.secrets, old)
	}
	if w.o.Log == nil {
		w.o.Log = slog.Default()
	}
	if w.o.Now == nil {
		w.o.Now = time.Now
	}
	return w, nil
}

var _ Gateway = (*Webhook)(nil)

// webhookMessage is "message.send".
type webhookMessage struct {
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Data      webhookOutgoing `json:"data"`
}

type webhookOutgoing struct {
	Key      string            `json:"key"`
	From     string            `json:"from"`
	To       string            `json:"to"`
	Text     string            `json:"text,omitempty"`
	Template string            `json:"template,omitempty"`
	Params   map[string]string `json:"params,omitempty"`
	Lang     string            `json:"lang,omitempty"`
	Parts    int               `json:"parts"` // as Tandem counts them
}

// Send implements Gateway. The message's key is the webhook-id: a gateway that has seen
// it answers as it did the first time, and sends no second text.
func (w *Webhook) Send(ctx context.Context, m Message) (id string, err error) {
	name, err := template(&m, w.o.Templates, w.o.TemplatesOnly)
	if err != nil {
		return "", err
	}
	if err := checkKey(m.Key); err != nil {
		return "", fmt.Errorf("%w: %w", err, outbox.ErrPermanent)
	}
	now := w.o.Now()
	data := webhookOutgoing{Key: m.Key, From: m.From, To: m.To, Lang: m.Lang, Parts: m.Parts(), Template: name}
	if name == "" {
		data.Text = m.Text
	} else {
		data.Params = m.Params
	}
	body, err := json.Marshal(webhookMessage{"message.send", now.UTC(), data})
	if err != nil {
		return "", fmt.Errorf("writing a message: %w: %w", err, outbox.ErrPermanent)
	}
	resp, err := w.post(ctx, w.o.URL, string(body), now, func(h http.Header) {
		h.Set("Content-Type", "application/json")
		h.Set("webhook-id", m.Key)
		h.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
		h.Set("webhook-signature", w.secret.Sign(m.Key, now, body))
	})
	if err != nil {
		return "", err
	}
	var said struct {
		ID   string `json:"id"`
		Code string `json:"code"`
	}
	parsed := json.Unmarshal(resp.body, &said)
	switch {
	case resp.code >= 200 && resp.code < 300 && parsed == nil && said.ID != "" && len(said.ID) <= maxID:
		return said.ID, nil
	case resp.code >= 200 && resp.code < 300:
		return m.Key, nil // it has no ids of its own: receipts say our key
	case said.Code == "stopped" && resp.code < 500:
		return "", ErrStopped
	case resp.code == http.StatusUnauthorized || resp.code == http.StatusForbidden:
		w.o.Log.Error("a gateway does not accept our signature: no texts go out by it", "host", w.base.Host)
	}
	return "", w.refusal(resp, "")
}

// webhookEvent is what gateways post.
type webhookEvent struct {
	Type string `json:"type"`
	Data struct {
		ID    string `json:"id"`
		Key   string `json:"key"`
		From  string `json:"from"`
		To    string `json:"to"`
		Text  string `json:"text"`
		Media int    `json:"media"`
		State string `json:"state"`
		Error string `json:"error"`
		At    string `json:"at"` // RFC 3339
	} `json:"data"`
}

// Receive implements Gateway: message.received and message.status. Types we do not know
// are taken and mean nothing, as the specification asks.
func (w *Webhook) Receive(r *http.Request, body []byte) ([]Inbound, []Receipt, Answer, error) {
	if err := verify(w.secrets, r.Header, body, w.o.Now()); err != nil {
		return nil, nil, Answer{}, err
	}
	malformed := reject("malformed", http.StatusBadRequest, "the body has not the form of docs/sms.md")
	var e webhookEvent
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&e); err != nil || d.More() {
		return nil, nil, Answer{}, malformed
	}
	var at time.Time
	if e.Data.At != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, e.Data.At); err != nil {
			return nil, nil, Answer{}, malformed
		}
		at = at.UTC()
	}
	none := Answer{Status: http.StatusNoContent}
	switch e.Type {
	case "message.received":
		if e.Data.ID == "" || e.Data.From == "" || e.Data.To == "" {
			return nil, nil, Answer{}, malformed
		}
		return []Inbound{{ID: e.Data.ID, From: e.Data.From, To: e.Data.To, Text: e.Data.Text, Media: max(e.Data.Media, 0), At: at}}, nil, none, nil
	case "message.status":
		id, key := e.Data.ID, e.Data.Key
		if id == "" {
			id = key
		}
		if id == "" || (key != "" && checkKey(key) != nil) {
			return nil, nil, Answer{}, malformed
		}
		receipt := Receipt{ID: id, Key: key, At: at}
		switch e.Data.State {
		case "queued", "sent":
			receipt.State = tandem.MessageSent
		case "delivered":
			receipt.State = tandem.MessageDelivered
		case "read":
			receipt.State = tandem.MessageRead
		case "failed", "undelivered":
			receipt.State, receipt.Error = tandem.MessageFailed, plainReason(e.Data.Error)
		default:
			return nil, nil, none, nil
		}
		return nil, []Receipt{receipt}, none, nil
	}
	return nil, nil, none, nil
}

// plainReason is a gateway's own word for a failure, if it is one: what it says may be
// shown and logged, so that a sentence, which may have the number in it, is not kept.
func plainReason(s string) string {
	if len(s) > 40 || strings.ContainsFunc(s, func(r rune) bool {
		return !(r == '_' || r == '-' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
	}) || strings.Count(strings.Map(digit, s), "0") >= 6 {
		return "failed"
	}
	return s
}

func digit(r rune) rune {
	if r >= '0' && r <= '9' {
		return '0'
	}
	return r
}

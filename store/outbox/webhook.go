package outbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tandem/store"
)

// Bounds of a delivery by webhook.
const (
	webhookTimeout  = 20 * time.Second // of the whole exchange; the specification advises 15 to 30
	maxAnswer       = 64 << 10         // bytes of an answer that are read, so that the connection can be used again
	minSecret       = 24               // bytes of a secret, by the specification
	maxSecret       = 64
	newSecret       = 32 // bytes of one that is drawn
	maxRetryAfter   = 24 * time.Hour
	statusGone      = http.StatusGone
	secretPrefix    = "whsec_"
	contentTypeJSON = "application/json"
)

// Secret signs webhooks: the symmetric scheme of Standard Webhooks 1.0.0.
type Secret struct{ key []byte }

// ParseSecret reads a secret as receivers get it: "whsec_" and 24 to 64 bytes in base64.
func ParseSecret(s string) (Secret, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, secretPrefix))
	if err != nil {
		return Secret{}, errors.New("a webhook secret is whsec_ and base64 after it")
	}
	if len(key) < minSecret || len(key) > maxSecret {
		return Secret{}, fmt.Errorf("a webhook secret has %d to %d bytes, this has %d", minSecret, maxSecret, len(key))
	}
	return Secret{key}, nil
}

// NewSecret draws a secret of 32 bytes, as receivers get it.
func NewSecret(random io.Reader) (string, error) {
	var key [newSecret]byte
	if _, err := io.ReadFull(random, key[:]); err != nil {
		return "", fmt.Errorf("drawing a webhook's secret: %w", err)
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(key[:]), nil
}

// Sign returns one value of the header webhook-signature: HMAC-SHA256 over id, Unix
// time and body, joined by full stops.
func (s Secret) Sign(id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, s.key)
	io.WriteString(mac, id)
	io.WriteString(mac, ".")
	io.WriteString(mac, strconv.FormatInt(at.Unix(), 10))
	io.WriteString(mac, ".")
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Webhook delivers outgoings by HTTP POST, signed. The outgoing's key is the message's
// id. It follows no redirects, and speaks to no address that is private, loopback or
// link-local, whatever a name resolves to.
type Webhook struct {
	Secret  func(target string) (Secret, error) // the receiver's
	Now     func() time.Time
	Private []netip.Prefix // private addresses that are allowed all the same

	client *http.Client
}

// NewWebhook makes a Webhook; private are the address ranges of receivers of our own.
func NewWebhook(secret func(target string) (Secret, error), now func() time.Time, private ...netip.Prefix) *Webhook {
	w := &Webhook{Secret: secret, Now: now, Private: private}
	dialer := &net.Dialer{Timeout: 5 * time.Second, ControlContext: w.control}
	w.client = &http.Client{
		Timeout: webhookTimeout,
		Transport: &http.Transport{DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second,
			TLSHandshakeTimeout: 5 * time.Second, MaxResponseHeaderBytes: maxAnswer},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return w
}

// Close lets go of idle connections.
func (w *Webhook) Close() { w.client.CloseIdleConnections() }

// control sees the address after the name was resolved, so no name leads elsewhere.
func (w *Webhook) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %q: %w", address, err)
	}
	ip := a.Addr().Unmap()
	for _, p := range w.Private {
		if p.Contains(ip) {
			return nil
		}
	}
	if !public(ip) {
		return fmt.Errorf("it leads to %s, which is not a public address: %w", ip, ErrPermanent)
	}
	return nil
}

// public reports whether an address is one of the open Internet.
func public(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", // RFC 6890
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001:db8::/32", "2002::/16", // translated, discard, documentation, 6to4
	} {
		if netip.MustParsePrefix(p).Contains(ip) {
			return false
		}
	}
	return true
}

// ErrGone says that a receiver wants no more. It is an ErrPermanent.
var ErrGone = fmt.Errorf("the receiver wants no more: %w", ErrPermanent)

// Message is one webhook. With several secrets it is signed by each.
type Message struct {
	ID      string // the same at each try
	URL     string
	Body    []byte // JSON
	Secrets []Secret
}

// Deliver sends one outgoing, whose key is the message's id and whose target the address.
func (w *Webhook) Deliver(ctx context.Context, o store.Outgoing) error {
	secret, err := w.Secret(o.Target)
	if err != nil {
		return fmt.Errorf("finding the receiver's secret: %w", err)
	}
	return w.Send(ctx, Message{ID: o.Key, URL: o.Target, Body: o.Body, Secrets: []Secret{secret}})
}

// Send sends one message. Any 2xx is success; 410 says that the receiver wants no more,
// and a redirect or a target that cannot be right is given up as well.
func (w *Webhook) Send(ctx context.Context, m Message) error {
	target, err := url.Parse(m.URL)
	if err != nil || target.Host == "" || (target.Scheme != "https" && target.Scheme != "http") {
		return fmt.Errorf("the target is no web address: %w", ErrPermanent)
	}
	if strings.Contains(m.ID, ".") {
		return fmt.Errorf("id %q has a full stop, which the signature does not allow: %w", m.ID, ErrPermanent)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return fmt.Errorf("the target is no web address: %w", ErrPermanent)
	}
	now := w.Now()
	signatures := make([]string, len(m.Secrets))
	for i, s := range m.Secrets {
		signatures[i] = s.Sign(m.ID, now, m.Body)
	}
	req.Header.Set("Content-Type", contentTypeJSON)
	req.Header.Set("User-Agent", "Tandem")
	req.Header.Set("webhook-id", m.ID)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("webhook-signature", strings.Join(signatures, " "))
	resp, err := w.client.Do(req)
	if err != nil {
		var u *url.Error // has the address, which may hold what is nobody's business
		if errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("sending a webhook to %s: %w", target.Host, err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	return answer(target.Host, resp, now)
}

// answer says what a receiver's answer means.
func answer(host string, resp *http.Response, now time.Time) error {
	code := resp.StatusCode
	switch {
	case code >= 200 && code < 300:
		return nil
	case code == statusGone:
		return fmt.Errorf("%s answers 410: %w", host, ErrGone)
	case code >= 300 && code < 400:
		return fmt.Errorf("%s answers %d, and redirects are not followed: %w", host, code, ErrPermanent)
	}
	err := fmt.Errorf("%s answers %d", host, code)
	if wait := ReadRetryAfter(resp.Header.Get("Retry-After"), now); wait > 0 && (code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable) {
		return &RetryAfter{Wait: wait, Err: err}
	}
	return err
}

// ReadRetryAfter reads the header Retry-After, RFC 9110 section 10.2.3: seconds, or a
// date. It is 0 for none, and at most a day.
func ReadRetryAfter(value string, now time.Time) time.Duration {
	var d time.Duration
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		d = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}

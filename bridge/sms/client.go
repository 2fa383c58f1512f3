package sms

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tandem/store/outbox"
)

// Bounds of a request to a provider.
const (
	sendFor     = 20 * time.Second // the whole exchange; less than the outbox's lease of a minute
	maxResponse = 64 << 10         // bytes that are read of an answer
)

// client speaks to one provider: an address of the operator's choice, so private ones
// are allowed, as are proxies of the environment. It follows no redirect, since what it
// sends is meant for one reader.
type client struct {
	http *http.Client
	base *url.URL
}

func newClient(address string) (*client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil {
		return nil, errors.New("the gateway's url is no web address without a password in it")
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	return &client{base: u, http: &http.Client{
		Timeout: sendFor,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 8,
			IdleConnTimeout: 30 * time.Second, TLSHandshakeTimeout: 5 * time.Second, MaxResponseHeaderBytes: maxResponse,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// response is a provider's answer.
type response struct {
	code  int
	body  []byte
	after time.Duration // Retry-After
}

// post sends a request; headers are set by prepare. Errors have no address in them, which
// may hold an account's name.
func (c *client) post(ctx context.Context, address string, body string, now time.Time, prepare func(http.Header)) (*response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("the gateway's url is no web address: %w", outbox.ErrPermanent)
	}
	req.Header.Set("User-Agent", "Tandem")
	req.Header.Set("Accept", "application/json")
	prepare(req.Header)
	resp, err := c.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, fmt.Errorf("speaking to %s: %w", c.base.Host, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse))
	if err != nil && resp.StatusCode < 300 { // it may have taken the text: trying again is the lesser evil
		return nil, fmt.Errorf("reading the answer of %s: %w", c.base.Host, err)
	}
	return &response{code: resp.StatusCode, body: data, after: outbox.ReadRetryAfter(resp.Header.Get("Retry-After"), now)}, nil
}

// refusal is the error of an answer that is not 2xx; what says why, in words of ours.
func (c *client) refusal(r *response, what string) error {
	err := fmt.Errorf("%s answers %d%s", c.base.Host, r.code, what)
	switch {
	case r.code == http.StatusTooManyRequests || r.code == http.StatusRequestTimeout || r.code == http.StatusTooEarly || r.code >= 500:
		if r.after > 0 {
			return &outbox.RetryAfter{Wait: r.after, Err: err}
		}
		return err
	case r.code >= 300 && r.code < 400:
		return fmt.Errorf("%w, and redirects are not followed: %w", err, outbox.ErrPermanent)
	}
	return fmt.Errorf("%w: %w", err, outbox.ErrPermanent)
}

// Close lets go of idle connections.
func (c *client) Close() { c.http.CloseIdleConnections() }

// template is the provider's name for a message's template, "" to send its words.
func template(m *Message, names map[string]string, only bool) (string, error) {
	if m.Template != "" {
		if name := names[m.Template]; name != "" {
			return name, nil
		}
		if m.Text == "" || only {
			return "", fmt.Errorf("the gateway has no template %q; list it in its templates: %w", m.Template, outbox.ErrPermanent)
		}
	}
	if only {
		return "", fmt.Errorf("the gateway takes templates only (templates_only), and this is free text: send a template instead: %w", outbox.ErrPermanent)
	}
	if m.Text == "" {
		return "", fmt.Errorf("the message is empty: %w", outbox.ErrPermanent)
	}
	return "", nil
}

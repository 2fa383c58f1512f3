// Package fetch makes the HTTP exchanges that flows ask for. It reaches only hosts
// the operator listed, follows no redirect, reads a bounded body, retries what may
// be retried, and never logs: the journal's trace is written by its caller. It runs
// no goroutine of its own.
package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"tandem/internal/hosts"
	"tandem/ivr/flow"
)

const (
	// maxBody bounds an answer: a flow reads a few fields of it aloud.
	maxBody = 1 << 20
	// perHost bounds the exchanges under way at one host, so that a slow back end
	// holds connections and not the server.
	perHost = 256
	// firstGap is the pause before the first retry; each further one doubles it.
	firstGap = 200 * time.Millisecond
)

// Client makes exchanges. It is safe for many calls at once.
type Client struct {
	http  *http.Client
	allow []string
}

// New makes a client that reaches the hosts in allow, as hosts.Allowed reads it.
func New(allow []string) *Client {
	dial := &net.Dialer{Timeout: 5 * time.Second}
	transport := &http.Transport{
		DialContext:           dial.DialContext,
		MaxConnsPerHost:       perHost,
		MaxIdleConnsPerHost:   32,
		IdleConnTimeout:       60 * time.Second,
		TLSHandshakeTimeout:   5 * time.Second,
		ForceAttemptHTTP2:     true,
		DisableCompression:    true, // keeps maxBody honest
		ResponseHeaderTimeout: 60 * time.Second,
	}
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{http: &http.Client{Transport: transport, CheckRedirect: noRedirect}, allow: allow}
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Do makes the exchange f asks for. Its key, if there is one, goes out as
// Idempotency-Key with a POST or PATCH, which no method makes idempotent: it must be
// unlike that of any other session.
func (c *Client) Do(ctx context.Context, f flow.Fetch) flow.Fetched {
	start := time.Now()
	var out flow.Fetched
	gap := firstGap
	for try := 1; ; try++ {
		out = c.once(ctx, f)
		out.Tries = try
		if try > f.Retries || !again(out) || ctx.Err() != nil {
			break
		}
		select {
		case <-time.After(gap):
		case <-ctx.Done():
		}
		gap *= 2
	}
	out.MS = time.Since(start).Milliseconds()
	return out
}

// again reports whether an answer is one that a retry may mend.
func again(f flow.Fetched) bool {
	switch f.Status {
	case 0, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return f.Failed != refused
	}
	return false
}

const refused = "the host is not on the list of allowed hosts (flows.http_allow)"

func (c *Client) once(ctx context.Context, f flow.Fetch) flow.Fetched {
	u, err := url.Parse(f.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return flow.Fetched{Failed: "the address is no http or https URL"}
	}
	if u.User != nil || !hosts.Allowed(c.allow, u) {
		return flow.Fetched{Failed: refused}
	}
	ctx, cancel := context.WithTimeout(ctx, f.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, f.Method, u.String(), bytes.NewReader(f.Body))
	if err != nil {
		return flow.Fetched{Failed: "the request could not be made"}
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "tandem")
	if f.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if f.Key != "" && (f.Method == http.MethodPost || f.Method == http.MethodPatch) {
		req.Header.Set("Idempotency-Key", f.Key)
	}
	for _, h := range f.Headers {
		req.Header.Set(h[0], h[1])
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return flow.Fetched{Failed: reason(err)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return flow.Fetched{Failed: reason(err)}
	}
	if len(body) > maxBody {
		return flow.Fetched{Status: resp.StatusCode, Failed: fmt.Sprintf("the answer is larger than %d bytes", maxBody)}
	}
	return flow.Fetched{Status: resp.StatusCode, Body: body}
}

// reason names an error without the URL in it, which may hold what is personal.
func reason(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		if u.Timeout() {
			return "timeout"
		}
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "timeout"
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return "connection failed: " + op.Err.Error()
	}
	return "no answer"
}

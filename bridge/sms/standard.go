package sms

import (
	"crypto/hmac"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tandem/store/outbox"
)

// Bounds of Standard Webhooks 1.0.0.
const (
	tolerance     = 5 * time.Minute // between the sender's clock and ours
	maxSignatures = 10              // in one request: a sender that changes its secret sends two
)

// verify checks that a request was signed under one of the secrets within the tolerance,
// and not by who replays an old one.
func verify(secrets []outbox.Secret, h http.Header, body []byte, now time.Time) error {
	id, stamp, given := h.Get("webhook-id"), h.Get("webhook-timestamp"), h.Get("webhook-signature")
	if id == "" || stamp == "" || given == "" {
		return reject("unsigned", http.StatusUnauthorized, "the request lacks webhook-id, webhook-timestamp or webhook-signature")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != stamp || len(id) > maxID {
		return reject("forged", http.StatusUnauthorized, "webhook-timestamp is no Unix time in seconds, or webhook-id too long")
	}
	at := time.Unix(seconds, 0)
	ok := false
	signatures := strings.Fields(given)
	for _, signature := range signatures[:min(len(signatures), maxSignatures)] {
		for _, secret := range secrets {
			if hmac.Equal([]byte(signature), []byte(secret.Sign(id, at, body))) {
				ok = true
			}
		}
	}
	if !ok {
		return reject("forged", http.StatusUnauthorized, "the signature does not fit: is it the gateway's secret, over webhook-id.webhook-timestamp.body?")
	}
	if d := now.Sub(at); d > tolerance || d < -tolerance {
		return reject("stale", http.StatusUnauthorized, "webhook-timestamp is more than five minutes off: an old request, or a clock that is wrong")
	}
	return nil
}

package sms

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"tandem/store"
)

// Bounds of what gateways send.
const (
	maxBody     = 64 << 10        // bytes of a request
	maxText     = 4000            // characters of a text that came; a phone joins at most 255 parts, hardly anyone ten
	maxID       = 128             // bytes of a provider's id
	maxAtOnce   = 64              // requests handed on at once, each waiting for the store
	waitPlace   = 3 * time.Second // for one of those places, then a request is asked to come back
	readFor     = 10 * time.Second
	oldest      = 7 * day // that a text can have been under way, by the provider's clock
	perPair     = 30      // texts of one person to one number within a minute
	comeBack    = "2"
	sourceTries = 30 // refused requests of one source within a minute, then it is not listened to
)

// Handler serves POST /api/v1/sms/{gateway}, the gateways' webhooks. A request is
// answered with 2xx once all that it brought is kept. Until then the provider tries
// again, and what it brings twice counts once.
func (d *Desk) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/sms/{gateway}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("gateway")
		answer, err := d.receive(w, r, name)
		if err != nil {
			d.decline(w, name, err)
			return
		}
		if answer.Type != "" {
			w.Header().Set("Content-Type", answer.Type)
		}
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(max(answer.Status, http.StatusOK))
		_, _ = io.WriteString(w, answer.Body)
	})
	return mux
}

// receive takes one request to its end.
func (d *Desk) receive(w http.ResponseWriter, r *http.Request, name string) (Answer, error) {
	source := network(d.o.Source(r))
	now := d.o.Now()
	if d.sources.spent(source, sourceTries, now) {
		return Answer{}, reject("too_many", http.StatusTooManyRequests, "too many requests of this address were refused")
	}
	gateway := d.o.Gateways[name]
	if gateway == nil {
		d.sources.take(source, sourceTries, now)
		return Answer{}, reject("unknown_gateway", http.StatusNotFound, "there is no such gateway; it is named in sms.gateways")
	}
	body, err := readBody(w, r)
	if err != nil {
		d.sources.take(source, sourceTries, now)
		return Answer{}, err
	}
	inbound, receipts, answer, err := gateway.Receive(r, body)
	if err != nil {
		d.sources.take(source, sourceTries, now)
		return Answer{}, err
	}
	if !d.requests.take(name, d.o.PerSecond, now) {
		return Answer{}, reject("too_many", http.StatusTooManyRequests, "more than chat.limits.webhooks_per_second came from this gateway")
	}
	patience := time.NewTimer(waitPlace)
	defer patience.Stop()
	select {
	case d.places <- struct{}{}:
		defer func() { <-d.places }()
	case <-patience.C:
		return Answer{}, errBusy
	case <-r.Context().Done():
		return Answer{}, r.Context().Err()
	}
	for i := range receipts {
		if err := d.receipt(r.Context(), name, &receipts[i]); err != nil {
			return Answer{}, err
		}
	}
	for i := range inbound {
		inbound[i].Gateway = name
		if err := d.arrive(r.Context(), &inbound[i], now); err != nil {
			return Answer{}, err
		}
	}
	d.sweep(r.Context(), now)
	return answer, nil
}

var errBusy = errors.New("as many requests as may be handed on at once are under way")

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	// A recorder in tests has no deadlines; every server has.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readFor))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return nil, reject("too_large", http.StatusRequestEntityTooLarge, fmt.Sprintf("a request has at most %d bytes", maxBody))
	case err != nil:
		return nil, reject("malformed", http.StatusBadRequest, "the request broke off")
	}
	return body, nil
}

// decline answers a request that is refused, or that cannot be kept now.
func (d *Desk) decline(w http.ResponseWriter, gateway string, err error) {
	var r *Rejected
	if !errors.As(err, &r) {
		d.o.Log.Warn("what a gateway sent cannot be kept now; it is asked to try again", "gateway", gateway, "error", err)
		r = reject("unavailable", http.StatusServiceUnavailable, "try again in a moment")
	} else {
		if d.o.Gateways[gateway] == nil {
			gateway = "" // a stranger's invention
		}
		d.told.rejected(d.o.Log, gateway, r, d.o.Now())
		if d.o.Rejected != nil {
			d.o.Rejected(r.Rule)
		}
	}
	if r.Status == http.StatusTooManyRequests || r.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", comeBack)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(r.Status)
	_ = json.NewEncoder(w).Encode(map[string]string{"code": r.Rule, "message": r.Why})
}

// arrive hands one text on, once.
func (d *Desk) arrive(ctx context.Context, in *Inbound, now time.Time) error {
	ours, ok := d.oursAs(in.To)
	if !ok || d.ours[ours] != in.Gateway {
		return reject("unknown_number", http.StatusNotFound, "the text is to a number that sms.gateways does not list for this gateway")
	}
	if in.ID == "" || len(in.ID) > maxID {
		return reject("malformed", http.StatusBadRequest, "the text has no id, or one that is too long")
	}
	theirs, ok := Normal(in.From)
	if !ok { // a name or a service: it cannot be answered, and nobody waits for it
		d.tell("no_number")
		return nil
	}
	in.From, in.To = theirs, ours
	if in.At.After(now) || now.Sub(in.At) > oldest { // also when it is not said
		in.At = now.UTC()
	}
	if text := []rune(in.Text); len(text) > maxText {
		in.Text = string(text[:maxText])
	}
	// Texts of one person are taken one after the other, and a double waits for the first.
	lock := &d.pairs[maphash.String(d.seed, ours+" "+theirs)%uint64(len(d.pairs))]
	lock.Lock()
	defer lock.Unlock()
	var seen bool
	err := d.o.Database.View(ctx, func(tx store.Tx) (err error) {
		seen, err = tx.One("SELECT 1 FROM sms_seen WHERE gateway = ? AND id = ?", func(store.Row) {}, in.Gateway, in.ID)
		return err
	})
	if err != nil || seen {
		return err
	}
	handled, err := d.heed(ctx, in)
	if err != nil || handled {
		return err
	}
	if !d.floods.take(ours+" "+theirs, perPair, now) {
		return reject("too_many", http.StatusTooManyRequests, "somebody sends more texts than are taken within a minute")
	}
	if err := d.o.Arrived(ctx, *in); err != nil {
		return err
	}
	// A crash before this brings it again, and Arrived knows it by its id.
	return d.o.Database.Update(ctx, func(tx store.Tx) error { return d.see(tx, in) })
}

// see notes that a text was taken.
func (d *Desk) see(tx store.Tx, in *Inbound) error {
	_, err := tx.Exec("INSERT OR IGNORE INTO sms_seen (gateway, id, at) VALUES (?, ?, ?)", in.Gateway, in.ID, d.o.Now().UnixNano())
	return err
}

// answerPrefix begins the keys of our answers to STOP and START.
const answerPrefix = "sms-answer-"

// answerKey is the key of the text that answers this one: the same for a double.
func (in *Inbound) answerKey() string {
	sum := sha256.Sum256([]byte(in.Client()))
	return answerPrefix + hex.EncodeToString(sum[:16])
}

func (d *Desk) tell(rule string) {
	if d.o.Rejected != nil {
		d.o.Rejected(rule)
	}
}

// network is what counts as one address, with or without a port: whoever has one IPv6
// address has 2^64. What is no address counts as it is.
func network(source string) string {
	a, err := netip.ParseAddr(source)
	if at, with := netip.ParseAddrPort(source); with == nil {
		a, err = at.Addr(), nil
	}
	if err != nil {
		return source
	}
	a = a.Unmap().WithZone("")
	if p, err := a.Prefix(64); err == nil && a.Is6() {
		return p.String()
	}
	return a.String()
}

// connection is the address a request's connection comes from.
func connection(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

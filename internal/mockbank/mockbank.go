// Package mockbank is a small core bank for demonstrations and tests: accounts with
// a PIN, sessions, a balance and the latest transaction, as JSON over HTTP. It keeps
// everything in memory behind one mutex, starts no goroutine, and never logs an
// account, a PIN or a token: it logs nothing at all.
//
// No secret is ever part of an address:
//
//	POST /sessions         {"account": "100001", "pin": "2468"} → 201 {"token": "…"}
//	                       404 account and PIN do not match, 423 locked, 400 not understood
//	GET  /account/balance  Authorization: Bearer TOKEN → {"balance": "12345.60", "currency": "CNY"}
//	GET  /account/latest   Authorization: Bearer TOKEN → {"day": "2026-11-20", "amount": "-128.50", "currency": "CNY"}
//	                       401 no such session, 404 no transaction
//	POST /customers/accounts  {"phone": "+8613800000001"} → {"balance": "12345.60", "currency": "CNY"}
//	                       404 nobody has that phone, 401 not the operator (if Options.Token is set)
//
// It also checks who customers are, for Tandem's identity.service (docs/identity.md); if
// Options.Secret is set, only what is signed with it (Standard Webhooks) is answered, else 401:
//
//	POST /identify/pin     {"phone": "+8613800000001", "pin": "2468"} → {"ok": true}
//	                       {"ok": false} also where nobody has that phone; 423 locked
//	POST /identify/questions       {"phone": "…"} → {"id": "…", "questions": [{"id": "month", "text": {"en": "…", "zh-CN": "…"}, "type": "digits"}]}
//	                       404 nobody has that phone, 423 locked
//	POST /identify/questions/{id}  {"answers": {"month": "3", "branch": "1"}} → {"ok": true}
//	                       404 no such questions: they are asked once, and hold for 5 minutes
package mockbank

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	maxWrong    = 5                // wrong PINs in a row that lock an account
	maxSessions = 10_000           // kept; one more is refused
	sessionLife = 15 * time.Minute // from signing in
	tokenBytes  = 16
	maxBody     = 4 << 10 // bytes of a request
	maxForms    = 1_000   // sets of questions that wait; one more is refused
	formLife    = 5 * time.Minute
	maxSkew     = 5 * time.Minute // of a signature's time
)

// Account is one customer's account.
type Account struct {
	Number   string // six digits
	PIN      string // four digits
	Balance  string // decimal
	Currency string // ISO 4217
	Latest   *Transaction
	Phone    string // E.164
	Born     int    // month
	Branch   int    // from 1, as Questions has them
}

// Transaction is money that came or, negative, went.
type Transaction struct {
	Day    string // 2026-11-20
	Amount string // decimal
}

// Accounts is the bank's accounts in demonstrations; docs/prompts.md lists them.
func Accounts() []Account {
	return []Account{
		{Number: "100001", Phone: "+8613800000001", Born: 3, Branch: 1, PIN: "2468", Balance: "12345.60", Currency: "CNY", Latest: &Transaction{"2026-11-20", "-128.50"}},
		{Number: "100002", Phone: "+8613800000002", Born: 11, Branch: 2, PIN: "1357", Balance: "880.05", Currency: "CNY", Latest: &Transaction{"2026-11-18", "2000.00"}},
		{Number: "100003", Phone: "+8613800000003", Born: 7, Branch: 3, PIN: "9753", Balance: "-42.00", Currency: "USD", Latest: &Transaction{"2026-10-31", "-17.99"}},
		{Number: "100004", Phone: "+8613800000004", Born: 12, Branch: 1, PIN: "8642", Balance: "1000000.00", Currency: "CNY"},
	}
}

// Options is what a Bank is made of.
type Options struct {
	Accounts []Account // nil = Accounts()
	Now      func() time.Time
	Random   io.Reader // of tokens
	Token    string    // what whoever asks for customers' accounts must bear; "" = nothing
	Secret   string    // whsec_…, signs what is asked about customers; "" = nothing does
}

// Bank is an http.Handler.
type Bank struct {
	now    func() time.Time
	random io.Reader
	token  string
	secret []byte // nil = none
	mux    *http.ServeMux

	mu       sync.Mutex // guards what follows
	accounts map[string]*account
	sessions map[string]session // by the hash of the token
	forms    map[string]session // sets of questions, by the hash of the id
	delay    time.Duration
	status   int // every answer instead of the right one; 0 = none
	asked    int
}

type account struct {
	Account
	wrong int
}

type session struct {
	account *account
	until   time.Time
}

// New makes a bank.
func New(o Options) *Bank {
	if o.Accounts == nil {
		o.Accounts = Accounts()
	}
	b := &Bank{now: o.Now, random: o.Random, token: o.Token, accounts: make(map[string]*account), sessions: make(map[string]session),
		forms: make(map[string]session), mux: http.NewServeMux()}
	if o.Secret != "" {
		b.secret = []byte{} // one that cannot be read signs nothing
		if key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(o.Secret, "whsec_")); err == nil {
			b.secret = key
		}
	}
	for _, a := range o.Accounts {
		b.accounts[a.Number] = &account{Account: a}
	}
	b.mux.HandleFunc("POST /sessions", b.signIn)
	b.mux.HandleFunc("POST /customers/accounts", b.find)
	b.mux.HandleFunc("POST /identify/pin", b.signed(b.checkPIN))
	b.mux.HandleFunc("POST /identify/questions", b.signed(b.ask))
	b.mux.HandleFunc("POST /identify/questions/{id}", b.signed(b.checkAnswers))
	b.mux.HandleFunc("GET /account/balance", b.signedIn(func(w http.ResponseWriter, a Account) {
		answer(w, http.StatusOK, map[string]string{"balance": a.Balance, "currency": a.Currency})
	}))
	b.mux.HandleFunc("GET /account/latest", b.signedIn(func(w http.ResponseWriter, a Account) {
		if a.Latest == nil {
			refuse(w, http.StatusNotFound, "no transaction")
			return
		}
		answer(w, http.StatusOK, map[string]string{"day": a.Latest.Day, "amount": a.Latest.Amount, "currency": a.Currency})
	}))
	return b
}

// Delay makes every answer wait, up to the asker's patience. 0 ends it.
func (b *Bank) Delay(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.delay = d
}

// Fail makes every answer this status without a body. 0 ends it.
func (b *Bank) Fail(status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status = status
}

// Asked is how many requests came.
func (b *Bank) Asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

// ServeHTTP answers one request.
func (b *Bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	b.asked++
	delay, status := b.delay, b.status
	b.mu.Unlock()
	if !wait(r.Context(), delay) {
		return
	}
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	b.mux.ServeHTTP(w, r)
}

func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (b *Bank) signIn(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Account, PIN string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&asked); err != nil {
		refuse(w, http.StatusBadRequest, "account and pin are needed, as JSON")
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.accounts[asked.Account]
	switch {
	case a == nil:
		refuse(w, http.StatusNotFound, "account and PIN do not match")
		return
	case a.wrong >= maxWrong:
		refuse(w, http.StatusLocked, "the account is locked")
		return
	case subtle.ConstantTimeCompare([]byte(a.PIN), []byte(asked.PIN)) != 1:
		a.wrong++
		refuse(w, http.StatusNotFound, "account and PIN do not match")
		return
	}
	a.wrong = 0
	token, err := b.open(a)
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, "try again later")
		return
	}
	answer(w, http.StatusCreated, map[string]string{"token": token})
}

// open starts a session. The caller holds mu.
func (b *Bank) open(a *account) (string, error) {
	return b.keep(b.sessions, maxSessions, a, sessionLife)
}

// keep remembers an account under a new token, of which only the hash is kept.
func (b *Bank) keep(in map[string]session, most int, a *account, life time.Duration) (string, error) {
	now := b.now()
	for key, s := range in {
		if !now.Before(s.until) {
			delete(in, key)
		}
	}
	if len(in) >= most {
		return "", fmt.Errorf("%d are open", len(in))
	}
	var raw [tokenBytes]byte
	if _, err := io.ReadFull(b.random, raw[:]); err != nil {
		return "", fmt.Errorf("making a token: %w", err)
	}
	token := hex.EncodeToString(raw[:])
	in[hash(token)] = session{account: a, until: now.Add(life)}
	return token, nil
}

func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return string(sum[:])
}

func (b *Bank) signedIn(next func(http.ResponseWriter, Account)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		b.mu.Lock()
		s, known := b.sessions[hash(token)]
		b.mu.Unlock()
		if !ok || !known || !b.now().Before(s.until) {
			refuse(w, http.StatusUnauthorized, "sign in first")
			return
		}
		next(w, s.account.Account)
	}
}

func refuse(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]string{"error": why})
}

// answer writes JSON; who has gone away does not read it.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

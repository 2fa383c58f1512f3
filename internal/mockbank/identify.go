package mockbank

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Question is one that the bank asks to find out who somebody is; the answer is digits.
type Question struct {
	ID   string            `json:"id"`
	Text map[string]string `json:"text"` // by language
	Type string            `json:"type"`
}

// Questions is all that the bank asks.
func Questions() []Question {
	return []Question{
		{ID: "month", Type: "digits", Text: map[string]string{"en": "In which month were you born? Enter its number.", "zh-CN": "您出生在几月？请输入数字。"}},
		{ID: "branch", Type: "digits", Text: map[string]string{
			"en":    "Where did you open your account? For Harbour Road, enter 1. For Hill Street, enter 2. For the airport, enter 3.",
			"zh-CN": "您在哪里开的户？海港路请输入1，山街请输入2，机场请输入3。",
		}},
	}
}

// find tells the account of whoever has a phone. Who asks knows whose phone it is.
func (b *Bank) find(w http.ResponseWriter, r *http.Request) {
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if b.token != "" && subtle.ConstantTimeCompare([]byte(bearer), []byte(b.token)) != 1 {
		refuse(w, http.StatusUnauthorized, "this is for the operator only")
		return
	}
	var asked struct{ Phone string }
	if !read(w, r, &asked) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.byPhone(asked.Phone)
	if a == nil {
		refuse(w, http.StatusNotFound, "nobody has that phone")
		return
	}
	answer(w, http.StatusOK, map[string]string{"balance": a.Balance, "currency": a.Currency})
}

// signed lets through only what was signed with the bank's secret, if it has one.
func (b *Bank) signed(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			refuse(w, http.StatusBadRequest, "the request is too large")
			return
		}
		if b.secret != nil && !b.signs(r.Header, body) {
			refuse(w, http.StatusUnauthorized, "the signature does not fit")
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next(w, r)
	}
}

func (b *Bank) signs(h http.Header, body []byte) bool {
	id, at := h.Get("webhook-id"), h.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || id == "" || b.now().Sub(time.Unix(seconds, 0)).Abs() > maxSkew || len(b.secret) == 0 {
		return false
	}
	mac := hmac.New(sha256.New, b.secret)
	io.WriteString(mac, id+"."+at+".")
	mac.Write(body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for one := range strings.FieldsSeq(h.Get("webhook-signature")) {
		if hmac.Equal([]byte(one), []byte(want)) {
			return true
		}
	}
	return false
}

func (b *Bank) checkPIN(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Phone, PIN string }
	if !read(w, r, &asked) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.byPhone(asked.Phone)
	b.grade(w, a, a != nil && subtle.ConstantTimeCompare([]byte(a.PIN), []byte(asked.PIN)) == 1)
}

// ask asks all questions.
func (b *Bank) ask(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Phone string }
	if !read(w, r, &asked) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.byPhone(asked.Phone)
	switch {
	case a == nil:
		refuse(w, http.StatusNotFound, "nobody has that phone")
		return
	case a.wrong >= maxWrong:
		refuse(w, http.StatusLocked, "the account is locked")
		return
	}
	id, err := b.keep(b.forms, maxForms, a, formLife)
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, "try again later")
		return
	}
	answer(w, http.StatusOK, map[string]any{"id": id, "questions": Questions()})
}

func (b *Bank) checkAnswers(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Answers map[string]string }
	if !read(w, r, &asked) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	key := hash(r.PathValue("id"))
	f, known := b.forms[key]
	delete(b.forms, key)
	if !known || !b.now().Before(f.until) {
		refuse(w, http.StatusNotFound, "no such questions")
		return
	}
	month, err := strconv.Atoi(asked.Answers["month"])
	branch, err2 := strconv.Atoi(asked.Answers["branch"])
	b.grade(w, f.account, err == nil && err2 == nil && month == f.account.Born && branch == f.account.Branch)
}

// grade answers whether a check was passed, and counts; a is nil if nobody was meant.
// The caller holds mu.
func (b *Bank) grade(w http.ResponseWriter, a *account, ok bool) {
	switch {
	case a == nil:
	case a.wrong >= maxWrong:
		answer(w, http.StatusLocked, map[string]bool{"ok": false, "locked": true})
		return
	case ok:
		a.wrong = 0
	default:
		a.wrong++
	}
	answer(w, http.StatusOK, map[string]bool{"ok": ok})
}

// byPhone finds an account. The caller holds mu.
func (b *Bank) byPhone(phone string) *account {
	for _, a := range b.accounts {
		if a.Phone != "" && a.Phone == phone {
			return a
		}
	}
	return nil
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(into); err != nil {
		refuse(w, http.StatusBadRequest, "this is not understood")
		return false
	}
	return true
}

package duty

import (
	"errors"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"tandem"
	"tandem/store"
	"tandem/store/staff"
	"tandem/web/answer"
	"tandem/web/desk/live"
	"tandem/web/desk/view"
)

// CodeTooMany is an error's code where somebody asks for too much.
const CodeTooMany tandem.Code = "too_many"

// Problem is an error as whoever asked sees it.
func Problem(err error) (answer.Problem, int) {
	var known *tandem.Error
	switch {
	case errors.As(err, &known) && known.Code != tandem.CodeInternal:
		status, ok := map[tandem.Code]int{live.CodeBad: http.StatusBadRequest, tandem.CodeInvalid: http.StatusUnprocessableEntity, tandem.CodeNotFound: http.StatusNotFound, tandem.CodeConflict: http.StatusConflict,
			tandem.CodeForbidden: http.StatusForbidden, tandem.CodeUnavailable: http.StatusServiceUnavailable, CodeTooMany: http.StatusTooManyRequests}[known.Code]
		if !ok {
			break
		}
		return answer.Problem{Code: string(known.Code), Message: sentence(known.Message)}, status
	case errors.Is(err, store.ErrNotFound):
		return answer.Problem{Code: "not_found", Message: "There is no such thing."}, http.StatusNotFound
	case errors.Is(err, store.ErrErased):
		return answer.Problem{Code: "conflict", Message: "The customer's data has been erased."}, http.StatusConflict
	case errors.Is(err, staff.ErrNoKey):
		return answer.Problem{Code: "not_found", Message: "There is no such key, or it is revoked."}, http.StatusNotFound
	case errors.Is(err, store.ErrUnavailable):
		return answer.Problem{Code: "unavailable", Message: "The store does not write now, so nothing was done. Try again soon."}, http.StatusServiceUnavailable
	}
	return answer.Problem{Code: "internal", Message: "Something went wrong here. It has been noted."}, http.StatusInternalServerError
}

// sentence begins with a capital and ends.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	c, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(c)) + text[size:]
	if strings.ContainsAny(text[len(text)-1:], ".!?。") {
		return text
	}
	return text + "."
}

// NoTask says the same of what is not there and what is none of the caller's business.
func NoTask() error { return tandem.Errorf(tandem.CodeNotFound, "you have no such task") }

// Invalid says what is wrong with what was asked.
func Invalid(format string, args ...any) error {
	return tandem.Errorf(tandem.CodeInvalid, format, args...)
}

// Bounds of texts, in characters.
const (
	MaxText   = 4000
	MaxNote   = 2000 // about a ticket, or to an agent
	MaxTold   = 1000 // to a customer about their ticket
	MaxName   = 100
	MaxShort  = 64
	MaxReason = 500
)

// Text checks what somebody wrote for people: some text, in lines, without the characters
// that make it look like something else.
func Text(s, what string, most int) (string, error) {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	switch {
	case s == "":
		return "", Invalid("%s is empty", what)
	case utf8.RuneCountInString(s) > most:
		return "", Invalid("%s is longer than %d characters", what, most)
	case strings.ContainsFunc(s, func(c rune) bool { return c != '\n' && c != '\t' && forbidden(c) }):
		return "", Invalid("%s has characters that cannot be shown", what)
	}
	return s, nil
}

// Word checks a name or a few words in one line; "" is fine.
func Word(s, what string, most int) (string, error) {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > most || strings.ContainsFunc(s, forbidden) {
		return "", Invalid("%s has at most %d characters, in one line", what, most)
	}
	return s, nil
}

// forbidden are controls, what turns the direction of writing, and what was no character.
func forbidden(c rune) bool {
	return unicode.IsControl(c) || (c >= '\u202a' && c <= '\u202e') || (c >= '\u2066' && c <= '\u2069') || c == utf8.RuneError
}

// clientID checks the id that a client gives what it sends: of the characters of base64url.
func clientID(s string) error {
	if !view.ClientID(s) {
		return Invalid("your id of it has 1 to 64 characters of A-Z a-z 0-9 - _")
	}
	return nil
}

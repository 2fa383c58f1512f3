package tandem

import (
	"errors"
	"fmt"
)

// Code classes an error for callers that branch on it: HTTP status, exit status.
type Code string

const (
	CodeInvalid     Code = "invalid"     // the input is at fault
	CodeNotFound    Code = "not_found"   // no such thing
	CodeConflict    Code = "conflict"    // it changed meanwhile, or is there already
	CodeForbidden   Code = "forbidden"   // not allowed
	CodeUnavailable Code = "unavailable" // try again later
	CodeInternal    Code = "internal"    // a fault of ours
)

// Error is the one error type at API, flow and CLI borders: a code and a sentence
// for the person who reads it. Err is the cause, for the log only.
type Error struct {
	Code    Code
	Message string
	Err     error
}

// Errorf makes an Error; a %w in format sets its cause and is shown too.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

func (e *Error) Error() string { return e.Message }
func (e *Error) Unwrap() error { return e.Err }

// CodeOf finds the code in an error's chain; CodeInternal if there is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// Package answer is the form of what the HTTP doors say: JSON, problems in one shape,
// and streams of events. It also reads the JSON that requests carry.
//
// It starts no goroutine and decides nothing.
package answer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

// Problem is the body of every error answer of the API.
type Problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// JSON writes an answer that no cache keeps. body is of a type of ours that can be
// written; one that cannot is a fault and panics.
func JSON(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		panic("answer: an answer cannot be written: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // a client that left is none of ours to mend
}

// Refuse writes a Problem. code is for programs, message a sentence for people.
func Refuse(w http.ResponseWriter, status int, code, message string) {
	JSON(w, status, Problem{Code: code, Message: message})
}

// Read reads the request's body, JSON without unknown fields, into body, a pointer to a
// structure. A field with the tag `answer:"needed"` must be there. If that fails it has
// answered, naming the field, and ok is false.
func Read(w http.ResponseWriter, r *http.Request, body any) (ok bool) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		Refuse(w, http.StatusUnsupportedMediaType, "not_json", "Send the request's body as application/json.")
		return false
	}
	data, err := io.ReadAll(r.Body)
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		Refuse(w, http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("The request's body is longer than %d bytes.", long.Limit))
		return false
	}
	why := "The request's body ended early."
	if err == nil {
		why = fill(data, body)
	}
	if why != "" {
		Refuse(w, http.StatusBadRequest, "invalid", why)
	}
	return why == ""
}

// takeTime is how long the reader of a stream may take for one event.
const takeTime = 10 * time.Second

// Stream is an answer that goes on: server-sent events. It outlives the server's limits
// of time for requests, but no event may take longer than takeTime to leave. It belongs
// to its handler's goroutine, which ends it by returning.
type Stream struct {
	w http.ResponseWriter
	c *http.ResponseController
}

// NewStream begins a stream.
func NewStream(w http.ResponseWriter) (*Stream, error) {
	s := &Stream{w: w, c: http.NewResponseController(w)}
	if err := s.c.SetReadDeadline(time.Time{}); err != nil { // it would end the request's context
		return nil, fmt.Errorf("beginning a stream: %w", err)
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy in front passes each event on
	return s, s.write(": hello\n\n")
}

// Event sends one. data is of a type of ours that can be written as JSON.
func (s *Stream) Event(name string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("writing event %s: %w", name, err)
	}
	return s.write(fmt.Sprintf("event: %s\ndata: %s\n\n", name, text))
}

// Beat sends a comment: a reader that is gone shows by it.
func (s *Stream) Beat() error { return s.write(": \n\n") }

func (s *Stream) write(text string) error {
	if err := s.c.SetWriteDeadline(time.Now().Add(takeTime)); err != nil {
		return fmt.Errorf("sending an event: %w", err)
	}
	if _, err := io.WriteString(s.w, text); err != nil {
		return fmt.Errorf("sending an event: %w", err)
	}
	if err := s.c.Flush(); err != nil {
		return fmt.Errorf("sending an event: %w", err)
	}
	return nil
}

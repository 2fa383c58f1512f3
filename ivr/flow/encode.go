package flow

import (
	"bytes"
	"encoding/json"
	"fmt"

	"tandem"
	"tandem/ivr/flow/expression"
)

// Encode writes a session for storing. Ephemeral values, keys typed ahead and a
// value entered in part are left out.
func Encode(s Session) ([]byte, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("writing a session: %w", err)
	}
	return b, nil
}

// Decode reads what Encode wrote, by this version or one before it. A newer version
// is refused: tandem.CodeConflict; what is no session: tandem.CodeInvalid.
func Decode(b []byte) (Session, error) {
	var head struct {
		Version int `json:"v"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return Session{}, tandem.Errorf(tandem.CodeInvalid, "this is no session: %w", err)
	}
	switch {
	case head.Version > SessionVersion:
		return Session{}, tandem.Errorf(tandem.CodeConflict,
			"the session was written by a newer program, in format %d; this program reads formats up to %d", head.Version, SessionVersion)
	case head.Version < 1:
		return Session{}, tandem.Errorf(tandem.CodeInvalid, "this is no session: it has no format number")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var s Session
	if err := d.Decode(&s); err != nil {
		return Session{}, tandem.Errorf(tandem.CodeInvalid, "reading a session of format %d: %w", head.Version, err)
	}
	frames := make([]*Frame, 0, len(s.Frames))
	for i := range s.Frames {
		frames = append(frames, &s.Frames[i])
	}
	if s.Asked != nil {
		frames = append(frames, &s.Asked.At)
		for i := range s.Asked.Over {
			frames = append(frames, &s.Asked.Over[i])
		}
	}
	for _, f := range frames {
		for _, m := range []map[string]any{f.Vars, f.Secrets} {
			for name, v := range m {
				m[name] = expression.Normalize(v)
			}
		}
		for j, v := range f.Choices {
			f.Choices[j] = expression.Normalize(v)
		}
	}
	return s, nil
}

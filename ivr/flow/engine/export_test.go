package engine

import "tandem/ivr/flow"

// Kept reports whether storing the session loses anything: no key entered in part,
// none typed ahead, no ephemeral value.
func Kept(s flow.Session) bool {
	for _, f := range s.Frames {
		if f.Draft != "" {
			return false
		}
		for name := range f.Ephemeral {
			if _, asked := f.Asked[name]; asked {
				return false
			}
		}
	}
	return s.Keys == ""
}

// Bounds for tests.
const (
	MaxSteps = maxSteps
	MaxKeys  = maxKeys
)

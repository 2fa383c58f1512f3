package tandem

import "fmt"

// Assurance is how sure we are who is on a leg. It belongs to a leg, expires, and
// is ordered: a higher level satisfies the need for a lower one.
type Assurance uint8

const (
	// None: nothing is known; a caller's number is a hint only.
	None Assurance = iota
	// Recognised: a bound number, from a trunk trusted for caller ids.
	Recognised
	// Verified: a one-time code or PIN was given.
	Verified
	// Proofed: an attended video check passed.
	Proofed
)

var assuranceNames = [...]string{"none", "recognised", "verified", "proofed"}

func (a Assurance) String() string {
	if int(a) < len(assuranceNames) {
		return assuranceNames[a]
	}
	return fmt.Sprintf("assurance(%d)", uint8(a))
}

// ParseAssurance reads a level by its name.
func ParseAssurance(s string) (Assurance, error) {
	for i, name := range assuranceNames {
		if s == name {
			return Assurance(i), nil
		}
	}
	return None, fmt.Errorf("%q is no assurance level: use none, recognised, verified or proofed", s)
}

// MarshalText writes the level's name.
func (a Assurance) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the level's name.
func (a *Assurance) UnmarshalText(b []byte) (err error) {
	*a, err = ParseAssurance(string(b))
	return err
}

package identity

import (
	"context"

	"tandem"
)

// CheckID names a code that was sent. It is no secret, and worth nothing without the code.
type CheckID string

// Refused says which limit refused a code, or a try. Rule is from a closed list, for
// metrics: number, visitor, address, tries.
type Refused struct {
	Rule string
}

func (r *Refused) Error() string {
	return "too many codes or tries (" + r.Rule + "): try again later"
}

// SendCode sends a one-time code to an identity, for one purpose, within the limits. The
// error is *Refused, or says why nothing can be sent there.
func (d *Desk) SendCode(ctx context.Context, why string, w Who, to tandem.Identity) (CheckID, error) {
	return "", &Refused{Rule: "number"}
}

// CheckCode holds what was typed against a code that was sent. A right one is used up;
// left is how many tries there still are. An unknown, used, worn out or expired id is
// not ok and has none left.
func (d *Desk) CheckCode(ctx context.Context, id CheckID, typed string) (ok bool, left int, err error) {
	return false, 0, nil
}

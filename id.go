package tandem

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// Ids are 26 characters of lower-case base32 (RFC 4648 section 7 alphabet): 48
// bits of Unix milliseconds, then 80 random bits, so that they sort by time of
// making and cannot be guessed. Each kind of thing has its own type.
type (
	// InteractionID names one customer's business from first ring or message to wrap-up.
	InteractionID string
	// LegID names one way a party takes part in an interaction.
	LegID string
	// CustomerID names a person.
	CustomerID string
	// TaskID names a place in line.
	TaskID string
	// BlobID names something heard or seen that lies encrypted outside the database.
	BlobID string
	// ConversationID names the ordered messages with one party at one entry.
	ConversationID string
	// LinkID names a link; it is not the link's token and opens nothing.
	LinkID string
	// UpgradeID names one time that voice or pictures were added to an interaction.
	UpgradeID string
	// CheckID names one identity check.
	CheckID string
)

const idLen = 26

// Base32hex keeps byte order, so ids sort as their times do.
var idEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// NewID makes an id of any kind from the time now and 10 bytes of random. It
// panics only if random fails, which crypto/rand.Reader never does.
func NewID[T ~string](now time.Time, random io.Reader) T {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16)
	if _, err := io.ReadFull(random, b[6:]); err != nil {
		panic(fmt.Errorf("making an id: %w", err))
	}
	return T(idEncoding.EncodeToString(b[:]))
}

// ValidID reports whether s has the form of an id.
func ValidID(s string) bool {
	if len(s) != idLen {
		return false
	}
	b, err := idEncoding.DecodeString(s)
	return err == nil && len(b) == 16
}

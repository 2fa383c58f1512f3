package staff

import (
	"context"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Cost is what one check of a password takes.
type Cost struct {
	Memory uint32 // KiB
	Passes uint32
	Lanes  uint8
}

// The second choice of RFC 9106, section 4, which is above what OWASP asks for.
const (
	costMemory = 64 << 10 // KiB: 64 MiB
	costPasses = 3
	costLanes  = 4

	saltSize = 16 // bytes, RFC 9106 section 3.1
	tagSize  = 32 // bytes

	maxCostMemory = 1 << 20 // KiB: what a stored password may ask for at most
	maxCostPasses = 64

	checksAtOnce  = 2  // passwords checked at once: 128 MiB
	checksWaiting = 32 // more are refused with ErrBusy
)

// Bounds of a password. Beyond length there is no rule of composition (NIST SP 800-63B,
// section 3.1.1.2).
const (
	minPassword = 12  // characters
	maxPassword = 256 // bytes
	minDistinct = 5   // different characters: fewer is one key held down
	minNamePart = 4   // characters of a name, up to its @, that may not be in it: shorter ones are in many words
)

//go:embed worst.txt
var worst string

// CheckPassword refuses a new password that would be guessed: too short, made of the
// user's name, or one of those that everybody tries first. The error is a WeakError.
func CheckPassword(password, name string) error {
	password = norm.NFKC.String(password)
	switch {
	case !utf8.ValidString(password):
		return WeakError("The password is not valid text.")
	case utf8.RuneCountInString(password) < minPassword:
		return WeakError(fmt.Sprintf("The password has fewer than %d characters. A few words in a row are easy to remember.", minPassword))
	case len(password) > maxPassword:
		return WeakError(fmt.Sprintf("The password is longer than %d bytes.", maxPassword))
	}
	folded := strings.ToLower(password)
	person, _, _ := strings.Cut(name, "@")
	if len(person) >= minNamePart && strings.Contains(folded, person) {
		return WeakError("The password has the user's name in it.")
	}
	distinct := map[rune]bool{}
	for _, c := range folded {
		distinct[c] = true
	}
	if len(distinct) < minDistinct {
		return WeakError("The password is the same few characters again and again.")
	}
	bare := strings.Join(strings.Fields(folded), "")
	for line := range strings.Lines(worst) {
		if bare == strings.TrimSpace(line) {
			return WeakError("The password is one of those that are tried first.")
		}
	}
	return nil
}

// hasher makes and checks argon2id hashes, a few at once.
type hasher struct {
	cost    Cost
	random  io.Reader
	slots   chan struct{}
	waiting atomic.Int32
	nobody  string // the hash that an unknown user's password is checked against
}

func newHasher(cost Cost, random io.Reader) (*hasher, error) {
	if cost == (Cost{}) {
		cost = Cost{Memory: costMemory, Passes: costPasses, Lanes: costLanes}
	}
	h := &hasher{cost: cost, random: random, slots: make(chan struct{}, checksAtOnce)}
	salt, tag := make([]byte, saltSize), make([]byte, tagSize)
	if _, err := io.ReadFull(random, salt); err != nil {
		return nil, fmt.Errorf("drawing a salt: %w", err)
	}
	if _, err := io.ReadFull(random, tag); err != nil {
		return nil, fmt.Errorf("drawing a salt: %w", err)
	}
	h.nobody = encoded(cost, salt, tag)
	return h, nil
}

// enter waits for room to compute one hash.
func (h *hasher) enter(ctx context.Context) error {
	if h.waiting.Add(1) > checksWaiting {
		h.waiting.Add(-1)
		return ErrBusy
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting to check a password: %w", context.Cause(ctx))
	}
}

func (h *hasher) tag(ctx context.Context, cost Cost, password string, salt []byte, size uint32) ([]byte, error) {
	if err := h.enter(ctx); err != nil {
		return nil, err
	}
	defer func() { <-h.slots }()
	return argon2.IDKey([]byte(norm.NFKC.String(password)), salt, cost.Passes, cost.Memory, cost.Lanes, size), nil
}

// hash makes the PHC form of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(h.random, salt); err != nil {
		return "", fmt.Errorf("drawing a salt: %w", err)
	}
	tag, err := h.tag(ctx, h.cost, password, salt, tagSize)
	if err != nil {
		return "", err
	}
	return encoded(h.cost, salt, tag), nil
}

// check compares a password with a hash; "" is nobody's, takes as long and never fits.
// again says that the hash is weaker than what is made now.
func (h *hasher) check(ctx context.Context, password, hash string) (fits, again bool, err error) {
	known := hash != ""
	if !known {
		hash = h.nobody
	}
	if len(password) > maxPassword {
		password, known = password[:maxPassword], false
	}
	cost, salt, want, err := decoded(hash)
	if err != nil {
		return false, false, err
	}
	got, err := h.tag(ctx, cost, password, salt, uint32(len(want)))
	if err != nil {
		return false, false, err
	}
	fits = subtle.ConstantTimeCompare(got, want) == 1 && known
	again = cost.Memory < h.cost.Memory || cost.Passes < h.cost.Passes || len(want) < tagSize
	return fits, again, nil
}

func encoded(c Cost, salt, tag []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.Memory, c.Passes, c.Lanes, b64.EncodeToString(salt), b64.EncodeToString(tag))
}

var errHash = errors.New("a stored password does not have the form of an argon2id hash")

// decoded reads the PHC form and refuses what would take unreasonable work.
func decoded(hash string) (c Cost, salt, tag []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Passes, &c.Lanes); err != nil {
		return c, nil, nil, errHash
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return c, nil, nil, errHash
	}
	if tag, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil {
		return c, nil, nil, errHash
	}
	if c.Memory < 8*uint32(c.Lanes) || c.Memory > maxCostMemory || c.Passes < 1 || c.Passes > maxCostPasses || c.Lanes < 1 || len(salt) < 8 || len(tag) < 16 || len(tag) > 64 {
		return c, nil, nil, errHash
	}
	return c, salt, tag, nil
}

// drawn is the alphabet of passwords made here: 32 characters that look like no other.
const drawn = "abcdefghijkmnpqrstuvwxyz23456789"

// draw makes n random characters of five bits each, in groups that can be read out.
func draw(random io.Reader, n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("drawing a password: %w", err)
	}
	var s strings.Builder
	for i, c := range b {
		if i > 0 && i%5 == 0 {
			s.WriteByte('-')
		}
		s.WriteByte(drawn[c%32])
	}
	return s.String(), nil
}

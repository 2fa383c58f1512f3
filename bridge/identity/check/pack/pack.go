// Package pack writes what an identity check has left as one file that can be verified
// anywhere, without the store and without a network: the policy as it was, the stills with
// their signed statements, and the interaction's events in their chain of hashes, all under
// a signed manifest. Of events that are none of the check's there are the headers alone, so
// that a pack tells nothing else about the customer.
//
// It runs no goroutine and opens no file by itself.
package pack

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/store"
)

// Names of files in a pack, beside the stills.
const (
	manifestFile  = "manifest.json"
	signatureFile = "manifest.sig"
	keyFile       = "public-key.pem"
	policyFile    = "policy.yaml"
	eventsFile    = "events.jsonl"
	readmeFile    = "README.txt"
	stillsFolder  = "stills/"
)

// format is that of the packs this version writes.
const format = 1

// Source is what a pack is made of.
type Source struct {
	Check       tandem.CheckID
	Interaction tandem.InteractionID
	Policy      string // its name
	PolicyHash  string // SHA-256 of its text, in hex
	PolicyText  string
	State       string
	Officer     string
	Second      string
	Begun       time.Time
	Ended       time.Time
	Links       []store.Link // all of the interaction
	// Open opens a still; store.ErrNotFound or ErrErased of one that was removed since.
	Open func(tandem.BlobID) (io.ReadCloser, error)
	Sign ed25519.PrivateKey
	By   string // who makes the pack, and why
	Why  string
	Made time.Time
}

// Manifest is what a pack holds, signed.
type Manifest struct {
	Format      int                  `json:"format"`
	Check       tandem.CheckID       `json:"check"`
	Interaction tandem.InteractionID `json:"interaction"`
	Policy      string               `json:"policy"`
	PolicyHash  string               `json:"policy_hash"`
	State       string               `json:"state"`
	Officer     string               `json:"officer"`
	Second      string               `json:"second,omitempty"`
	Begun       time.Time            `json:"begun"`
	Ended       time.Time            `json:"ended,omitzero"`
	Made        time.Time            `json:"made"`
	By          string               `json:"by"`
	Why         string               `json:"why"`
	Key         string               `json:"key"`    // the public key, base64
	Events      int                  `json:"events"` // of the interaction
	Head        string               `json:"head"`   // hash of the last of them, hex
	Stills      []Still              `json:"stills"`
	Missing     []tandem.BlobID      `json:"missing,omitempty"` // stills that were removed before
	Files       map[string]string    `json:"files"`             // SHA-256 of each, hex
}

// Still is one of a pack: File and the same with .txt and .sig, its statement and the
// signature over that.
type Still struct {
	Blob   tandem.BlobID `json:"blob"`
	Step   string        `json:"step"`
	Round  int           `json:"round"`
	Source string        `json:"source"`
	File   string        `json:"file"`
	Hash   string        `json:"hash"`
}

// event is one event as a pack has it. Data is JSON as a text, byte for byte what was hashed.
type event struct {
	Seq    uint64           `json:"seq"`
	At     time.Time        `json:"at"`
	Kind   tandem.EventKind `json:"kind"`
	Leg    tandem.LegID     `json:"leg,omitempty"`
	Actor  string           `json:"actor,omitempty"`
	Digest string           `json:"digest"`
	Hash   string           `json:"hash"`
	Salt   string           `json:"salt,omitempty"`
	Data   string           `json:"data,omitempty"`
}

// ofCheck reports whether an event is the check's own: its payload goes into the pack.
func ofCheck(l *store.Link, id tandem.CheckID) bool {
	switch l.Kind {
	case tandem.EventCheckBegun, tandem.EventCheckStep, tandem.EventEvidence, tandem.EventCheckBroken, tandem.EventVerdict:
		var of struct {
			Check tandem.CheckID `json:"check"`
		}
		return json.Unmarshal(l.Data, &of) == nil && of.Check == id
	case tandem.EventConsent:
		var c tandem.Consent
		return json.Unmarshal(l.Data, &c) == nil && (c.Check == id || c.Check == "" && (c.Kind == "video" || c.Kind == "recording"))
	case tandem.EventIdentified:
		var d tandem.Identified
		return json.Unmarshal(l.Data, &d) == nil && d.Method == "video"
	}
	return false
}

// Write makes a pack.
func Write(w io.Writer, s Source) error {
	public, ok := s.Sign.Public().(ed25519.PublicKey)
	if !ok || len(s.Links) == 0 {
		return errors.New("a pack needs a key and events")
	}
	m := Manifest{Format: format, Check: s.Check, Interaction: s.Interaction, Policy: s.Policy, PolicyHash: s.PolicyHash, State: s.State, Officer: s.Officer,
		Second: s.Second, Begun: s.Begun.UTC(), Made: s.Made.UTC(), By: s.By, Why: s.Why, Key: base64.StdEncoding.EncodeToString(public),
		Events: len(s.Links), Stills: []Still{}, Files: map[string]string{}}
	if !s.Ended.IsZero() {
		m.Ended = s.Ended.UTC()
	}
	head := s.Links[len(s.Links)-1].Hash
	m.Head = hex.EncodeToString(head[:])
	files := map[string][]byte{policyFile: []byte(s.PolicyText), readmeFile: []byte(readme)}
	pemKey, err := publicPEM(public)
	if err != nil {
		return err
	}
	files[keyFile] = pemKey
	var lines []byte
	for i := range s.Links {
		l := &s.Links[i]
		mine := ofCheck(l, s.Check)
		line, err := json.Marshal(eventOf(l, mine))
		if err != nil {
			return fmt.Errorf("writing event %d: %w", l.Seq, err)
		}
		lines = append(append(lines, line...), '\n')
		if mine && l.Kind == tandem.EventEvidence {
			if err := addStill(&m, files, l, s.Open); err != nil {
				return err
			}
		}
	}
	files[eventsFile] = lines
	for name, data := range files {
		m.Files[name] = hashOf(data)
	}
	manifest, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	files[manifestFile], files[signatureFile] = manifest, ed25519.Sign(s.Sign, manifest)
	return writeZip(w, files)
}

func eventOf(l *store.Link, whole bool) event {
	e := event{Seq: l.Seq, At: l.At.UTC(), Kind: l.Kind, Leg: l.Leg, Actor: l.Actor, Digest: hex.EncodeToString(l.Digest[:]), Hash: hex.EncodeToString(l.Hash[:])}
	if whole {
		e.Salt, e.Data = hex.EncodeToString(l.Salt), string(l.Data)
	}
	return e
}

// addStill puts a still with its statement and signature into a pack.
func addStill(m *Manifest, files map[string][]byte, l *store.Link, open func(tandem.BlobID) (io.ReadCloser, error)) error {
	var d tandem.Evidence
	if err := json.Unmarshal(l.Data, &d); err != nil {
		return fmt.Errorf("reading event %d: %w", l.Seq, err)
	}
	r, err := open(d.Blob)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrErased) {
		m.Missing = append(m.Missing, d.Blob)
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening still %s: %w", d.Blob, err)
	}
	data, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("reading still %s: %w", d.Blob, err)
	}
	signature, err := base64.StdEncoding.DecodeString(d.Signature)
	if err != nil {
		return fmt.Errorf("reading the signature of still %s: %w", d.Blob, err)
	}
	base := fmt.Sprintf("%s%03d-%d-%s-%s", stillsFolder, len(m.Stills)+1, d.Round, plain(d.Step), plain(d.Source))
	name := base + map[string]string{"image/png": ".png", "image/jpeg": ".jpg"}[d.MediaType]
	files[name], files[base+".txt"], files[base+".sig"] = data, []byte(d.Statement), signature
	m.Stills = append(m.Stills, Still{Blob: d.Blob, Step: d.Step, Round: d.Round, Source: d.Source, File: name, Hash: d.Hash})
	return nil
}

// plain keeps of a name what every file system takes.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, s)
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func publicPEM(key ed25519.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("writing the public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// ReadKey reads a public key as people hand it on: PEM, base64, or hex.
func ReadKey(s string) (ed25519.PublicKey, error) {
	if block, _ := pem.Decode([]byte(s)); block != nil {
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if k, ok := key.(ed25519.PublicKey); err == nil && ok {
			return k, nil
		}
	}
	s = strings.TrimSpace(s)
	for _, decode := range []func(string) ([]byte, error){base64.StdEncoding.DecodeString, hex.DecodeString} {
		if b, err := decode(s); err == nil && len(b) == ed25519.PublicKeySize {
			return b, nil
		}
	}
	return nil, tandem.Errorf(tandem.CodeInvalid, "this is no Ed25519 public key: give it as PEM, base64 or hex, as tandem checks key prints it")
}

// Fingerprint names a public key: the first 8 bytes of its SHA-256, in hex.
func Fingerprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// missing reports whether a still was removed before the pack was made.
func (m *Manifest) missing(id tandem.BlobID) bool { return slices.Contains(m.Missing, id) }

const readme = `This is what an identity check has left: its policy, its stills and its events.

    tandem checks verify THIS_FILE --key KEY

verifies all of it on any machine, without the server. KEY is the server's public key, as its
operator gives it to you by another way ("tandem checks key" prints it): without it you only
know that the pack is whole, not whose it is.

By hand, with OpenSSL 3:

    openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.json -sigfile manifest.sig
    openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in stills/NAME.txt -sigfile stills/NAME.sig

manifest.json has the SHA-256 of every other file. The first lines of each NAME.txt have that of
its picture. events.jsonl has all events of the interaction in their order: "hash" is the SHA-256
of the hash before (32 zero bytes for the first), the event's header and "digest", which is the
SHA-256 of "salt" and "data". Of events that are none of the check's there is no data.
`

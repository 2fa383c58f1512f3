package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"tandem"
)

// Hash is a SHA-256: an event's digest, its hash, or the store-wide chain.
type Hash [sha256.Size]byte

// saltSize is the length of an event's salt, in bytes: enough that a digest tells
// nothing of a payload that could be guessed.
const saltSize = 16

// Header appends an event's canonical header, version 1, to dst: a version byte, then
// interaction, seq, time, kind, leg and actor. Texts go after their length as two
// bytes, seq and time (Unix nanoseconds) as eight, all big-endian. Texts longer than
// 65,535 bytes do not fit: drivers refuse such an event before it comes here.
func Header(dst []byte, e *tandem.Event) []byte {
	dst = append(dst, 1)
	dst = appendText(dst, string(e.Interaction))
	dst = binary.BigEndian.AppendUint64(dst, e.Seq)
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.At.UnixNano()))
	dst = appendText(dst, string(e.Kind))
	dst = appendText(dst, string(e.Leg))
	return appendText(dst, e.Actor)
}

func appendText(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}

// Sealer seals events one after the other, using its buffers again. It is not safe
// for concurrent use. What Seal returns is valid until the next call.
type Sealer struct {
	Random io.Reader

	random                [nonceSize + saltSize]byte
	header, plain, sealed []byte
	work                  []byte
}

// Sealed is an event as it is stored beside its header.
type Sealed struct {
	Content []byte // nonce, then salt and payload encrypted; nil where the key is destroyed
	Digest  Hash   // of salt and payload: stays when the key is destroyed
	Hash    Hash   // of the hash before, the header and the digest
}

// Seal encrypts an event's payload and chains it to the hash of the interaction's
// event before it (zero for the first). Without a key the payload is dropped:
// what happens to an erased person is chained but not kept.
func (s *Sealer) Seal(e *tandem.Event, before Hash, key *Key) (Sealed, error) {
	random := &s.random
	if _, err := io.ReadFull(s.Random, random[:]); err != nil {
		return Sealed{}, fmt.Errorf("drawing a salt: %w", err)
	}
	s.header = Header(s.header[:0], e)
	s.plain = append(append(s.plain[:0], random[nonceSize:]...), e.Data...)
	var out Sealed
	out.Digest = sha256.Sum256(s.plain)
	out.Hash, s.work = eventHash(s.work, before, s.header, out.Digest)
	if key != nil {
		s.sealed = append(s.sealed[:0], random[:nonceSize]...)
		s.sealed = key.aead.Seal(s.sealed, random[:nonceSize], s.plain, s.header)
		out.Content = s.sealed
	}
	clear(s.plain)
	return out, nil
}

func eventHash(work []byte, before Hash, header []byte, digest Hash) (Hash, []byte) {
	work = append(append(append(work[:0], before[:]...), header...), digest[:]...)
	return sha256.Sum256(work), work
}

// EventHash is SHA-256(before || header || digest).
func EventHash(before Hash, e *tandem.Event, digest Hash) Hash {
	h, _ := eventHash(nil, before, Header(nil, e), digest)
	return h
}

// Chain is the store-wide chain after one more event: SHA-256(before || hash).
func Chain(before, hash Hash) Hash {
	var b [2 * sha256.Size]byte
	copy(b[:], before[:])
	copy(b[sha256.Size:], hash[:])
	return sha256.Sum256(b[:])
}

// OpenEvent decrypts an event's content, checks it against the digest and returns
// the payload, nil if the event has none.
func OpenEvent(e *tandem.Event, content []byte, digest Hash, key *Key) ([]byte, error) {
	plain, err := key.Open(content, Header(nil, e))
	if err != nil {
		return nil, err
	}
	if len(plain) < saltSize || sha256.Sum256(plain) != digest {
		return nil, fmt.Errorf("content does not fit its digest")
	}
	if len(plain) == saltSize {
		return nil, nil
	}
	return plain[saltSize:], nil
}

// UnderSystemKey reports whether events of a kind stay readable when their customer
// is erased: what was done with the data, and by whom, none of it the customer's own.
func UnderSystemKey(k tandem.EventKind) bool {
	return k == tandem.EventErased || k == tandem.EventBlobOpened || k == tandem.EventJournalGap
}

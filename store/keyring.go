package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// KeySize is the length of the master key and of every key below it, in bytes.
const KeySize = 32

// nonceSize is AES-GCM's, in bytes.
const nonceSize = 12

// Keyring holds what is derived from the master key: the key that wraps
// customers' keys, the store's own key, the key that blinds identities, and the
// one that signs checkpoints. It is safe for concurrent use.
type Keyring struct {
	wrap   *Key
	system *Key
	blind  []byte
	sign   ed25519.PrivateKey
	proof  ed25519.PrivateKey
	id     string
}

// NewKeyring derives all keys from a master key of 32 random bytes.
func NewKeyring(master []byte) (*Keyring, error) {
	if len(master) != KeySize {
		return nil, fmt.Errorf("the master key must have %d bytes, this has %d", KeySize, len(master))
	}
	derive := func(purpose string) []byte {
		// Expand fails only for lengths above 255 hashes.
		b, err := hkdf.Expand(sha256.New, master, "tandem 1 "+purpose, KeySize)
		if err != nil {
			panic("store: " + err.Error())
		}
		return b
	}
	wrap, err := NewKey(derive("wrap customer keys"))
	if err != nil {
		return nil, err
	}
	system, err := NewKey(derive("system"))
	if err != nil {
		return nil, err
	}
	k := &Keyring{wrap: wrap, system: system, blind: derive("blind identities"),
		sign: ed25519.NewKeyFromSeed(derive("sign checkpoints")), proof: ed25519.NewKeyFromSeed(derive("sign evidence"))}
	fingerprint := sha256.Sum256(k.sign.Public().(ed25519.PublicKey))
	k.id = hex.EncodeToString(fingerprint[:8])
	return k, nil
}

// ID names the signing key: the first 8 bytes of its public half's SHA-256, in hex.
func (k *Keyring) ID() string { return k.id }

// PublicKey is the public half of the key that signs checkpoints, for auditors.
func (k *Keyring) PublicKey() ed25519.PublicKey { return k.sign.Public().(ed25519.PublicKey) }

// Evidence signs stills of identity checks and packs of them. Its public half is for whoever
// verifies a pack elsewhere.
func (k *Keyring) Evidence() ed25519.PrivateKey { return k.proof }

// System seals what must stay readable when a customer is erased.
func (k *Keyring) System() *Key { return k.system }

// Blind turns a value into one that can be looked up but not read back.
func (k *Keyring) Blind(purpose, value string) []byte {
	mac := hmac.New(sha256.New, k.blind)
	io.WriteString(mac, purpose)
	mac.Write([]byte{0})
	io.WriteString(mac, value)
	return mac.Sum(nil)
}

// WrapKey seals a customer's key for storage; owner ties it to its customer.
func (k *Keyring) WrapKey(random io.Reader, key []byte, owner string) ([]byte, error) {
	return k.wrap.Seal(random, key, []byte("key "+owner))
}

// UnwrapKey opens what WrapKey sealed.
func (k *Keyring) UnwrapKey(wrapped []byte, owner string) (*Key, error) {
	raw, err := k.wrap.Open(wrapped, []byte("key "+owner))
	if err != nil {
		return nil, fmt.Errorf("unwrapping the key of %s (is it the right master key?): %w", owner, err)
	}
	defer clear(raw)
	return NewKey(raw)
}

// Key seals and opens with AES-256-GCM. It is safe for concurrent use.
type Key struct{ aead cipher.AEAD }

// NewKey makes a Key of 32 bytes, which may be wiped afterwards.
func NewKey(raw []byte) (*Key, error) {
	if len(raw) != KeySize {
		return nil, fmt.Errorf("a key must have %d bytes, this has %d", KeySize, len(raw))
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	return &Key{aead}, nil
}

// Seal encrypts plain under a random nonce, which goes first. place says where the
// result belongs: it opens there and nowhere else.
func (k *Key) Seal(random io.Reader, plain, place []byte) ([]byte, error) {
	b := make([]byte, nonceSize, nonceSize+len(plain)+k.aead.Overhead())
	if _, err := io.ReadFull(random, b); err != nil {
		return nil, fmt.Errorf("drawing a nonce: %w", err)
	}
	return k.aead.Seal(b, b, plain, place), nil
}

// errSealed is all that can be said about what does not open.
var errSealed = errors.New("altered, or sealed under another key")

// Open decrypts what Seal made.
func (k *Key) Open(sealed, place []byte) ([]byte, error) {
	if len(sealed) < nonceSize {
		return nil, errSealed
	}
	plain, err := k.aead.Open(nil, sealed[:nonceSize], sealed[nonceSize:], place)
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}

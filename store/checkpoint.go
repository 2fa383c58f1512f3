package store

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Checkpoint is a signed statement, kept outside the database, of what the journal
// was: its first N events, in the order of writing, have this chain.
type Checkpoint struct {
	Version   int       `json:"v"`
	Store     string    `json:"store"` // the database's own id
	N         uint64    `json:"n"`
	Chain     string    `json:"chain"` // hex
	At        time.Time `json:"at"`
	Key       string    `json:"key"` // Keyring.ID of the signer
	Signature []byte    `json:"sig"` // Ed25519 over the lines of message
}

func (c *Checkpoint) message() []byte {
	return fmt.Appendf(nil, "tandem checkpoint %d\n%s\n%d\n%s\n%s\n%s\n",
		c.Version, c.Store, c.N, c.Chain, c.At.UTC().Format(time.RFC3339Nano), c.Key)
}

// Checkpoint signs one, as a line of JSON without its line end.
func (k *Keyring) Checkpoint(store string, n uint64, chain Hash, at time.Time) ([]byte, error) {
	c := Checkpoint{Version: 1, Store: store, N: n, Chain: hex.EncodeToString(chain[:]), At: at.UTC(), Key: k.id}
	c.Signature = ed25519.Sign(k.sign, c.message())
	line, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("writing a checkpoint: %w", err)
	}
	return line, nil
}

// ReadCheckpoint reads a line and checks its signature. The error says what is
// wrong in words for an auditor.
func (k *Keyring) ReadCheckpoint(line []byte) (Checkpoint, error) {
	var c Checkpoint
	if err := json.Unmarshal(line, &c); err != nil {
		return c, fmt.Errorf("it cannot be read")
	}
	if c.Version != 1 {
		return c, fmt.Errorf("it has format %d, which this version does not know", c.Version)
	}
	if c.Key != k.id {
		return c, fmt.Errorf("it is signed by key %s, ours is %s", c.Key, k.id)
	}
	if !ed25519.Verify(k.PublicKey(), c.message(), c.Signature) {
		return c, fmt.Errorf("its signature is wrong")
	}
	return c, nil
}

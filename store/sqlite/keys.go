package sqlite

import (
	"bytes"
	"fmt"
	"sync"

	"tandem/store"
)

// keyCache keeps unwrapped customers' keys, the ones used last. A key is only given
// out to who shows the wrapped one from the database: once that is destroyed, the
// cache is of no use to anybody, also where another process destroyed it.
type keyCache struct {
	ring *store.Keyring

	mu   sync.Mutex
	keys *lru[int64, cachedKey]
}

type cachedKey struct {
	wrapped []byte
	key     *store.Key
}

func (k *keyCache) init(ring *store.Keyring) {
	k.ring, k.keys = ring, newLRU[int64, cachedKey](maxKeys)
}

// get unwraps a customer's key; nil for an erased customer, whose wrapped key is nil.
func (k *keyCache) get(customer int64, id string, wrapped []byte) (*store.Key, error) {
	if wrapped == nil {
		return nil, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if c, ok := k.keys.get(customer); ok && bytes.Equal(c.wrapped, wrapped) {
		return c.key, nil
	}
	key, err := k.ring.UnwrapKey(wrapped, id)
	if err != nil {
		return nil, fmt.Errorf("customer %s: %w", id, err)
	}
	k.keys.put(customer, cachedKey{bytes.Clone(wrapped), key})
	return key, nil
}

func (k *keyCache) wipe() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys.wipe()
}

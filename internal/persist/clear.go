package persist

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/keystore"
	"github.com/packetcache/packetcache/internal/seal"
	"github.com/packetcache/packetcache/internal/vault"
)

// Clear wipes the cache, and removes all files and keys, also where nothing is to
// be kept. It returns the paths of the files. The error says what is still there.
func (k *Keeper) Clear() (removed []string, err error) {
	defer k.claim()()
	k.o.Cache.Clear()
	k.note(func(s *Status) { s.SetAside = nil })
	if k.vault == nil {
		return vault.Wipe(k.o.Dir)
	}
	// What an earlier run has left is not read back any more, if it was not yet.
	k.key, k.restored, k.alone, k.stuck = nil, true, false, nil
	k.last, k.size = time.Now(), 0
	return k.vault.Wipe()
}

// claim has whoever is at work give up, and returns when it has. The function that
// it returns lets others go on.
func (k *Keeper) claim() (release func()) {
	k.waiting.Add(1)
	k.work.Lock()
	k.waiting.Add(-1)
	return k.work.Unlock
}

// ErrNoKey means that the key of a file is not here.
var ErrNoKey = errors.New("the key to this file is not here: it is of another machine, or older than the last one of this, and its key was destroyed")

// Unwrap returns the key of a file whose age header is given, and the identity to
// which that was sealed. The error wraps ErrNoKey if it is not here.
func (k *Keeper) Unwrap(header []byte) (fileKey []byte, identity string, err error) {
	name, err := seal.ReadName(bytes.NewReader(header))
	if err != nil {
		return nil, "", err
	}
	k.mu.Lock()
	v := k.vault
	k.mu.Unlock()
	if v == nil {
		return nil, "", fmt.Errorf("%w, since the directory %s is not in use", ErrNoKey, k.o.Dir)
	}
	key, err := v.Key(name.Identity)
	if errors.Is(err, keystore.ErrNotFound) {
		return nil, "", ErrNoKey
	} else if err != nil {
		return nil, "", fmt.Errorf("the key to this file cannot be had: %w", err)
	}
	fileKey, err = age.DecryptHeader(header, key.Identity)
	return fileKey, name.Identity, err
}

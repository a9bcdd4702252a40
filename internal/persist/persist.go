// Package persist keeps the cache over a restart: it seals it into an encrypted
// file when the service stops and at checkpoints, and reads it back when the
// service starts. docs/sealing.md says what is promised.
package persist

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"filippo.io/age"
	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/keystore"
	"github.com/packetcache/packetcache/internal/seal"
	"github.com/packetcache/packetcache/internal/vault"
)

// Options say what a Keeper keeps, and where.
type Options struct {
	// Dir is the path of the data directory.
	Dir   string
	Cache *cache.Cache
	// Program is what writes the file, with its version; Host the machine.
	Program, Host string
	Log           *logrus.Logger
	// Coverage is what there is to say of when and where the service was looking.
	Coverage func() []seal.Coverage
	// Returned is told what came back from an earlier run.
	Returned func(*seal.Head)
	// OnBattery reports whether the machine should not be kept busy.
	OnBattery func() bool
	// Now is the time by the clock on the wall.
	Now func() time.Time
	// StopBy tells by when Run and Save are to have ended, once their context is
	// done.
	StopBy func(context.Context) time.Time
}

// Settings are those that may change while a Keeper runs.
type Settings struct {
	// Persist is false where nothing is to be kept from now on.
	Persist bool
	// Interval is between two checkpoints, 0 for none.
	Interval time.Duration
	// Recipients can open the files besides this machine.
	Recipients []age.Recipient
}

// A Keeper keeps a cache over a restart. Run is called once, Save and Close after
// it has ended; the other methods by anybody at any time.
type Keeper struct {
	o       Options
	at      func() (*vault.Vault, error) // opens Dir
	changed chan struct{}                // is told of new settings

	// work is held by whoever reads or writes files: a restore, a checkpoint, the
	// last save, Clear. Waiting is how many want it of whoever has it.
	work    sync.Mutex
	waiting atomic.Int32

	// These belong to whoever holds work.

	key *keystore.Key
	// restored says that no file waits to be read back; alone that what was read
	// back is in no file that will be read again.
	restored, alone bool
	// stuck is why the file that is there is to be set aside, which has not worked
	// yet: nothing may take its place. nil: it may.
	stuck error
	// seen is what the cache had seen when it was saved last, last when it was
	// tried, and size what the file has then, in bytes.
	seen      uint64
	last      time.Time
	size      int64
	allowance allowance
	waits     bool // for power

	mu       sync.Mutex
	settings Settings
	status   Status

	// vault is nil as long as the directory cannot be used. It changes under work and
	// mu, so that either is enough to read it.
	vault *vault.Vault
}

// New makes a Keeper, which does nothing before Run.
func New(o Options, s Settings) *Keeper {
	k := &Keeper{
		o: o, settings: s, changed: make(chan struct{}, 1),
		at: func() (*vault.Vault, error) { return vault.Open(o.Dir) },
	}
	if s.Persist {
		k.status.State = Restoring // as soon as Run looks
	}
	return k
}

// Configure has new settings apply from now on.
func (k *Keeper) Configure(s Settings) {
	k.mu.Lock()
	k.settings = s
	k.mu.Unlock()
	select {
	case k.changed <- struct{}{}:
	default: // it has not yet looked at those before
	}
}

func (k *Keeper) config() Settings {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.settings
}

// Close gives the directory to others.
func (k *Keeper) Close() {
	k.work.Lock()
	defer k.work.Unlock()
	if k.vault != nil {
		_ = k.vault.Close()
	}
}

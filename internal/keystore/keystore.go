// Package keystore keeps the private keys that open sealed caches, each in a file
// of the data directory: on Windows protected by DPAPI for the account that the
// service runs as, on Linux readable by root alone and, where systemd passes a
// credential for it, encrypted to that. docs/sealing.md says what this guards
// against.
package keystore

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unsafe"

	"filippo.io/age"

	"github.com/packetcache/packetcache/internal/datadir"
)

// ErrNotFound means that this machine does not have the key: it never had, or has
// destroyed it.
var ErrNotFound = errors.New("this machine does not have the key")

const (
	// extension ends the names of key files, which begin with the key's.
	extension = ".key"
	// maxFile is the most that a key file has, in bytes. They have some hundreds.
	maxFile = 16 << 10
)

// A Store is the keys of this machine.
type Store struct {
	dir *datadir.Dir
	wrapping
}

// A wrapping is how secrets are kept from those who can read the disk. name is that
// of the key, by which a secret that was wrapped can be told from another.
type wrapping interface {
	wrap(name string, secret []byte) ([]byte, error)
	// unwrap may give back what it was given.
	unwrap(name string, wrapped []byte) ([]byte, error)
}

// A Key opens what was sealed to it. Memory of package age that holds the private
// part cannot be wiped: let go of a Key that is not needed any more.
type Key struct {
	// Name is the public part, "age1...".
	Name      string
	Identity  age.Identity
	Recipient age.Recipient
}

// Open finds the keys in a directory. The error says what to do about a credential
// that cannot be used; keys are then not kept without it.
func Open(dir *datadir.Dir) (*Store, error) {
	w, err := newWrapping()
	if err != nil {
		return nil, err
	}
	return &Store{dir, w}, nil
}

// New makes a key, which is on the disk and was read back from there when it
// returns.
func (s *Store) New() (*Key, error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	name := identity.Recipient().String()
	secret := append([]byte(identity.String()), '\n')
	defer clear(secret)
	wrapped, err := s.wrap(name, secret)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", name, err)
	}
	defer clear(wrapped)
	if err := s.dir.Write(name+extension, wrapped); err != nil {
		return nil, fmt.Errorf("writing key %s: %w", name, err)
	}
	return s.Find(name)
}

// Find reads the key of that name, which may come from anywhere. The error wraps
// ErrNotFound if there is none; otherwise it says why the one that is there cannot
// be used, which another time may be different.
func (s *Store) Find(name string) (*Key, error) {
	if !valid(name) {
		return nil, fmt.Errorf("%q is no name of a key: %w", name, ErrNotFound)
	}
	wrapped, err := s.dir.Read(name+extension, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("key %s: %w", name, ErrNotFound)
	} else if err != nil {
		return nil, fmt.Errorf("reading key %s: %w", name, err)
	}
	defer clear(wrapped)
	secret, err := s.unwrap(name, wrapped)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", name, err)
	}
	defer clear(secret)
	identity, err := parse(secret)
	if err != nil {
		return nil, fmt.Errorf("key %s: its file %s%s is damaged", name, name, extension)
	}
	recipient := identity.Recipient()
	if recipient.String() != name {
		return nil, fmt.Errorf("key %s: its file has another one, %s", name, recipient)
	}
	return &Key{Name: name, Identity: identity, Recipient: recipient}, nil
}

// Names are those of all keys, in order, also of those whose files are damaged.
func (s *Store) Names() ([]string, error) { return namesIn(s.dir) }

func namesIn(dir *datadir.Dir) ([]string, error) {
	files, err := dir.Names()
	if err != nil {
		return nil, fmt.Errorf("listing keys: %w", err)
	}
	var names []string
	for _, file := range files {
		if name, ok := strings.CutSuffix(file, extension); ok && valid(name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// Destroy overwrites and removes a key, so that nothing can open what was sealed to
// it but the other recipients: see datadir.Dir.Destroy for what a disk may keep. A
// key that is not there is no error.
func (s *Store) Destroy(name string) error { return destroyIn(s.dir, name) }

func destroyIn(dir *datadir.Dir, name string) error {
	if !valid(name) {
		return fmt.Errorf("%q is no name of a key", name)
	}
	if err := dir.Destroy(name + extension); err != nil {
		return fmt.Errorf("destroying key %s: %w", name, err)
	}
	return nil
}

// DestroyAll destroys all keys in a directory, also where the credential that they
// are encrypted to cannot be used. It goes on after an error.
func DestroyAll(dir *datadir.Dir) error {
	names, err := namesIn(dir)
	for _, name := range names {
		err = errors.Join(err, destroyIn(dir, name))
	}
	return err
}

// valid reports whether a name is that of a key, and not of another file.
func valid(name string) bool {
	r, err := age.ParseX25519Recipient(name)
	return err == nil && r.String() == name
}

// parse reads a private key. The string is the bytes themselves, so that they can be
// wiped; nobody keeps it.
func parse(secret []byte) (*age.X25519Identity, error) {
	secret = bytes.TrimSpace(secret)
	return age.ParseX25519Identity(unsafe.String(unsafe.SliceData(secret), len(secret)))
}

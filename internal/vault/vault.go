// Package vault is what stands in the data directory: the sealed cache, files that
// were set aside, and the keys that open them.
package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/packetcache/packetcache/internal/datadir"
	"github.com/packetcache/packetcache/internal/keystore"
	"github.com/packetcache/packetcache/internal/seal"
)

const (
	// Name is that of the sealed cache.
	Name = "PacketCache.sealed"
	// rejected begins the names of files that were set aside.
	rejected = Name + ".rejected"
	// Restoring is there while the sealed cache is being read back, and tells how
	// often that was begun.
	Restoring = "restoring"
	maxMarker = 16
)

// A Vault is a data directory that this process has to itself.
type Vault struct {
	path string
	dir  *datadir.Dir
	keys *keystore.Store
}

// Open takes the directory, which is made if need be. The error wraps
// datadir.ErrInUse if another process has it.
func Open(path string) (*Vault, error) {
	dir, err := datadir.Open(path)
	if err != nil {
		return nil, err
	}
	v, err := In(path, dir)
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return v, nil
}

// In is the vault in a directory that is open, which is at path.
func In(path string, dir *datadir.Dir) (*Vault, error) {
	keys, err := keystore.Open(dir)
	if err != nil {
		return nil, err
	}
	return &Vault{path: path, dir: dir, keys: keys}, nil
}

// Close gives the directory to others.
func (v *Vault) Close() error { return v.dir.Close() }

// Path is where a file is.
func (v *Vault) Path(name string) string { return filepath.Join(v.path, name) }

// Open opens the sealed cache. The error wraps fs.ErrNotExist if there is none.
func (v *Vault) Open() (datadir.File, error) { return v.dir.Open(Name) }

// Holds reports whether there is a sealed cache.
func (v *Vault) Holds() bool {
	names, err := v.dir.Names()
	return err != nil || slices.Contains(names, Name)
}

// Create begins a new one.
func (v *Vault) Create() (*datadir.Writer, error) { return v.dir.Create(Name) }

// NewKey makes a key that is on the disk when it returns.
func (v *Vault) NewKey() (*keystore.Key, error) { return v.keys.New() }

// Key is that of an identity.
func (v *Vault) Key(name string) (*keystore.Key, error) { return v.keys.Find(name) }

// SetAside gives the sealed cache another name, which it returns: it is never
// removed, since somebody may make something of it.
func (v *Vault) SetAside() (name string, err error) {
	taken, err := v.dir.Names()
	if err != nil {
		return "", err
	}
	name = rejected
	for n := 2; slices.Contains(taken, name); n++ {
		name = rejected + "-" + strconv.Itoa(n)
	}
	return name, v.dir.Rename(Name, name)
}

// Rejected are the names of files that were set aside.
func (v *Vault) Rejected() ([]string, error) {
	names, err := v.dir.Names()
	return slices.DeleteFunc(names, func(name string) bool { return !isRejected(name) }), err
}

func isRejected(name string) bool { return strings.HasPrefix(name, rejected) }

// Attempts is how many processes have begun to read the sealed cache back and
// ended before they came to its end.
func (v *Vault) Attempts() int {
	text, err := v.dir.Read(Restoring, maxMarker)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return max(n, 0)
}

// Attempt notes that it is begun, for the how manieth time.
func (v *Vault) Attempt(n int) error {
	return v.dir.Write(Restoring, []byte(strconv.Itoa(n)+"\n"))
}

// Arrived notes that its end was reached, or that it is not to be read any more.
func (v *Vault) Arrived() error { return v.dir.Remove(Restoring) }

// DestroyKeys destroys the keys that neither the sealed cache nor a file that was
// set aside names, nor the caller. As long as one of these cannot be opened, a link
// or a file of somebody else for instance, nobody knows which key it needs, and all stay.
func (v *Vault) DestroyKeys(but string) error {
	used := []string{but}
	aside, err := v.Rejected()
	if err != nil {
		return err
	}
	for _, file := range append(aside, Name) {
		identity, err := v.identity(file)
		if err != nil {
			return fmt.Errorf("reading whose %s is: %w", v.Path(file), err)
		}
		used = append(used, identity)
	}
	names, err := v.keys.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.Contains(used, name) {
			err = errors.Join(err, v.keys.Destroy(name))
		}
	}
	return err
}

// identity is that to which a file was sealed, "" if it is no sealed cache or not
// there. An error may be none another time.
func (v *Vault) identity(file string) (string, error) {
	f, err := v.dir.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	defer f.Close()
	name, err := Identity(f)
	if unread(err) {
		return "", err
	}
	return name, nil
}

// Identity is that to which a file was sealed. Besides those of seal.ReadName, for
// which the disk is not to blame, errors are those of reading.
func Identity(file io.ReaderAt) (string, error) {
	start := make([]byte, seal.MaxHeader)
	n, err := file.ReadAt(start, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	name, err := seal.ReadName(bytes.NewReader(start[:n]))
	return name.Identity, err
}

// unread reports whether an error is about reading a file, and not about what it
// is.
func unread(err error) bool {
	var failed *fs.PathError
	var errno syscall.Errno
	return errors.As(err, &failed) || errors.As(err, &errno)
}

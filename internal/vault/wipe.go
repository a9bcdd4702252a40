package vault

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/packetcache/packetcache/internal/datadir"
	"github.com/packetcache/packetcache/internal/keystore"
)

// Wipe opens the directory, if there is one, and wipes it. It takes no key for that,
// and so no credential.
func Wipe(path string) (removed []string, err error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	dir, err := datadir.Open(path)
	if err != nil {
		return nil, err
	}
	removed, err = WipeIn(path, dir)
	return removed, errors.Join(err, dir.Close())
}

// Wipe is WipeIn for the files of a vault.
func (v *Vault) Wipe() (removed []string, err error) { return WipeIn(v.path, v.dir) }

// WipeIn removes all files and keys of a vault from the directory at path, and
// returns the paths of the files. It goes on after an error.
func WipeIn(path string, dir *datadir.Dir) (removed []string, err error) {
	// Without its key a file is nothing: keys go first.
	err = keystore.DestroyAll(dir)
	names, listed := dir.Names()
	err = errors.Join(err, listed)
	for _, name := range names {
		if name != Name && name != Restoring && !isRejected(name) {
			continue
		}
		gone := dir.Remove(name)
		if err = errors.Join(err, gone); gone == nil && name != Restoring {
			removed = append(removed, filepath.Join(path, name))
		}
	}
	return removed, err
}

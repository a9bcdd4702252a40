package pcctl

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/packetcache/packetcache/internal/crash"
	"github.com/packetcache/packetcache/internal/datadir"
	"github.com/packetcache/packetcache/internal/keystore"
	"github.com/packetcache/packetcache/internal/vault"
)

// purgeData removes what the service keeps in its directory, keys overwritten,
// and the directory if nothing else is in it. The error wraps datadir.ErrInUse if
// a service runs there, and says so if the directory is one that others than
// administrators have made, whose files are not touched.
func purgeData(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	dir, err := datadir.Open(path)
	if err != nil {
		return err
	}
	names, err := dir.Names()
	for _, name := range names {
		switch {
		case strings.HasSuffix(name, keystore.Extension):
			err = errors.Join(err, dir.Destroy(name))
		case strings.HasPrefix(name, vault.Name), name == vault.Restoring, name == crash.Running, name == crash.Last:
			err = errors.Join(err, dir.Remove(name))
		}
	}
	if err = errors.Join(err, dir.Close()); err == nil {
		_ = os.Remove(path) // fails if there is more in it, which is somebody else's
	}
	return err
}

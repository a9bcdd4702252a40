package pcctl

import (
	"errors"
	"io/fs"
	"os"

	"github.com/packetcache/packetcache/internal/crash"
	"github.com/packetcache/packetcache/internal/datadir"
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
	_, err = vault.WipeIn(path, dir)
	if err = errors.Join(err, dir.Remove(crash.Running), dir.Remove(crash.Last), dir.Close()); err == nil {
		_ = os.Remove(path) // fails if there is more in it, which is somebody else's
	}
	return err
}

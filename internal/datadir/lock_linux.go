package datadir

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// lockName is no name: the directory itself is locked.
const lockName = ""

// lockDirectory has no other process lock the directory until it is closed or this
// process ends. Nobody else can open the directory to hold it against us.
func lockDirectory(path string) (io.Closer, error) {
	dir, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = dir.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = ErrInUse
		}
		return nil, err
	}
	return dir, nil
}

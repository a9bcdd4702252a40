package ipc

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// socketName is what a socket is called until it is moved into place.
const socketName = "s"

// A placeLock is a private directory that its owner holds locked. The kernel
// lets go of the lock when the process dies, and nobody else can open a
// directory of mode 0700 to hold it against us.
type placeLock struct {
	dir string
	f   *os.File
}

// lockPlace takes the lock that belongs to the socket at path. It asks who has
// it unless it did so before (again).
func lockPlace(path string, again bool) (*placeLock, error) {
	// One letter, so that the path of the new socket is shorter than the final
	// one and fits a socket address wherever that does.
	dir := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)[:1])
	// The loop is for the moment in which a holder that ends removes the
	// directory between our opening and our locking it.
	for range 10 {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, permission(err)
		}
		f, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, permission(err)
		}
		if err := checkPrivate(f); err != nil {
			_ = f.Close()
			return nil, err
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			_ = f.Close()
			if !errors.Is(err, unix.EWOULDBLOCK) {
				return nil, fmt.Errorf("lock %s: %w", dir, err)
			}
			if again {
				return nil, ErrInUse
			}
			c, err := net.DialTimeout("unix", path, time.Second)
			if err == nil {
				defer c.Close()
			}
			return nil, inUse(c)
		}
		held, err1 := f.Stat()
		named, err2 := os.Lstat(dir)
		if err1 == nil && err2 == nil && os.SameFile(held, named) {
			return &placeLock{dir: dir, f: f}, nil
		}
		_ = f.Close()
	}
	return nil, fmt.Errorf("%w: %s comes and goes, another start is under way", ErrInUse, dir)
}

// checkPrivate refuses a directory that someone else made or can enter.
func checkPrivate(f *os.File) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return err
	}
	if int(st.Uid) != os.Geteuid() || st.Mode&0o077 != 0 {
		return fmt.Errorf("%w: directory %s belongs to uid %d with mode %04o, it must be ours alone: remove it", ErrPermission, f.Name(), st.Uid, st.Mode&0o7777)
	}
	return nil
}

// release removes the directory, then lets go of the lock.
func (l *placeLock) release() {
	_ = os.Remove(filepath.Join(l.dir, socketName))
	_ = os.Remove(l.dir)
	_ = l.f.Close()
}

package ipc

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// listen opens the socket at path. A socket is born with the mode that the
// umask leaves and reachable at once; so it is born in a private directory
// beside its place, gets its mode and group there, and is then moved into
// place. That directory is also the lock: whoever holds it owns the place.
func listen(path string, cfg Config) (transport, error) {
	gid, err := lookupGroup(cfg.Group)
	if err != nil {
		return transport{}, err
	}
	if err := prepareDir(filepath.Dir(path)); err != nil {
		return transport{}, permission(err)
	}
	lock, err := lockPlace(path, cfg.again)
	if err != nil {
		return transport{}, err
	}
	ln, err := bind(path, gid, lock)
	if err != nil {
		lock.release()
		return transport{}, permission(err)
	}
	born, err := os.Lstat(path)
	if err != nil {
		_ = ln.Close()
		lock.release()
		return transport{}, err
	}
	return transport{
		Listener: ln,
		identify: identifier(gid),
		release: func() error {
			defer lock.release()
			// Someone may have put another socket there by hand.
			if now, err := os.Lstat(path); err != nil || !os.SameFile(now, born) {
				return nil
			}
			return os.Remove(path)
		},
	}, nil
}

// bind makes the socket in the private directory and moves it to path.
func bind(path string, gid int, lock *placeLock) (net.Listener, error) {
	if err := checkStale(path); err != nil {
		return nil, err
	}
	nursery := filepath.Join(lock.dir, socketName)
	if err := os.Remove(nursery); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: nursery, Net: "unix"})
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false)
	mode := fs.FileMode(0o600)
	if gid >= 0 {
		mode = 0o660
		err = os.Chown(nursery, -1, gid)
	}
	if err == nil {
		err = os.Chmod(nursery, mode)
	}
	if err == nil {
		err = os.Rename(nursery, path)
	}
	if err != nil {
		_ = ln.Close()
		_ = os.Remove(nursery)
		return nil, err
	}
	return ln, nil
}

// checkStale finds out what stands at path: nothing and a dead socket are
// fine, a live one is in use, anything else is not ours to touch.
func checkStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there and is not a socket (%s): move it away", path, info.Mode().Type())
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		defer c.Close()
	}
	return inUse(c)
}

// inUse says who has the place, as far as the connection tells; c may be nil.
func inUse(c net.Conn) error {
	holder := "another process"
	if uc, ok := c.(*net.UnixConn); ok && uc != nil {
		if cred, err := credentials(uc); err == nil && cred.Pid > 0 {
			holder = fmt.Sprintf("pid %d", cred.Pid)
			if program := programOf(int(cred.Pid)); program != "" {
				holder += " (" + program + ")"
			}
		}
	}
	return fmt.Errorf("%w by %s: stop that one, or give this one another endpoint directory", ErrInUse, holder)
}

// prepareDir sees to the directory of the sockets. Everyone may look into it,
// so that "not running" can be told from "not permitted".
func prepareDir(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		// The umask may have taken more than it should.
		return os.Chmod(dir, 0o755)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("directory %s is writable by everyone, who could put another socket in place of ours: chmod o-w it", dir)
	}
	return nil
}

func checkGroup(group string) error {
	_, err := lookupGroup(group)
	return err
}

// lookupGroup returns the number of a group given by name or number, -1 for
// none.
func lookupGroup(group string) (int, error) {
	if group == "" {
		return -1, nil
	}
	if gid, err := strconv.ParseUint(group, 10, 31); err == nil {
		return int(gid), nil
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return -1, fmt.Errorf("there is no group %q: create it or name another", group)
	}
	return strconv.Atoi(g.Gid)
}

// permission marks an error of the file system that means "not permitted".
func permission(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: %w", ErrPermission, err)
	}
	return err
}

package guard

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Create makes a file for its owner alone, to be read and written; the error wraps
// fs.ErrExist if there is anything of that name.
func Create(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
}

// Open opens a file, with os.O_RDONLY or os.O_RDWR as flag, that nobody but its
// owner can have written, who is root or this user. Links, whatever is no regular
// file, and files with more than one name are refused; the error says so.
func Open(path string, flag int) (*os.File, error) {
	// Not to wait for the other end of a pipe.
	file, err := os.OpenFile(path, flag|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) {
		return nil, fmt.Errorf("%s is a link: remove it", path)
	} else if err != nil {
		return nil, err
	}
	if err := checkFile(file); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

func checkFile(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	stat := info.Sys().(*syscall.Stat_t)
	path, self := file.Name(), os.Geteuid()
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return fmt.Errorf("%s is no regular file: remove it", path)
	case stat.Uid != 0 && int(stat.Uid) != self:
		return fmt.Errorf("%s belongs to uid %d, and not to %d: remove it", path, stat.Uid, self)
	case mode&0o022 != 0:
		return fmt.Errorf("others may write to %s (mode %04o): remove it, or chmod 0600 it if nobody has", path, mode.Perm())
	case stat.Nlink > 1:
		return fmt.Errorf("%s has %d names (hard links): remove the others", path, stat.Nlink)
	}
	return nil
}

// Replace gives a file another name, and removes what had that name before. The
// names are on the disk when the directory is.
func Replace(from, to string) error { return os.Rename(from, to) }

// SyncDirectory returns when the names in a directory are on the disk.
func SyncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	err = dir.Sync()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		return nil // a file system that cannot be told, some of the network
	}
	return err
}

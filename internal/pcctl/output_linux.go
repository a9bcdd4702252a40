package pcctl

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// handToCaller gives a file that root creates to the user who called sudo, who
// may read the cache by sudo anyway and wants to open the file without it.
func handToCaller(f *os.File) error {
	uid, gid, ok := sudoCaller()
	if !ok {
		return nil
	}
	err := f.Chown(uid, gid)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		// FAT and some network file systems have no owners.
		return nil
	}
	return err
}

// sudoCaller is who called sudo, as sudo(8) says in the environment.
func sudoCaller() (uid, gid int, ok bool) {
	if os.Geteuid() != 0 {
		return 0, 0, false
	}
	u, err1 := strconv.ParseUint(os.Getenv("SUDO_UID"), 10, 31)
	g, err2 := strconv.ParseUint(os.Getenv("SUDO_GID"), 10, 31)
	return int(u), int(g), err1 == nil && err2 == nil
}

// syncDir puts a new name on the disk. It is already there for everyone to
// see, so a file system that cannot do this is no failure.
func syncDir(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	_ = d.Sync()
	_ = d.Close()
}

func isDiskFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

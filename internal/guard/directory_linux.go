package guard

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// MakeDirectory makes a directory for this user alone, or makes sure that one is.
// Nobody else but root may be able to read it or to put another in its place, by
// the directories above it or by symbolic links on the way: an error says what is
// wrong and what to do, and what is there is left alone.
//
// The one who called root by sudo may own directories on the way: a foreground run
// may keep its data below somebody's home.
func MakeDirectory(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return creating(path, err)
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return creating(path, err)
	}
	return checkDirectory(path)
}

// creating says what to do about a directory that cannot be made.
func creating(path string, err error) error {
	if errors.Is(err, syscall.EROFS) {
		// By ProtectSystem=strict, more often than not.
		return fmt.Errorf("creating %s: %w: if the setting data-dir was changed, run pcctl install again, which makes the directory and lets the service write to it", path, err)
	}
	return fmt.Errorf("creating %s: %w", path, err)
}

// checkDirectory makes sure that what is there is a directory, and nobody else's.
func checkDirectory(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("looking at %s: %w", path, err)
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is a link, or no directory: remove it", path)
	}
	if owner, self := ownerOf(info), os.Geteuid(); owner != self {
		return fmt.Errorf("%s belongs to uid %d, and not to %d: remove it, and one that does is made", path, owner, self)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s is open to others (mode %04o): chmod 0700 %[1]s, or name a directory that is not there yet", path, mode)
	}
	return checkAbove(path)
}

// mostLinks is how many symbolic links may be on the way to a directory, as for
// the kernel (path_resolution(7)).
const mostLinks = 40

// checkAbove follows the path to a directory and makes sure that nobody else can
// change where it leads.
func checkAbove(path string) error {
	at, rest := "/", strings.Split(filepath.Dir(path), "/")
	for links := 0; ; {
		info, err := os.Lstat(at)
		if err != nil {
			return fmt.Errorf("looking at %s, which is above %s: %w", at, path, err)
		}
		if owner := ownerOf(info); !trusted(owner) {
			return fmt.Errorf("%s belongs to uid %d, who could put something else in the place of %s: choose a place below directories of root", at, owner, path)
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(at)
			if err != nil {
				return fmt.Errorf("looking at %s, which is above %s: %w", at, path, err)
			}
			if links++; links > mostLinks {
				return fmt.Errorf("%s leads over too many symbolic links", path)
			}
			rest = append(strings.Split(target, "/"), rest...)
			if at = filepath.Dir(at); filepath.IsAbs(target) {
				at = "/"
			}
		} else if writableByOthers(info) {
			return fmt.Errorf("others may write to %s (mode %04o) and could put something else in the place of %s: chmod go-w %[1]s, or choose another place", at, info.Mode().Perm(), path)
		}
		if len(rest) == 0 {
			return nil
		}
		// Where we are is free of links, so that .. leads up.
		at, rest = filepath.Join(at, rest[0]), rest[1:]
	}
}

// writableByOthers reports whether others than owner and root can rename what is in a
// directory. In a sticky one (/tmp) they can't rename what is not theirs. A group
// with the number of its user has no other members, as useradd(8) makes it.
func writableByOthers(dir fs.FileInfo) bool {
	if dir.Mode()&fs.ModeSticky != 0 {
		return false
	}
	group := dir.Sys().(*syscall.Stat_t).Gid
	ours := group == 0 || int(group) == ownerOf(dir)
	return dir.Mode()&0o002 != 0 || dir.Mode()&0o020 != 0 && !ours
}

// trusted reports whether a user owns the machine or this process anyway.
func trusted(uid int) bool {
	self := os.Geteuid()
	if uid == 0 || uid == self {
		return true
	}
	caller, err := strconv.Atoi(os.Getenv("SUDO_UID"))
	return self == 0 && err == nil && uid == caller
}

func ownerOf(info fs.FileInfo) int { return int(info.Sys().(*syscall.Stat_t).Uid) }

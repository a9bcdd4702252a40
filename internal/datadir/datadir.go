// Package datadir keeps files in the data directory, of which one process at a
// time has hold: each file is complete or absent, whatever ends the process or the
// machine while it is written.
package datadir

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/packetcache/packetcache/internal/guard"
)

// ErrInUse means that another process has the directory.
var ErrInUse = errors.New("another process keeps its data there")

// unfinished ends the names of files that are being written.
const unfinished = ".new"

// A Dir is the data directory.
type Dir struct {
	files Files
	lock  io.Closer // nil if it is none of the disk
}

// Open makes the directory, for administrators (Linux: root, or this user) alone,
// or makes sure that it is, and takes it for this process. What an earlier one has
// not finished writing is removed. The error wraps ErrInUse if another process has
// it, and otherwise says what to do.
func Open(path string) (*Dir, error) {
	if err := guard.MakeDirectory(path); err != nil {
		return nil, err
	}
	lock, err := lockDirectory(path)
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	d := On(disk(path))
	d.lock = lock
	return d, nil
}

// On is a Dir of other files than those of the disk.
func On(files Files) *Dir {
	d := &Dir{files: files}
	names, _ := files.Names()
	for _, name := range names {
		if strings.HasSuffix(name, unfinished) {
			_ = files.Remove(name) // if that fails, Create says so
		}
	}
	return d
}

// Close lets other processes have the directory.
func (d *Dir) Close() error {
	if d.lock == nil {
		return nil
	}
	return d.lock.Close()
}

// Names are those of all complete files, in order.
func (d *Dir) Names() ([]string, error) {
	names, err := d.files.Names()
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, unfinished) })
	slices.Sort(names)
	return names, err
}

// Open opens a file to be read. The error wraps fs.ErrNotExist if there is none,
// and says so if it is not one that only administrators can have written.
func (d *Dir) Open(name string) (File, error) {
	if err := check(name); err != nil {
		return nil, err
	}
	return d.files.Open(name, os.O_RDONLY)
}

// Read reads a file of at most that many bytes; that there are more is an error.
func (d *Dir) Read(name string, most int) ([]byte, error) {
	f, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// Into one buffer, so that a key is in no other.
	data, n := make([]byte, most+1), 0
	for n <= most && err == nil {
		var m int
		m, err = f.Read(data[n:])
		n += m
	}
	switch {
	case n > most:
		clear(data)
		return nil, fmt.Errorf("%s has more than %d bytes", name, most)
	case !errors.Is(err, io.EOF):
		clear(data)
		return nil, err
	}
	return data[:n], nil
}

// Write makes a file, or replaces it, and returns when it is on the disk.
func (d *Dir) Write(name string, data []byte) error {
	w, err := d.Create(name)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Commit()
}

// Rename gives a file another name and returns when that is on the disk. The error
// wraps fs.ErrExist if there is a file of that name.
func (d *Dir) Rename(from, to string) error {
	if err := errors.Join(check(from), check(to)); err != nil {
		return err
	}
	names, err := d.files.Names()
	if err != nil {
		return err
	}
	if slices.Contains(names, to) {
		return fmt.Errorf("renaming %s: %s: %w", from, to, fs.ErrExist)
	}
	if err := d.files.Replace(from, to); err != nil {
		return err
	}
	return d.files.Sync()
}

// Remove removes a file and returns when that is on the disk. That it is not there
// is no error.
func (d *Dir) Remove(name string) error {
	if err := check(name); err != nil {
		return err
	}
	if err := d.files.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return d.files.Sync()
}

// Destroy overwrites a file before it removes it. Where what was in it stood on the
// disk, it is gone then if the file system writes over it in place: not one that
// copies on write (btrfs, ReFS with integrity streams) or journals data, and not
// what a flash memory has put aside. The file is removed also when it cannot be
// overwritten, which is an error.
func (d *Dir) Destroy(name string) error {
	if err := check(name); err != nil {
		return err
	}
	err := d.overwrite(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, d.Remove(name))
}

func (d *Dir) overwrite(name string) error {
	f, err := d.files.Open(name, os.O_RDWR)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	// Zeros might be kept as a hole.
	if _, err := io.CopyN(f, rand.Reader, info.Size()); err != nil {
		return err
	}
	return f.Sync()
}

// check refuses what is not the name of a file in the directory.
func check(name string) error {
	if !filepath.IsLocal(name) || filepath.Base(name) != name || strings.ContainsAny(name, `/\:`) || name == "." ||
		name == lockName || strings.HasSuffix(name, unfinished) {
		return fmt.Errorf("%q is no name for a file of the data directory", name)
	}
	return nil
}

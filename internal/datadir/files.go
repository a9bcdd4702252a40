package datadir

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/packetcache/packetcache/internal/guard"
)

// Files are the files of one directory, by their names. There is the disk, and
// for tests one that fails (package faults).
type Files interface {
	// Create makes a file; the error wraps fs.ErrExist if there is one.
	Create(name string) (File, error)
	// Open opens a file, with os.O_RDONLY or os.O_RDWR as flag.
	Open(name string, flag int) (File, error)
	// Replace gives a file another name, and removes what had that name before.
	Replace(from, to string) error
	Remove(name string) error
	Names() ([]string, error)
	// Sync returns when what the others have done to names is on the disk.
	Sync() error
}

// A File is one that is open.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.Closer
	// Sync returns when what was written is on the disk.
	Sync() error
	Stat() (fs.FileInfo, error)
}

// disk is the directory of that path.
type disk string

func (d disk) path(name string) string { return filepath.Join(string(d), name) }

func (d disk) Create(name string) (File, error) {
	f, err := guard.Create(d.path(name))
	if err != nil {
		return nil, err
	}
	return &newFile{File: f}, nil
}

func (d disk) Open(name string, flag int) (File, error) {
	f, err := guard.Open(d.path(name), flag)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (d disk) Replace(from, to string) error { return guard.Replace(d.path(from), d.path(to)) }
func (d disk) Remove(name string) error      { return os.Remove(d.path(name)) }
func (d disk) Sync() error                   { return guard.SyncDirectory(string(d)) }

func (d disk) Names() ([]string, error) {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if name := entry.Name(); name != lockName {
			names = append(names, name)
		}
	}
	return names, nil
}

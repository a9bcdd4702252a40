package faults

import (
	"io"
	"io/fs"
	"slices"
	"syscall"
	"time"
)

// A file is one that is open.
type file struct {
	*inode
	disk   *Disk
	name   string
	at     int // where to read or write next
	closed bool
}

// begin is Disk.begin for what is open.
func (f *file) begin(kind string) error {
	if f.closed {
		return &fs.PathError{Op: kind, Path: f.name, Err: fs.ErrClosed}
	}
	return f.disk.begin(kind, f.name)
}

func (f *file) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, int64(f.at))
	f.at += n
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *file) ReadAt(p []byte, at int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.begin(Read); err != nil {
		return 0, err
	}
	n := copy(p, f.data[min(at, int64(len(f.data))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) Write(p []byte) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	err := f.begin(Write)
	if err != nil {
		p = p[:len(p)/2]
	} else if most := len(f.data) - f.at + f.disk.room(); len(p) > most {
		p, err = p[:most], &fs.PathError{Op: Write, Path: f.name, Err: syscall.ENOSPC}
	}
	over := copy(f.data[f.at:], p)
	f.data = append(f.data, p[over:]...)
	f.at += len(p)
	return len(p), err
}

// room is how many bytes more the disk takes.
func (d *Disk) room() int {
	if d.Space == 0 {
		return 1 << 62
	}
	used := 0
	for _, node := range d.names {
		used += len(node.data)
	}
	return max(0, d.Space-used)
}

func (f *file) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.begin(Sync); err != nil {
		f.lost = true
		return err
	}
	if !f.lost {
		f.durable = slices.Clone(f.data)
	}
	return nil
}

func (f *file) Close() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	return nil
}

func (f *file) Stat() (fs.FileInfo, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return info{f.name, int64(len(f.data))}, nil
}

// info is what is known of a file.
type info struct {
	name string
	size int64
}

func (i info) Name() string     { return i.name }
func (i info) Size() int64      { return i.size }
func (info) Mode() fs.FileMode  { return 0o600 }
func (info) ModTime() time.Time { return time.Time{} }
func (info) IsDir() bool        { return false }
func (info) Sys() any           { return nil }

// Package faults is a disk for tests: its operations fail when they are told to,
// and when its power is cut it forgets what was not synced.
package faults

import (
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"

	"github.com/packetcache/packetcache/internal/datadir"
)

// Names of operations.
const (
	Create  = "create"
	Open    = "open"
	Read    = "read"
	Write   = "write"
	Sync    = "sync"
	Replace = "replace"
	Remove  = "remove"
	Names   = "names"
	SyncDir = "sync of the directory"
)

// An Operation is one that is about to be done.
type Operation struct {
	Number int // from 1
	Kind   string
	Name   string
}

// A Disk is a directory in memory; it implements datadir.Files. Its methods may be
// called at once. The fields are to be set before.
type Disk struct {
	// Fail says how an operation fails; nil means not. Of a write that fails, half
	// is written. A sync that has failed leaves behind what the next one does not
	// write, as on Linux.
	Fail func(Operation) error
	// Space is how many bytes all files may have together, beyond which writes fail
	// with ENOSPC. 0: any number.
	Space int

	mu      sync.Mutex
	number  int
	names   map[string]*inode
	durable map[string]*inode         // names as of the last sync
	pending []func(map[string]*inode) // what was done to names since
}

// An inode is a file, whatever it is called.
type inode struct {
	data    []byte
	durable []byte // as of the last sync
	lost    bool   // a sync has failed
}

// New makes an empty disk.
func New() *Disk {
	return &Disk{names: map[string]*inode{}, durable: map[string]*inode{}}
}

// Nth makes a Disk.Fail that has the operation of that number fail.
func Nth(number int, err error) func(Operation) error {
	return func(o Operation) error {
		if o.Number == number {
			return err
		}
		return nil
	}
}

// From makes a Disk.Fail that has all operations fail from that number on, but
// removals and reading.
func From(number int, err error) func(Operation) error {
	return func(o Operation) error {
		if o.Number >= number && !slices.Contains([]string{Open, Read, Names, Remove}, o.Kind) {
			return err
		}
		return nil
	}
}

// Operations is how many were begun.
func (d *Disk) Operations() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.number
}

// PowerCut is the disk as the machine finds it when it starts again. Without a
// source of chance it has what was synced and nothing else; with one it has of the
// rest as much as chance will have it.
func (d *Disk) PowerCut(chance *rand.Rand) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := maps.Clone(d.durable)
	if chance != nil {
		for _, do := range d.pending[:chance.IntN(len(d.pending)+1)] {
			do(names)
		}
	}
	after := New()
	for name, node := range names {
		data := slices.Clone(node.durable)
		if chance != nil && !node.lost {
			done := chance.IntN(len(node.data) + 1)
			data = slices.Concat(node.data[:done], node.durable[min(done, len(node.durable)):])
		}
		copied := &inode{data: data, durable: slices.Clone(data)}
		after.names[name], after.durable[name] = copied, copied
	}
	return after
}

// begin counts an operation and says whether it fails.
func (d *Disk) begin(kind, name string) error {
	d.number++
	if d.Fail == nil {
		return nil
	}
	if err := d.Fail(Operation{Number: d.number, Kind: kind, Name: name}); err != nil {
		return &fs.PathError{Op: kind, Path: name, Err: err}
	}
	return nil
}

// change does something to the names.
func (d *Disk) change(do func(map[string]*inode)) {
	do(d.names)
	d.pending = append(d.pending, do)
}

// Create implements datadir.Files.
func (d *Disk) Create(name string) (datadir.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.begin(Create, name); err != nil {
		return nil, err
	}
	if d.names[name] != nil {
		return nil, &fs.PathError{Op: Create, Path: name, Err: syscall.EEXIST}
	}
	node := &inode{}
	d.change(func(names map[string]*inode) { names[name] = node })
	return &file{disk: d, inode: node, name: name}, nil
}

// Open implements datadir.Files.
func (d *Disk) Open(name string, _ int) (datadir.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.begin(Open, name); err != nil {
		return nil, err
	}
	node := d.names[name]
	if node == nil {
		return nil, &fs.PathError{Op: Open, Path: name, Err: syscall.ENOENT}
	}
	return &file{disk: d, inode: node, name: name}, nil
}

// Replace implements datadir.Files.
func (d *Disk) Replace(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.begin(Replace, from); err != nil {
		return err
	}
	if d.names[from] == nil {
		return &fs.PathError{Op: Replace, Path: from, Err: syscall.ENOENT}
	}
	d.change(func(names map[string]*inode) { names[to] = names[from]; delete(names, from) })
	return nil
}

// Remove implements datadir.Files.
func (d *Disk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.begin(Remove, name); err != nil {
		return err
	}
	if d.names[name] == nil {
		return &fs.PathError{Op: Remove, Path: name, Err: syscall.ENOENT}
	}
	d.change(func(names map[string]*inode) { delete(names, name) })
	return nil
}

// Names implements datadir.Files.
func (d *Disk) Names() ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.begin(Names, ""); err != nil {
		return nil, err
	}
	return slices.Collect(maps.Keys(d.names)), nil
}

// Sync implements datadir.Files.
func (d *Disk) Sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.begin(SyncDir, ""); err != nil {
		return err
	}
	d.durable, d.pending = maps.Clone(d.names), nil
	return nil
}

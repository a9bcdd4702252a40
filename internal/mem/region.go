// Package mem holds memory outside the Go heap: one region that the garbage
// collector neither scans nor moves, that is kept out of swap files and core
// dumps where the system permits, and that is wiped before it is released.
package mem

import (
	"fmt"
	"os"
)

// A Region is zeroed, page-aligned memory. It takes physical memory only as it
// is touched.
type Region struct {
	mapped []byte
	lock   error
}

// New maps a region of at least size bytes and asks the system to lock it
// against paging as it is touched. That the lock is refused is no error here:
// see LockError.
func New(size int) (*Region, error) {
	if size <= 0 {
		return nil, fmt.Errorf("mapping %d bytes of memory: the size must be positive", size)
	}
	page := os.Getpagesize()
	size = (size + page - 1) &^ (page - 1)
	mapped, err := mapMemory(size)
	if err != nil {
		return nil, fmt.Errorf("mapping %d bytes of memory: %w", size, err)
	}
	return &Region{mapped: mapped, lock: lockMemory(mapped)}, nil
}

// Bytes is the whole region; it must not be used after Close.
func (r *Region) Bytes() []byte { return r.mapped }

// LockError says why the region may be paged to disk; nil if it is locked.
func (r *Region) LockError() error { return r.lock }

// Close overwrites the first touched bytes with zeros, what lies beyond having
// never been written by the owner, and gives the region back to the system.
func (r *Region) Close(touched int) error {
	if r.mapped == nil {
		return nil
	}
	clear(r.mapped[:min(touched, len(r.mapped))])
	mapped := r.mapped
	r.mapped = nil
	if err := unmapMemory(mapped); err != nil {
		return fmt.Errorf("unmapping memory: %w", err)
	}
	return nil
}

// Populate has physical memory put behind n bytes from offset on, so that
// whoever writes there first need not wait for the system to find and clear
// it. It leaves what stands there as it is, whoever uses it meanwhile, and is
// a hint: where the system has no such call, writing takes the time.
func (r *Region) Populate(offset, n int) {
	if mapped := r.mapped; offset < len(mapped) && n > 0 {
		populate(mapped[offset:min(offset+n, len(mapped))])
	}
}

// Huge asks for huge pages behind the first n bytes, so that finding them in
// the page tables costs less. Memory that is populated is moved to them in the
// background, over minutes; other memory comes in huge pages from now on.
func (r *Region) Huge(n int) {
	if mapped := r.mapped; n > 0 && n <= len(mapped) {
		huge(mapped[:n])
	}
}

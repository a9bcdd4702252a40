// Package mem holds memory outside the Go heap: one region that the garbage
// collector neither scans nor moves, that is kept out of swap files and core
// dumps where the system permits, and that is wiped before it is released.
package mem

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// A Region is address space, reserved as a whole, of which Parts take memory.
// Its methods and those of its Parts may be called from several goroutines,
// except for Bytes beside a Resize that makes the part smaller.
type Region struct {
	mu       sync.Mutex
	reserved []byte
	taken    int // of reserved, by parts
	parts    []*Part
	memory   int // bytes that the parts have now
	limited  int // bytes that the system has been told of, see limit
	lock     error
}

// A Part is a stretch of a Region with memory behind its beginning, of a size
// that can change. Where it begins does not.
type Part struct {
	region    *Region
	space     []byte
	size      int // bytes asked for
	committed int // whole pages
	populated int
	untouched int
}

// Reserve takes address space for parts of so many bytes together, and no
// memory yet.
func Reserve(size int) (*Region, error) {
	if size <= 0 {
		return nil, fmt.Errorf("reserving %d bytes of address space: the size must be positive", size)
	}
	reserved, err := reserveMemory(wholePages(size))
	if err != nil {
		return nil, fmt.Errorf("reserving %d bytes of address space: %w", size, err)
	}
	return &Region{reserved: reserved}, nil
}

// wholePages rounds up to pages of the system.
func wholePages(n int) int {
	page := os.Getpagesize()
	return (n + page - 1) &^ (page - 1)
}

// Space is how much address space a part of at most so many bytes takes.
func Space(most int) int { return wholePages(most) }

// Part sets address space apart for at most so many bytes; the owner has seen
// to it that the Region has as much.
func (r *Region) Part(most int) *Part {
	r.mu.Lock()
	defer r.mu.Unlock()
	end := r.taken + wholePages(most)
	p := &Part{region: r, space: r.reserved[r.taken:end:end]}
	r.taken = end
	r.parts = append(r.parts, p)
	return p
}

// LockError says why memory of the region may be paged to disk; nil as long as
// all of it is locked or is going to be. It is known for sure once everything
// is populated.
func (r *Region) LockError() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lock
}

// Close overwrites the parts with zeros, as far as they were written to, and
// gives everything back to the system.
func (r *Region) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reserved == nil {
		return nil
	}
	for _, p := range r.parts {
		wipe(p.space[:min(p.untouched, p.size)])
		p.space, p.size, p.committed = nil, 0, 0
	}
	reserved := r.reserved
	r.reserved = nil
	err := releaseMemory(reserved)
	r.memory = 0
	_ = r.limit() // lower limits can be had
	if err != nil {
		return fmt.Errorf("releasing memory: %w", err)
	}
	return nil
}

// Bytes are those of the part that have memory.
func (p *Part) Bytes() []byte { return p.space[:p.size:p.size] }

// Resize makes the part so many bytes long. What is added is zero; what is
// given back is wiped first. The system is asked to lock what is added against
// paging as it is touched; that it refuses to is no error here: see LockError.
// Populate is due after every Resize. A part is resized by one caller at a time.
// After an error it has the size that it had, or one between the two.
func (p *Part) Resize(n int) error {
	if n < 0 || n > len(p.space) {
		return fmt.Errorf("resizing memory to %d bytes: there is address space for %d", n, len(p.space))
	}
	for more := true; more; {
		var err error
		if more, err = p.giveBack(n); err != nil {
			return err
		}
	}
	r := p.region
	r.mu.Lock()
	defer r.mu.Unlock()
	now := wholePages(n)
	var lock error
	if part := p.space[p.committed:max(now, p.committed)]; len(part) > 0 {
		var err error
		if lock, err = commitMemory(part); err != nil {
			return fmt.Errorf("taking %d bytes of memory: %w", len(part), err)
		}
	}
	r.memory += now - p.committed
	p.size, p.committed, p.untouched = n, now, n
	if r.lock != nil {
		// What was too much to lock may not be now: Populate tries again.
		r.lock = nil
		for _, p := range r.parts {
			p.populated = 0
		}
	}
	r.note(lock)
	r.note(r.limit())
	return nil
}

// giveBackStep bounds what is given back in one go: whoever needs the system to
// find memory for the process meanwhile has to wait.
const giveBackStep = 4 << 20

// giveBack makes the part up to a step shorter, if it is to be shorter, and
// reports whether there is more to do.
func (p *Part) giveBack(n int) (more bool, err error) {
	r := p.region
	r.mu.Lock()
	defer r.mu.Unlock()
	from := max(n, p.size-giveBackStep)
	if from >= p.size {
		return false, nil
	}
	wipe(p.space[from:p.size])
	now := wholePages(from)
	if part := p.space[now:max(now, p.committed)]; len(part) > 0 {
		if err := decommitMemory(part); err != nil {
			return false, fmt.Errorf("giving back %d bytes of memory: %w", len(part), err)
		}
	}
	r.memory -= p.committed - now
	p.size, p.committed = from, now
	p.populated, p.untouched = min(p.populated, now), min(p.untouched, from)
	return from > n, nil
}

// wipe overwrites memory with zeros, in pieces: while one is being cleared, the
// collector cannot stop this goroutine, and has all others wait that it has
// stopped.
func wipe(memory []byte) {
	const piece = 256 << 10
	for len(memory) > 0 {
		n := min(len(memory), piece)
		wipePiece(memory[:n])
		memory = memory[n:]
	}
}

//go:noinline
func wipePiece(memory []byte) { clear(memory) } // called, so that it can be stopped before

// limit has the system let as much be locked as the region takes.
func (r *Region) limit() error {
	err := limitMemory(r.limited, r.memory)
	if err == nil {
		r.limited = r.memory
	}
	return err
}

// note keeps the first reason why memory could not be locked. A system that
// has no room any more says so for every page.
func (r *Region) note(lock error) {
	if r.lock == nil && lock != nil {
		r.lock = errors.New(lock.Error())
	}
}

// Untouched says that nothing was ever written from an offset on, so that
// Close need not wipe it.
func (p *Part) Untouched(from int) {
	p.region.mu.Lock()
	defer p.region.mu.Unlock()
	p.untouched = from
}

// Populate has memory put behind the next n bytes, so that whoever writes
// there first need not wait for the system to find and clear it, and locks it
// where that was not done before. It leaves what stands there as it is, whoever
// uses it meanwhile. It returns how far that has come, and whether there is
// more to do.
func (p *Part) Populate(n int) (populated int, more bool) {
	r := p.region
	r.mu.Lock()
	defer r.mu.Unlock()
	if end := min(p.populated+wholePages(n), p.committed); end > p.populated {
		r.note(populateMemory(p.space[p.populated:end], r.lock == nil))
		p.populated = end
	}
	return p.populated, p.populated < p.committed
}

// Huge asks for huge pages behind the part, so that finding them in the page
// tables costs less. Memory that is populated is moved to them in the
// background, over minutes; other memory comes in huge pages from now on.
func (p *Part) Huge() {
	p.region.mu.Lock()
	defer p.region.mu.Unlock()
	if p.committed > 0 {
		hugePages(p.space[:p.committed])
	}
}

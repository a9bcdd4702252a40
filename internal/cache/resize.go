package cache

import (
	"errors"
	"fmt"

	"github.com/packetcache/packetcache/internal/mem"
)

// What Resize does at most before it lets others at the cache: a millisecond's
// worth.
const (
	evictStep = 32  // segments
	moveStep  = 512 // pages moved or segments seen
)

// Resize changes the budget, to at most Options.Most bytes. A cache that grows
// loses nothing; one that shrinks forgets by the usual rule until the rest
// fits, and gives back the memory that it no longer uses when Resize returns.
// Others use the cache meanwhile: they wait for the session table, which is
// rebuilt at once (see session.Table.Resize), and else about a millisecond at a
// time. At no time does the cache take more than the larger of the two budgets.
// After an error it is as it was before.
func (c *Cache) Resize(bytes int) error {
	c.resizing.Lock()
	defer c.resizing.Unlock()
	if bytes < MinBytes || bytes > c.most {
		return fmt.Errorf("resizing a cache to %d bytes: it can have from %d to %d", bytes, MinBytes, c.most)
	}
	c.mu.Lock()
	closed, before, segments := c.closed, c.bytes, c.segments.touched
	c.mu.Unlock()
	switch {
	case closed:
		return errClosed
	case bytes == before:
		return nil
	case bytes > before:
		return c.grow(bytes)
	}
	return c.shrink(bytes, segments)
}

var errClosed = errors.New("the cache is closed")

func (c *Cache) grow(bytes int) error {
	l := layOut(bytes, len(c.segments.slots))
	l.pages = max(l.pages, len(c.pages.next)) // a few bytes more may be rounded to a page less
	if err := c.store.resize(l); err != nil {
		return err
	}
	// The table is written to as a whole at once: not to memory that has to be
	// found first.
	c.store.live.Huge()
	for _, part := range []*mem.Part{c.store.live, c.store.ended} {
		for more := true; more; {
			_, more = part.Populate(populateStep)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.use(bytes, l)
	c.populator.goOn()
	return c.table.Resize(c.store.live.Bytes(), c.store.ended.Bytes(), c.decoder.Hash, c.clock.tick())
}

// use makes the cache one of so many bytes, for which there is memory.
func (c *Cache) use(bytes int, l layout) {
	c.bytes, c.protected = bytes, uint64(bytes/8)
	c.segments.resize(c.store.descriptors.Bytes()[:l.segments*segmentBytes], l.segments, l.segmentSize)
	c.pages.resize(c.store.contents.Bytes()[:l.pages*pageSize], c.store.links.Bytes()[:l.pages*linkBytes], l.pages)
}

// shrink makes room at the end of the pages and then gives that end back.
func (c *Cache) shrink(bytes, segments int) error {
	plan := func(segments int) layout {
		l := layOut(bytes, segments)
		l.pages = min(l.pages, len(c.pages.next)) // as in grow
		return l
	}
	l := plan(segments)
	c.mu.Lock()
	c.segments.size = l.segmentSize
	c.protected = uint64(bytes / 8)
	err := c.table.Resize(c.store.live.Bytes()[:l.live], c.store.ended.Bytes()[:l.ended], c.decoder.Hash, c.clock.tick())
	c.mu.Unlock()
	if err != nil {
		return err
	}
	for fits := false; !fits; {
		c.locked(func() bool { c.pages.restrict(l.pages); return false })
		for c.locked(c.evictExcess) {
		}
		var at sweep
		for c.locked(func() bool { return c.moveBack(&at) }) {
		}
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			return errClosed
		}
		c.segments.tidy()
		// Fewer descriptors leave more room for pages. Others may have begun
		// so many segments meanwhile that there is less.
		l = plan(c.segments.touched)
		if fits = l.pages >= c.pages.limit; fits {
			c.use(bytes, l)
		}
		c.mu.Unlock()
	}
	err = c.store.resize(l)
	c.populator.goOn() // less may be locked where more was refused
	return err
}

// locked takes a step if the cache is still open, and passes on whether there
// are more.
func (c *Cache) locked(step func() bool) (more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.closed && step()
}

// usedPages is how many pages hold something.
func (c *Cache) usedPages() (n int) {
	for class := range c.logs {
		n += c.logs[class].pages
	}
	return n
}

// evictExcess evicts some segments if there are more than fit within the limit
// of the pages, and reports whether there still are.
func (c *Cache) evictExcess() bool {
	for range evictStep {
		c.passOn()
		if !c.evictUnanswered() && (c.usedPages() <= c.pages.limit || !c.evict()) {
			return false
		}
	}
	return true
}

// A sweep is how far moveBack has come: it has seen the segments of the classes
// before class, and of that one those up to that of seq in slot. What is begun
// later has no page behind the limit.
type sweep struct {
	class int
	slot  uint32
	seq   uint64
}

// moveBack moves pages from behind the limit to free ones before it, of some
// segments, and reports whether there are more.
func (c *Cache) moveBack(at *sweep) bool {
	done := 0
	for ; at.class < len(c.logs); at.class, at.seq = at.class+1, 0 {
		l := &c.logs[at.class]
		slot := l.oldest
		if seg := &c.segments.slots[at.slot]; at.seq > 0 && seg.seq == at.seq { // else those before it have gone, too
			slot = seg.next
		}
		for ; slot != noSegment; slot = c.segments.slots[slot].next {
			seg := &c.segments.slots[slot]
			behind := c.pages.behind(seg.first)
			if behind > c.pages.available() {
				// Others took the room; it may be at this segment's expense.
				return c.evict()
			}
			if behind > 0 {
				c.moveSegment(l, seg)
			}
			at.slot, at.seq = slot, seg.seq
			if done += 1 + behind; done >= moveStep {
				return true
			}
		}
	}
	return false
}

// moveSegment moves those pages of a segment that lie behind the limit.
func (c *Cache) moveSegment(l *log, seg *segment) {
	last := seg.last
	seg.first, seg.last = c.pages.moveChain(seg.first)
	if l.head == seg && seg.last != last {
		l.at += (int(seg.last) - int(last)) << pageBits
	}
}

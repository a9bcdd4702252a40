package cache

import (
	"net/netip"
	"slices"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
	"github.com/packetcache/packetcache/internal/session"
)

// The index of a segment tells which addresses its packets may have, so that a
// reader who wants those of one host skips nearly all others. It is a bloom at
// the end of the segment's last page, where there is room more often than not,
// and made behind the capture's back when the segment is sealed. One that has
// none may have any address: until then, and if it has a packet of a link type
// that only filters know.

// minIndexed is the smallest budget that is worth it: less is read as a whole
// soon enough, and misses the memory more.
const minIndexed = 32 << 20

// indexNext makes the index of the next sealed segment and reports whether there
// was any.
func (c *Cache) indexNext() bool {
	z := c.compressor
	z.mu.Lock()
	defer z.mu.Unlock()
	c.mu.Lock()
	l := c.unindexed()
	if l == nil {
		c.mu.Unlock()
		return false
	}
	slot, logs := l.plain, c.logs
	seg := &c.segments.slots[slot]
	l.plain = seg.next
	seq, stamped, links := seg.seq, seg.stamped, c.linksOf(seg)
	raw := z.raw[:c.copyOut(seg, 0, z.raw[:min(int(seg.size), len(z.raw))])]
	whole := len(raw) == int(seg.size)
	c.mu.Unlock()
	if !whole {
		return true
	}
	index := z.index(raw, stamped, links)
	c.mu.Lock()
	defer c.mu.Unlock()
	if l, seg = c.still(slot, seq, l, logs); seg != nil {
		c.attach(l, slot, index)
	}
	return true
}

// tendNext indexes one segment or, if all are, compresses one of a low class, or looks
// at one that was restored, or compresses another, and reports whether there was any.
func (c *Cache) tendNext() (found bool) {
	return c.indexNext() || c.lowIsNext() && c.compressNext() || c.lookNext() || c.compressNext()
}

// lookNext makes the index of the next restored segment, and sees whether its
// records are what it says. It reports whether there was any.
func (c *Cache) lookNext() bool {
	z := c.compressor
	z.mu.Lock()
	defer z.mu.Unlock()
	c.mu.Lock()
	l := c.unlooked()
	if l == nil {
		c.mu.Unlock()
		return false
	}
	slot, logs := l.bare, c.logs
	seg := &c.segments.slots[slot]
	l.bare = seg.next
	seq, links, packed := seg.seq, c.linksOf(seg), seg.codec == record.Zstd
	var raw []byte
	whole := !packed && int(seg.size) <= len(z.raw)
	if whole {
		raw = z.raw[:c.copyOut(seg, 0, z.raw[:seg.size])]
	}
	c.mu.Unlock()
	if packed {
		if f, ok := c.fetch(slot, seq, z.packed[:maxSegment]); ok {
			raw, whole = c.decompressor.decode(c, &f, z.raw[:0])
		}
	}
	var index bloom
	if whole {
		index = z.index(raw, false, links)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if l, seg = c.still(slot, seq, l, logs); seg != nil {
		seg.restored = false
		if seg.index == 0 {
			c.attach(l, slot, index)
		}
	}
	return true
}

// unlooked returns the log whose restored segment is to be looked at next, or nil.
func (c *Cache) unlooked() *log {
	if c.closed || c.bytes < minIndexed {
		return nil
	}
	return c.longest(func(l *log) bool {
		for l.bare != noSegment && !c.segments.slots[l.bare].restored {
			l.bare = c.segments.slots[l.bare].next
		}
		return l.bare != noSegment
	})
}

// unindexed returns the log whose segment is to be indexed next, or nil.
func (c *Cache) unindexed() *log {
	if c.closed || c.bytes < minIndexed {
		return nil
	}
	return c.longest(c.passIndexed)
}

// passIndexed has a log pass over the segments that have an index or can have
// none any more, and reports whether there is another.
func (c *Cache) passIndexed(l *log) bool {
	for l.plain != noSegment {
		seg := &c.segments.slots[l.plain]
		if seg == l.head {
			return false
		}
		if seg.codec == record.Raw && seg.index == 0 {
			return true
		}
		l.plain = seg.next
	}
	return false
}

// still returns a segment with its log after the cache was unlocked, nil if it
// has gone: Resize may have given its slot back, too. L is the log that it had
// among logs.
func (c *Cache) still(slot uint32, seq uint64, l *log, logs []log) (*log, *segment) {
	seg := c.segments.lookUp(slot)
	if c.closed || seg == nil || seg.seq != seq {
		return nil, nil
	}
	if &logs[0] != &c.logs[0] { // rules have changed
		l = &c.logs[c.logOf(slot)]
	}
	return l, seg
}

// index collects the addresses of the records of a segment, or returns nil if
// these may be any. Links are the link types of the interfaces. What it returns
// is good until it is called again.
func (z *compressor) index(raw []byte, stamped bool, links []packet.LinkType) bloom {
	index := bloom(z.bloom[:])
	clear(index)
	var src, dst netip.Addr // of the record before
	if !record.Each(raw, stamped, func(_ int, h *record.Header, data []byte) bool {
		if int(h.Interface) >= len(links) {
			return false
		}
		a, b, sure := session.Addresses(links[h.Interface], data)
		if !sure {
			return false
		}
		if a == src && b == dst || a == dst && b == src {
			return true
		}
		src, dst = a, b
		if a.IsValid() {
			index.add(hashAddress(z.seed, a))
		}
		if b.IsValid() {
			index.add(hashAddress(z.seed, b))
		}
		return true
	}) {
		return nil
	}
	return index.fold()
}

// attach puts an index at the end of a segment. It may take a page more.
func (c *Cache) attach(l *log, slot uint32, index bloom) {
	seg := &c.segments.slots[slot]
	if len(index) == 0 || seg.pages == 0 {
		return
	}
	if room := int(seg.pages)*pageSize - seg.used(); room < len(index) {
		for seq := seg.seq; c.pages.available() == 0; { // the next packet would have had to make room
			if !c.evict() || seg.seq != seq {
				return
			}
		}
		page := c.pages.take()
		c.pages.next[seg.last] = page
		seg.last = page
		seg.pages++
		l.pages++
	}
	seg.index = uint16(len(index))
	copy(c.indexOf(seg), index)
}

// indexOf is where the index of a segment stands that has one.
func (c *Cache) indexOf(seg *segment) bloom { return c.pages.bytes(seg.last)[pageSize-int(seg.index):] }

// wanted are the addresses of a query as an index knows them: a packet must have
// one of each set.
type wanted [][]uint64

func (c *Cache) want(sets [][]netip.Addr) (w wanted) {
	if c.compressor == nil {
		return nil // nothing is indexed
	}
	for _, set := range sets {
		hashes := make([]uint64, len(set))
		for i, a := range set {
			hashes[i] = hashAddress(c.compressor.seed, a)
		}
		w = append(w, hashes)
	}
	return w
}

// in reports whether there may be such a packet.
func (w wanted) in(index bloom) bool {
	for _, set := range w {
		if !slices.ContainsFunc(set, index.has) {
			return false
		}
	}
	return true
}

// lacks reports whether a segment that has not been begun is there and has no
// packet with the addresses that the reader wants.
func (r *Reader) lacks(ref segmentRef) bool {
	if len(r.wanted) == 0 || ref.parked > 0 {
		return false
	}
	c := r.c
	c.mu.Lock()
	defer c.mu.Unlock()
	seg := c.segments.lookUp(ref.slot)
	if c.closed || seg == nil || seg.seq == 0 || seg.seq > r.last {
		return false // it has gone, which counts
	}
	return seg.index > 0 && !r.wanted.in(c.indexOf(seg))
}

package cache

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/packetcache/packetcache/internal/packet"
)

// windowSize is how much of a segment a cursor copies out at a time. Where more
// than manyCursors are at work at once, the others make do with smallWindow.
const (
	windowSize  = 16 << 10
	smallWindow = 4 << 10
	manyCursors = 16
	// maxOrder is how many records of a disordered segment are put in order at
	// a time.
	maxOrder = 256
)

// A cursor goes through the records of one segment by their timestamps.
type cursor struct {
	ref     segmentRef
	seq     uint64
	size    uint32 // of the segment when the reader began
	stamped bool

	// order lists the next records of a disordered segment, beyond which there
	// may be more; at is the next of them.
	order []sortKey
	more  bool
	at    int
	// passed is how many records come before the one that the cursor stands at.
	passed uint16
	// next is the offset of the next record of one in order.
	next    uint32
	started bool

	// The record that the cursor stands at: where it begins, where its data
	// do, and what it says.
	offset, dataAt uint32
	header         header
	stamp          uint32

	// window is a copy of the segment's bytes from start on.
	window []byte
	start  uint32
}

// A sortKey is what a record says of its place, so that it can be read
// without the one before it.
type sortKey struct {
	time   int64
	offset uint32
	tie    uint16
	iface  packet.InterfaceID
}

// begin sets a cursor to the first record of a segment, or to the one where
// it was parked. It reports false if the segment has gone or holds nothing.
func (r *Reader) begin(cur *cursor, ref segmentRef) bool {
	c := r.c
	*cur = cursor{ref: ref, passed: ref.skip, window: cur.window[:0], order: cur.order[:0]}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return false
	}
	seg := &c.segments.slots[ref.slot]
	if seg.seq == 0 || seg.seq > r.last {
		c.mu.Unlock()
		return false
	}
	cur.seq, cur.size, cur.stamped = seg.seq, seg.size, seg.stamped
	if open := r.open[ref.class]; open.seq == seg.seq {
		cur.size = open.size
	}
	// An ordered segment is so when it is sorted, too.
	disordered := seg.disordered || ref.skip > 0
	if disordered {
		r.list = c.listRecords(seg, cur.size, r.list[:0])
	}
	c.mu.Unlock()
	if disordered {
		slices.SortFunc(r.list, func(a, b sortKey) int {
			return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.tie, b.tie), cmp.Compare(a.offset, b.offset))
		})
		rest := r.list[min(int(ref.skip), len(r.list)):]
		if len(rest) == 0 {
			return false
		}
		cur.order = append(cur.order, rest[:min(len(rest), maxOrder)]...)
		cur.more = len(rest) > maxOrder
	}
	return r.advance(cur)
}

// listRecords appends the places of a segment's records up to size.
func (c *Cache) listRecords(seg *segment, size uint32, order []sortKey) []sortKey {
	if cap(order) < int(seg.records) {
		order = make([]sortKey, 0, maxRecords)
	}
	w := walk{c: c, seg: seg}
	for at := uint32(0); at < size && w.next(); at = w.offset {
		order = append(order, sortKey{w.header.time, at, w.header.tie, w.header.iface})
	}
	return order
}

// advance goes to the next record and reports whether there is one that can
// still be read.
func (r *Reader) advance(cur *cursor) bool {
	from := base{time: cur.header.time, iface: cur.header.iface, none: !cur.started || cur.stamped}
	if cur.started {
		cur.passed++
	}
	cur.started = true
	if len(cur.order) > 0 {
		if cur.at == len(cur.order) {
			ref := cur.ref
			ref.skip = cur.passed
			return cur.more && r.begin(cur, ref)
		}
		cur.offset = cur.order[cur.at].offset
	} else {
		cur.offset = cur.next
	}
	if cur.offset >= cur.size {
		return false
	}
	const most = maxHeader + stampSize
	b := r.bytes(cur, cur.offset, min(most, cur.size-cur.offset))
	n := cur.header.get(b, from)
	if n == 0 {
		return false
	}
	if len(cur.order) > 0 {
		key := &cur.order[cur.at]
		cur.header.time, cur.header.iface, cur.header.tie = key.time, key.iface, key.tie
		cur.at++
	}
	cur.stamp = 0
	if cur.stamped {
		if len(b) < n+stampSize {
			return false
		}
		cur.stamp = binary.LittleEndian.Uint32(b[n:])
		n += stampSize
	}
	cur.dataAt = cur.offset + uint32(n)
	cur.next = cur.dataAt + uint32(cur.header.length)
	return cur.next <= cur.size
}

// data returns the captured bytes of the record that the cursor stands at,
// or false if they were evicted.
func (r *Reader) data(cur *cursor) ([]byte, bool) {
	n := uint32(cur.header.length)
	if cur.next-cur.offset <= uint32(cap(cur.window)) {
		b := r.bytes(cur, cur.dataAt, n)
		return b, len(b) == int(n)
	}
	if len(r.large) == 0 {
		r.large = make([]byte, packet.MaxLen)
	}
	b := r.large[:n]
	return b, r.fetch(cur, cur.dataAt, b) == int(n)
}

// bytes returns n bytes of the segment from offset on, moving the window if
// need be; fewer if the segment was evicted.
func (r *Reader) bytes(cur *cursor, offset, n uint32) []byte {
	if offset < cur.start || offset+n > cur.start+uint32(len(cur.window)) {
		room := uint32(cap(cur.window))
		// The window begins at the record's beginning, so that all of it fits;
		// where records are sorted, a little before, since what comes next
		// may stand there.
		cur.start = cur.offset
		if slack := min(cur.start, room/4); len(cur.order) > 0 && offset+n-cur.start+slack <= room {
			cur.start -= slack
		}
		cur.window = cur.window[:min(room, cur.size-cur.start)]
		cur.window = cur.window[:r.fetch(cur, cur.start, cur.window)]
		if offset+n > cur.start+uint32(len(cur.window)) {
			return nil
		}
	}
	return cur.window[offset-cur.start:][:n]
}

// fetch copies bytes of the segment from offset on, if it is still there.
func (r *Reader) fetch(cur *cursor, offset uint32, dst []byte) int {
	c := r.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0
	}
	seg := &c.segments.slots[cur.ref.slot]
	if seg.seq != cur.seq {
		return 0
	}
	return c.copyOut(seg, offset, dst)
}

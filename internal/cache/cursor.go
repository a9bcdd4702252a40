package cache

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
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
	records uint32 // likewise
	stamped bool
	ids     []packet.InterfaceID // by which its interfaces are to be read

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
	header         record.Header
	stamp          uint32
	// large says that the record does not fit a window; all others stand in
	// it whole.
	large bool

	// window is a copy of the segment's bytes from start on.
	window []byte
	start  uint32
}

// A standing is where a cursor has come to.
type standing int

const (
	// atEnd: there is nothing more that can still be read.
	atEnd standing = iota
	// atRecord: at the next record.
	atRecord
	// mustMove: where it was, since the next record is not in the window, and
	// the window must stand still.
	mustMove
)

// A sortKey is what a record says of its place, so that it can be read
// without the one before it.
type sortKey struct {
	time   int64
	offset uint32
	tie    uint16
	iface  packet.InterfaceID
}

// begin sets a cursor to a segment's first record behind those that have been
// passed, if the segment is still there and holds something.
func (r *Reader) begin(cur *cursor, ref segmentRef, passed uint16) standing {
	c := r.c
	*cur = cursor{ref: ref, passed: passed, window: cur.window[:0], order: cur.order[:0]}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return atEnd
	}
	seg := c.segments.lookUp(ref.slot)
	if seg == nil || seg.seq == 0 || seg.seq > r.last {
		c.mu.Unlock()
		return atEnd
	}
	cur.seq, cur.size, cur.records, cur.stamped = seg.seq, seg.size, seg.records, seg.stamped
	cur.ids = c.tables[seg.table].ids
	at, wasOpen := slices.BinarySearchFunc(r.open, seg.seq, func(o openSegment, seq uint64) int { return cmp.Compare(o.seq, seq) })
	if wasOpen {
		cur.size, cur.records = r.open[at].size, r.open[at].records
	}
	had := r.had(seg.seq)
	cur.records -= had.records
	// An ordered segment is so when it is sorted, too.
	disordered, raw := seg.disordered || passed > 0 || had.records > 0, seg.codec == record.Raw
	if disordered && raw {
		r.list = c.listRecords(seg, cur.size, r.list[:0])
	}
	c.mu.Unlock()
	if disordered && !raw && !r.listUnpacked(cur) {
		return atEnd
	}
	if disordered {
		fresh, _ := slices.BinarySearchFunc(r.list, had.size, func(k sortKey, size uint32) int { return cmp.Compare(k.offset, size) })
		list := r.list[fresh:]
		slices.SortFunc(list, func(a, b sortKey) int {
			return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.tie&^record.Moved, b.tie&^record.Moved), cmp.Compare(a.offset, b.offset))
		})
		rest := list[min(int(passed), len(list)):]
		if len(rest) == 0 {
			return atEnd
		}
		cur.order = append(cur.order, rest[:min(len(rest), maxOrder)]...)
		cur.more = len(rest) > maxOrder
	}
	return r.advance(cur)
}

// listRecords appends the places of a segment's records up to size.
func (c *Cache) listRecords(seg *segment, size uint32, order []sortKey) []sortKey {
	if cap(order) < int(seg.records) {
		order = make([]sortKey, 0, record.MaxRecords)
	}
	w := walk{c: c, seg: seg}
	for at := uint32(0); at < size && w.next(); at = w.offset {
		order = append(order, sortKey{w.header.Time, at, w.header.Tie, w.header.Interface})
	}
	return order
}

// listUnpacked is listRecords for a compressed segment, all of which was there
// when the reader began; it reports false if that has gone.
func (r *Reader) listUnpacked(cur *cursor) bool {
	if cap(r.list) < record.MaxRecords {
		r.list = make([]sortKey, 0, record.MaxRecords)
	}
	return r.c.decompressor.unpack(r.c, cur.ref.slot, cur.seq, func(raw []byte) {
		r.list = r.list[:0]
		record.Each(raw[:min(int(cur.size), len(raw))], false, func(offset int, h *record.Header, _ []byte) bool {
			r.list = append(r.list, sortKey{h.Time, uint32(offset), h.Tie, h.Interface})
			return true
		})
	})
}

// advance goes to the next record.
func (r *Reader) advance(cur *cursor) standing {
	from := record.Base{Time: cur.header.Time, Interface: cur.header.Interface, None: !cur.started || cur.stamped}
	sorted := len(cur.order) > 0
	offset := cur.next
	if sorted {
		if cur.at == len(cur.order) {
			if r.lent {
				return mustMove
			}
			if !cur.more {
				return atEnd
			}
			passed := cur.passed
			if cur.started {
				passed++
			}
			return r.begin(cur, cur.ref, passed)
		}
		offset = cur.order[cur.at].offset
	}
	if offset >= cur.size {
		return atEnd
	}
	head := min(record.MaxHeader+record.StampSize, cur.size-offset)
	if !cur.holds(offset, head) {
		if r.lent {
			return mustMove
		}
		if !r.move(cur, offset, head) {
			return atEnd
		}
	}
	b := cur.window[offset-cur.start:][:head]
	var h record.Header
	n := h.Get(b, from)
	if n == 0 {
		return atEnd
	}
	var stamp uint32
	if cur.stamped {
		if len(b) < n+record.StampSize {
			return atEnd
		}
		stamp = binary.LittleEndian.Uint32(b[n:])
		n += record.StampSize
	}
	size := uint32(n + h.Length)
	if size > cur.size-offset {
		return atEnd
	}
	large := size > uint32(cap(cur.window))
	if !large && !cur.holds(offset, size) {
		if r.lent {
			return mustMove
		}
		if !r.move(cur, offset, size) {
			return atEnd
		}
	}
	if sorted {
		key := &cur.order[cur.at]
		h.Time, h.Interface, h.Tie = key.time, key.iface, key.tie
		cur.at++
	}
	if cur.started {
		cur.passed++
	}
	cur.started = true
	cur.header, cur.stamp, cur.large = h, stamp, large
	cur.offset, cur.dataAt, cur.next = offset, offset+uint32(n), offset+size
	return atRecord
}

// holds reports whether the window holds n bytes from offset on.
func (cur *cursor) holds(offset, n uint32) bool {
	return offset >= cur.start && offset+n <= cur.start+uint32(len(cur.window))
}

// move puts the window where it holds n bytes from offset on, which is a
// record's beginning, and reports whether they could be had.
func (r *Reader) move(cur *cursor, offset, n uint32) bool {
	room := uint32(cap(cur.window))
	start := offset
	// Where records are sorted, a little before, since what comes next may
	// stand there.
	if slack := min(start, room/4); len(cur.order) > 0 && n+slack <= room {
		start -= slack
	}
	cur.window = cur.window[:min(room, cur.size-start)]
	cur.window = cur.window[:r.fetch(cur, start, cur.window)]
	cur.start = start
	return cur.holds(offset, n)
}

// fetchLarge returns the captured bytes of a record that no window holds, nil
// if they were evicted.
func (r *Reader) fetchLarge(cur *cursor) []byte {
	if len(r.large) == 0 {
		r.large = make([]byte, packet.MaxLen)
	}
	b := r.large[:cur.header.Length]
	if r.fetch(cur, cur.dataAt, b) < len(b) {
		return nil
	}
	return b
}

// fetch copies bytes of the segment from offset on, if it is still there.
func (r *Reader) fetch(cur *cursor, offset uint32, dst []byte) (n int) {
	c := r.c
	c.mu.Lock()
	seg := c.segments.lookUp(cur.ref.slot)
	gone := c.closed || seg == nil || seg.seq != cur.seq
	if gone || seg.codec == record.Raw {
		if !gone {
			n = c.copyOut(seg, offset, dst)
		}
		c.mu.Unlock()
		return n
	}
	c.mu.Unlock()
	c.decompressor.unpack(c, cur.ref.slot, cur.seq, func(raw []byte) { n = copy(dst, raw[min(int(offset), len(raw)):]) })
	return n
}

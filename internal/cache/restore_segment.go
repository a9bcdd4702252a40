package cache

import (
	"errors"

	"github.com/packetcache/packetcache/internal/record"
)

// add adds a segment that makes sense.
func (r *Restorer) add(l *restoring, s *record.Segment) (kept bool, err error) {
	c := r.c
	seg := segment{
		minTime: s.MinTime, maxTime: s.MaxTime, newest: r.at(s.Newest), position: -s.Behind,
		bytes: s.Captured, size: uint32(s.Size), records: uint32(s.Records),
		codec: s.Codec, tallies: uint16(s.Tallies), disordered: s.Disordered, restored: true,
		pages: uint32((len(s.Data) + pageSize - 1) / pageSize),
	}
	if s.Codec != record.Raw {
		seg.packed = uint32(len(s.Data))
	}
	seg.shares.many = s.Many
	for _, share := range s.Shares {
		seg.shares.add(share.Interface, int(share.Packets), int(share.Bytes))
	}
	c.mu.Lock()
	log := r.placeIn(l)
	if c.logs[log].excluded { // so nothing can have been in it
		c.mu.Unlock()
		return false, errors.New("of sessions that are not stored")
	}
	slot, err := r.reserve(log, s.Table, &seg)
	c.mu.Unlock()
	if err != nil || slot == noSegment {
		return false, err
	}
	page := seg.first
	for rest := s.Data; len(rest) > 0; page = c.pages.next[page] {
		rest = rest[copy(c.pages.bytes(page), rest):]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false, errClosed
	}
	to := &c.logs[log]
	seg.seq = c.segments.slots[slot].seq
	c.segments.slots[slot] = seg
	to.insert(&c.segments, slot)
	to.before = to.before.upTo(seg.held())
	c.stats.restored = c.stats.restored.plus(seg.held())
	c.book(&seg, restoredOf)
	if s.Codec == record.Raw {
		l.raw, l.seq = slot, seg.seq
	}
	return true, nil
}

// reserve takes a descriptor and pages for a segment, or returns noSegment if
// there is no room for it.
func (r *Restorer) reserve(log, table int, seg *segment) (slot uint32, err error) {
	c := r.c
	if c.closed {
		return noSegment, errClosed
	}
	if c.restorer != r {
		return noSegment, nil // it has been cleared
	}
	t := &r.tables[table]
	if !t.known {
		t.known = true
		t.number, t.ok = c.enter(r.state.Tables[table])
	}
	if !t.ok || !c.makeRoom(log, seg) {
		return noSegment, nil
	}
	seg.table = t.number
	if t.number > 0 {
		c.tables[t.number].users++
	}
	slot = c.segments.take()
	seg.first = c.pages.take()
	seg.last = seg.first
	for range seg.pages - 1 {
		page := c.pages.take()
		c.pages.next[seg.last] = page
		seg.last = page
	}
	return slot, nil
}

// makeRoom evicts what would have to go before a segment that is to be put into a
// log, until there is room for that. It reports false if that would be the next to
// go itself.
func (c *Cache) makeRoom(log int, seg *segment) bool {
	more := 0
	if log == unanswered {
		more = int(seg.pages)
	}
	for c.pages.available() < int(seg.pages) || !c.segments.available() {
		victim := c.unansweredVictim(more)
		if victim == unanswered && more > 0 {
			return false
		}
		if victim < 0 {
			var worst rank
			if victim, worst = c.victim(); victim < 0 || !worst.before(c.rank(&c.logs[log], seg)) {
				return false
			}
			if !worst.spared {
				c.outlived = worst.score
			}
		}
		c.drop(victim)
	}
	return true
}

// insert puts a segment into its place by age, which is nearly always the old end.
func (l *log) insert(p *segmentPool, slot uint32) {
	seg := &p.slots[slot]
	link := &l.oldest
	for *link != noSegment && p.slots[*link].newest < seg.newest {
		link = &p.slots[*link].next
	}
	if seg.next = *link; seg.next == noSegment {
		l.youngest = slot
	}
	*link = slot
	l.segments++
	l.pages += int(seg.pages)
}

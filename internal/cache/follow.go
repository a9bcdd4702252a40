package cache

import (
	"cmp"
	"slices"
)

// Who follows a cache reads it again and again, each time what came since. Then
// each packet is shown from where it was put first, and not from where it moved
// to: so it comes once, however many logs it has been through.

// A moment is how far a cache has come.
type moment struct {
	clock  int64
	stored uint64 // packets that were ever stored
	// arranged tells arrangements of the logs apart.
	arranged uint32
}

// moment is how far the cache is now.
func (c *Cache) moment() moment {
	stored := c.stats.seen.Packets
	for _, refused := range c.stats.refused {
		stored -= refused.Packets
	}
	return moment{c.clock.now, stored, c.arranged}
}

// A Mark is a moment of a cache, for a reader to go on from.
type Mark struct {
	moment
	last uint64
	open []openSegment // by seq
}

// Mark makes m the moment at which the reader began.
func (r *Reader) Mark(m *Mark) {
	m.moment, m.last = r.now, r.last
	m.open = append(m.open[:0], r.open...)
}

// BeginAfter takes what was appended to the cache since m, and is not out of the
// query's times. What was restored since is not new and not shown.
func (r *Reader) BeginAfter(q Query, m *Mark) {
	r.stop()
	c := r.c
	c.decompressor.begin()
	r.active = true
	// What is new is little: all of it is read, so that what is missing can be told.
	r.query, r.wanted, r.after = q, c.want(nil), true
	r.since.moment, r.since.last = m.moment, m.last
	r.since.open = append(r.since.open[:0], m.open...)
	c.mu.Lock()
	r.look()
	for i := range c.logs {
		if i == unanswered {
			continue // all there has moved
		}
		for slot := c.firstSince(uint32(i), &r.since); slot != noSegment; slot = c.segments.slots[slot].next {
			seg := &c.segments.slots[slot]
			had := r.had(seg.seq)
			if seg.size == had.size || seg.seq <= m.last && had.seq == 0 || seg.newest < m.clock {
				continue
			}
			r.todo = append(r.todo, segmentRef{minTime: seg.minTime, slot: slot, records: uint16(seg.records - had.records)})
		}
	}
	c.mu.Unlock()
	if r.now.stored > m.stored { // it goes back where one that moved was refused
		r.total = r.now.stored - m.stored
	}
	r.sort()
}

// firstSince is the oldest segment of a log that may hold what came since m.
func (c *Cache) firstSince(log uint32, m *Mark) uint32 {
	if m.arranged == c.arranged {
		for _, o := range m.open {
			if o.log != log {
				continue
			}
			if seg := c.segments.lookUp(o.slot); seg != nil && seg.seq == o.seq {
				return o.slot
			}
		}
	}
	return c.logs[log].oldest // the one there was is gone, and so are those before it
}

// had is what a reader that goes on has had of a segment.
func (r *Reader) had(seq uint64) openSegment {
	if !r.after {
		return openSegment{}
	}
	at, found := slices.BinarySearchFunc(r.since.open, seq, func(o openSegment, seq uint64) int { return cmp.Compare(o.seq, seq) })
	if !found {
		return openSegment{}
	}
	return r.since.open[at]
}

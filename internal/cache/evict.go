package cache

import (
	"math"

	"github.com/packetcache/packetcache/internal/packet"
)

// evict frees the oldest segment of the log that deserves it least, and reports
// whether there was any. It is one of unanswered first packets if these have
// more than their share, else it is chosen by age and weight. The newest eighth
// of the budget is spared, whatever its class, so that recent traffic is
// complete and one fast download can't empty the past.
func (c *Cache) evict() bool {
	if c.evictUnanswered() {
		return true
	}
	victim, last := c.victim()
	switch {
	case victim < 0: // nothing is there but what waits
		if victim = probation; c.logs[victim].oldest == noSegment {
			return false
		}
	case !last.spared:
		c.outlived = last.score
	}
	c.drop(victim)
	return true
}

// A rank says how soon a segment goes when room is needed.
type rank struct {
	// spared: it is of the newest eighth of the budget. These go when nothing else
	// is there.
	spared bool
	score  float64 // age x weight
}

// before reports whether r goes first.
func (r rank) before(other rank) bool {
	if r.spared != other.spared {
		return other.spared
	}
	return r.score > other.score
}

// rank is that of a segment of a log.
func (c *Cache) rank(l *log, seg *segment) rank {
	return rank{
		spared: c.position-seg.position < c.protected,
		score:  (float64(c.clock.now-seg.newest) + 1) * l.weight,
	}
}

// victim returns the log, other than that of what waits, whose oldest segment is
// to go next, or -1.
func (c *Cache) victim() (victim int, worst rank) {
	c.settle() // an open segment can be the one
	victim = -1
	for class := range c.logs {
		l := &c.logs[class]
		if l.oldest == noSegment || class == probation {
			continue
		}
		seg := &c.segments.slots[l.oldest]
		if seg == l.head && float64(c.clock.now-l.begun)*l.weight > c.outlived {
			// Filled slowly, it would keep its first packets for as long as its
			// last ones.
			l.seal()
		}
		if r := c.rank(l, seg); victim < 0 || r.before(worst) {
			victim, worst = class, r
		}
	}
	return victim, worst
}

// drop forgets the oldest segment of a log.
func (c *Cache) drop(class int) {
	l := &c.logs[class]
	l.settle() // it can be the open segment
	slot := l.oldest
	seg := &c.segments.slots[slot]
	gone := seg.held()
	if gone.Packets > 0 {
		c.lose(class, seg.newest)
	}
	l.evicted.add(gone.Packets, gone.Bytes)
	c.book(seg, evictedOf)
	c.leaveTable(seg.table)
	if class == probation {
		c.waiting.pop(slot, seg)
	}
	l.pages -= int(seg.pages)
	l.pop(&c.segments)
	if c.wiped > 0 {
		c.pages.wipe(seg.first, int(seg.pages))
	}
	c.pages.give(seg.first, seg.last, int(seg.pages))
	c.segments.give(slot)
}

// lose notes in all horizons that it concerns that a packet of a log, which came
// at that time of the cache's clock, is not there.
func (c *Cache) lose(class int, at int64) {
	l := &c.logs[class]
	l.lose(at)
	if class >= tierLogs && at <= l.leftBehind {
		c.logs[(class-tierLogs)%NumClasses].lose(at)
	}
	if class == probation || class == unanswered {
		c.loseLate(class, at)
	}
}

// loseUpTo is lose for all packets that came until then, or so they may be.
func (c *Cache) loseUpTo(class int, at int64) {
	c.lose(class, at)
	if left := c.logs[class].leftBehind; class >= tierLogs && left > math.MinInt64 {
		c.lose(class, min(at, left))
	}
}

// lose records that a packet, appended at that time of the cache's clock, is
// not there.
func (l *log) lose(at int64) {
	if !l.loser || at > l.lost {
		l.lost, l.loser = at, true
	}
}

// evictedOf and restoredOf are counts of an interface.
func evictedOf(s *InterfaceStats) *Count  { return &s.Evicted }
func restoredOf(s *InterfaceStats) *Count { return &s.Restored }

// book adds to a count of each interface what it has in a segment.
func (c *Cache) book(seg *segment, count func(*InterfaceStats) *Count) {
	add := func(id packet.InterfaceID, packets, bytes uint64) {
		count(&c.interfaces[c.own(seg, id)].stats).add(packets, bytes)
	}
	s := &seg.shares
	if seg.tallies > 0 {
		c.eachTally(seg, add)
		return
	}
	if !s.many {
		for i := range s.id[:s.n] {
			add(s.id[i], uint64(s.packets[i]), uint64(s.bytes[i]))
		}
		return
	}
	w := walk{c: c, seg: seg}
	for w.next() {
		if w.stamp == 0 {
			add(w.header.Interface, 1, uint64(w.header.Length))
		}
	}
}

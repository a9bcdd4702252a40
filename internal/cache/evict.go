package cache

// evict frees the oldest segment of the log that deserves it least, and reports
// whether there was any. It is one of unanswered first packets if these have
// more than their share, else it is chosen by age and weight. The newest eighth
// of the budget is spared, whatever its class, so that recent traffic is
// complete and one fast download can't empty the past.
func (c *Cache) evict() bool {
	if c.evictUnanswered() {
		return true
	}
	c.settle() // an open segment can be the one
	victim, worst := -1, 0.0
	spared, worstSpared := -1, 0.0
	for class := range c.logs {
		l := &c.logs[class]
		if l.oldest == noSegment || class == probation {
			continue
		}
		seg := &c.segments.slots[l.oldest]
		score := (float64(c.clock.now-seg.newest) + 1) * l.weight
		if seg == l.head && float64(c.clock.now-l.begun)*l.weight > c.outlived {
			// Filled slowly, it would keep its first packets for as long as its
			// last ones.
			l.seal()
		}
		if c.position-seg.position < c.protected {
			if score > worstSpared {
				spared, worstSpared = class, score
			}
		} else if score > worst {
			victim, worst = class, score
		}
	}
	if victim >= 0 {
		c.outlived = worst
	} else {
		victim = spared // nothing but the newest is there
	}
	if victim < 0 {
		if victim = probation; c.logs[victim].oldest == noSegment {
			return false
		}
	}
	c.drop(victim)
	return true
}

// drop forgets the oldest segment of a log.
func (c *Cache) drop(class int) {
	l := &c.logs[class]
	l.settle() // it can be the open segment
	slot := l.oldest
	seg := &c.segments.slots[slot]
	gone := seg.held()
	if gone.Packets > 0 {
		l.lose(seg.newest)
		if class >= tierLogs && seg.seq <= l.leftBehind {
			c.logs[(class-tierLogs)%NumClasses].lose(seg.newest)
		}
		if class == probation || class == unanswered {
			c.loseLate(class, seg.newest)
		}
	}
	l.evicted.add(gone.Packets, gone.Bytes)
	c.bookEviction(seg)
	if class == probation {
		c.waiting.pop(slot, seg)
	}
	l.pages -= int(seg.pages)
	l.pop(&c.segments)
	c.pages.give(seg.first, seg.last, int(seg.pages))
	c.segments.give(slot)
}

// lose records that a packet, appended at that time of the cache's clock, is
// not there.
func (l *log) lose(at int64) {
	if !l.loser || at > l.lost {
		l.lost, l.loser = at, true
	}
}

// bookEviction tells the interfaces what goes with a segment.
func (c *Cache) bookEviction(seg *segment) {
	s := &seg.shares
	if seg.tallies > 0 {
		c.bookTallies(seg)
		return
	}
	if !s.many {
		for i := range s.id[:s.n] {
			c.interfaces[s.id[i]].stats.Evicted.add(uint64(s.packets[i]), uint64(s.bytes[i]))
		}
		return
	}
	w := walk{c: c, seg: seg}
	for w.next() {
		if w.stamp == 0 {
			c.interfaces[w.header.Interface].stats.Evicted.add(1, uint64(w.header.Length))
		}
	}
}

package cache

import (
	"time"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
	"github.com/packetcache/packetcache/internal/session"
)

// Most of what the probation log holds has left it, since most sessions are
// answered at once. So it is kept short: its segments are passed on one by one,
// oldest first, and the first packets that still wait there move to the
// unanswered log, as ordinary records close together. They are most of all
// sessions, and far more of them find room this way.
//
// A flood must not wash out those that are there. What comes several times as
// fast as the log has filled so far is not moved: it stays where it is and goes
// when room is needed.

const (
	// unansweredShare of the pages is what both logs together keep when others
	// need them: a twentieth.
	unansweredShare = 20
	// steadiness is how many times as fast as it came to take the memory that it
	// takes the unanswered log may be filled anew, beyond as many bytes as that at
	// once. Packets take about a third of their bytes when they are compressed, so
	// it is less than three times as fast as it was filled. Bursts are as large as
	// they are so that the scans that any network sees now and then do not count
	// as floods.
	steadiness = 8
)

// waiting is the state of the two logs of first packets.
type waiting struct {
	// next is the probation log's oldest segment that has not been passed on,
	// passed how many pages those before it have.
	next   uint32
	passed int
	moved  uint64 // packets that ever moved to the unanswered log

	// dropped is when the newest packet came of the segments that the probation
	// log has lost, by the cache's clock; all that it still has came later.
	dropped int64

	// credit is how many bytes may move beyond what there is room for, as of
	// the clock's time at.
	credit float64
	at     int64
}

// share is how many pages unanswered first packets keep when others need them,
// part how many of these are the probation log's.
func (c *Cache) share() int { return c.pages.limit / unansweredShare }
func (c *Cache) part() int  { return c.share() / 4 }

// waitingSize is the size in bytes at which a segment of the probation log is
// sealed: a fourth of its part, so that it passes on a little at a time.
func (c *Cache) waitingSize() int {
	return min(max(c.part()/4, 2)*pageSize, c.segments.size)
}

// push notes that the probation log begins a segment.
func (w *waiting) push(slot uint32) {
	if w.next == noSegment {
		w.next = slot
	}
}

// pop notes that the probation log loses its oldest segment.
func (w *waiting) pop(slot uint32, seg *segment) {
	if slot == w.next {
		w.next = seg.next
	} else {
		w.passed -= int(seg.pages)
	}
	w.dropped = max(w.dropped, seg.newest)
}

// passOn passes on the oldest segments of the probation log, two at most, if
// that is longer than it should be and all its segments are sealed.
func (c *Cache) passOn() {
	l := &c.logs[probation]
	for range 2 {
		slot := c.waiting.next
		if slot == noSegment || c.segments.slots[slot].next == noSegment && l.head != nil ||
			l.pages-c.waiting.passed+c.waitingSize()/pageSize <= c.part() { // with the segment that is to be begun
			return
		}
		seg := &c.segments.slots[slot]
		if c.admits(seg.bytes) {
			c.moveWaiting(seg)
		}
		if c.waiting.next == slot { // it has not been evicted meanwhile
			c.waiting.next = seg.next
			c.waiting.passed += int(seg.pages)
		}
	}
}

// admits reports whether so many bytes may move to the unanswered log.
func (c *Cache) admits(bytes uint64) bool {
	w, l := &c.waiting, &c.logs[unanswered]
	if l.oldest != noSegment {
		held := float64(l.pages * pageSize)
		filled := max(c.clock.now-c.segments.slots[l.oldest].newest, int64(time.Second))
		w.credit += steadiness * held * float64(c.clock.now-w.at) / float64(filled)
		w.credit = min(w.credit, max(held, float64(c.waitingSize())))
	}
	w.at = c.clock.now
	room := c.share() - c.part() - l.pages
	if int(bytes) > room*pageSize && float64(bytes) > w.credit {
		return false
	}
	w.credit = max(0, w.credit-float64(bytes))
	return true
}

// moveWaiting moves those of a segment's packets that still wait to the
// unanswered log. The segment stays, for readers that have begun, until others
// need its place.
func (c *Cache) moveWaiting(seg *segment) {
	seq := seg.seq
	w := walk{c: c, seg: seg}
	for seg.seq == seq && w.next() { // making room for one can cost the segment
		if w.stamp != 0 {
			continue
		}
		h := &w.header
		data := c.pipeline.moved[:h.Length]
		c.pages.read(c.pages.forward(w.behind, record.StampSize), data)
		c.leave(seg, w.behind, h)
		p := packet.Packet{Time: h.Time, Data: data, OrigLen: h.Wire, Interface: h.Interface, Direction: h.Direction}
		if c.put(unanswered, &p, h.Tie, seg.newest) {
			c.waiting.moved++
		}
	}
	c.logs[unanswered].settle()
}

// evictUnanswered frees the oldest segment of the probation log if that was
// passed on: its packets have left or are too many. Otherwise, if the first
// packets that nobody answered have more than their share, it frees those that
// came first. It reports whether it did.
func (c *Cache) evictUnanswered() bool {
	victim := c.unansweredVictim(0)
	if victim >= 0 {
		c.drop(victim)
	}
	return victim >= 0
}

// unansweredVictim returns the log whose oldest segment that is, or -1, if the
// unanswered log had more pages.
func (c *Cache) unansweredVictim(more int) (log int) {
	p, u := &c.logs[probation], &c.logs[unanswered]
	there := u.pages + more
	switch {
	case p.oldest != c.waiting.next:
		return probation
	case p.pages+there <= c.share():
	case there > 0 && (there > c.share()-c.part() || p.pages <= c.part()):
		return unanswered
	case p.segments > 1:
		return probation
	}
	return -1
}

// answeredLate notes that packets of a session that is answered now, which came
// from the tick first to the tick last, stay in the logs of first packets. They
// belong to class 0 from now on, whose log is l, and are missing there once they
// are evicted, if they aren't gone already.
func (c *Cache) answeredLate(l *log, first, last, now uint32) {
	const tick = int64(session.Tick)
	came := span{true, c.clock.now - (int64(now-first)+1)*tick, min(c.clock.now, c.clock.now-(int64(now-last)-1)*tick)}
	for _, from := range c.logs[probation:tierLogs] {
		if from.loser && from.lost >= came.oldest { // then nothing older is there
			l.lose(min(from.lost, came.newest))
			came.oldest = from.lost
		}
	}
	if came.oldest < came.newest {
		l.late.join(came)
	}
}

// loseLate notes in the logs of class 0 that first packets up to that time of
// the clock are gone from the probation or the unanswered log.
func (c *Cache) loseLate(from int, upTo int64) {
	for tier := range c.tiers {
		l := &c.logs[firstLog(tier)]
		late := &l.late
		if !late.any || late.oldest > upTo || from == probation && late.newest < c.waiting.dropped {
			continue
		}
		l.lose(min(late.newest, upTo))
		if from == unanswered && late.newest < upTo {
			*late = span{}
		} else if from == unanswered {
			late.oldest = upTo
		}
	}
}

// A span is the time from the oldest to the newest of some packets, by the
// cache's clock, if there are any.
type span struct {
	any            bool
	oldest, newest int64
}

// join makes s span what another one does, too.
func (s *span) join(o span) {
	switch {
	case !s.any:
		*s = o
	case o.any:
		s.oldest, s.newest = min(s.oldest, o.oldest), max(s.newest, o.newest)
	}
}

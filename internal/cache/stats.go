package cache

import (
	"math"
	"time"

	"github.com/packetcache/packetcache/internal/session"
)

// A Count is a number of packets and their captured bytes.
type Count struct{ Packets, Bytes uint64 }

func (c *Count) add(packets, bytes uint64) {
	c.Packets += packets
	c.Bytes += bytes
}

func (c Count) minus(d Count) Count { return Count{c.Packets - d.Packets, c.Bytes - d.Bytes} }

// A Refusal is why a packet was not stored.
type Refusal int

// The refusals.
const (
	// RefusedTooLong: more than packet.MaxLen bytes.
	RefusedTooLong Refusal = iota
	// RefusedInterface: it carries a number that Interface never gave.
	RefusedInterface
	// RefusedNoRoom: no page could be freed for it.
	RefusedNoRoom
	numRefusals
)

// String is the reason as status shows it.
func (r Refusal) String() string {
	switch r {
	case RefusedTooLong:
		return "longer than 262144 bytes"
	case RefusedInterface:
		return "from an unknown interface"
	case RefusedNoRoom:
		return "no room"
	default:
		return "unknown"
	}
}

type counters struct {
	seen    Count
	refused [numRefusals]Count
	damaged Count
}

// ClassStats are the figures of one class.
type ClassStats struct {
	// Held is what is there now; Evicted has gone for want of room.
	Held, Evicted Count
	// Segments and Memory (in bytes, whole pages) that Held takes up.
	Segments, Memory int
	// Compressed of the segments took Unpacked bytes and take Packed now.
	Compressed, Unpacked, Packed int
	// Horizon is the age up to which every packet of the class is there.
	Horizon time.Duration
	// Complete says that none has been lost since the cache was made.
	Complete bool
}

// Stats are the figures of a cache at one moment.
type Stats struct {
	// Age of the cache by its own clock.
	Age time.Duration
	// Seen = Stored + Refused; Stored = what is held + Evicted.
	Seen, Stored, Evicted Count
	Refused               map[Refusal]Count
	// Damaged packets count as held until their time comes, and cannot be read.
	Damaged Count
	// Classes by number; Unanswered is the probation log.
	Classes    [NumClasses]ClassStats
	Unanswered ClassStats
	Sessions   session.TableStats
	// Budget is the whole region, Used what of it is taken: pages that hold
	// packets, session table and bookkeeping. In bytes.
	Budget, Used int
	// Oldest and Newest are the timestamps of the oldest and the newest packet
	// held, in nanoseconds since the Unix epoch; both 0 if there is none.
	Oldest, Newest int64
}

// Held is what is there now.
func (s *Stats) Held() Count { return s.Stored.minus(s.Evicted) }

// Promise returns the age up to which the first bytes of every session are
// there, for a class the first 2^class KiB, also of those sessions that got no
// further than one packet. Complete says that nothing of them was ever lost.
func (s *Stats) Promise(class int) (age time.Duration, complete bool) {
	age, complete = s.PromiseAnswered(class)
	return min(age, s.Unanswered.Horizon), complete && s.Unanswered.Complete
}

// PromiseAnswered is Promise for the sessions that did get further, which a
// scan does not concern: the least horizon of the class and those below.
func (s *Stats) PromiseAnswered(class int) (age time.Duration, complete bool) {
	age, complete = s.Age, true
	for _, c := range s.Classes[:class+1] {
		age, complete = min(age, c.Horizon), complete && c.Complete
	}
	return age, complete
}

// Stats returns the figures of this moment.
func (c *Cache) Stats() Stats {
	boot := c.boot()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock.live(boot)
	s := Stats{
		Age:      time.Duration(c.clock.now),
		Seen:     c.stats.seen,
		Refused:  map[Refusal]Count{},
		Damaged:  c.stats.damaged,
		Sessions: c.table.Stats(),
		Budget:   c.bytes,
		Used:     c.usedPages()*pageSize + c.overhead(),
	}
	s.Stored = s.Seen
	for r, n := range c.stats.refused {
		if n.Packets > 0 {
			s.Refused[Refusal(r)] = n
			s.Stored = s.Stored.minus(n)
		}
	}
	oldest, newest := int64(math.MaxInt64), int64(math.MinInt64)
	for class := range c.logs {
		l := &c.logs[class]
		stats := ClassStats{Evicted: l.evicted, Segments: l.segments, Memory: l.pages * pageSize}
		stats.Horizon, stats.Complete = c.horizon(l)
		s.Evicted.add(l.evicted.Packets, l.evicted.Bytes)
		for slot := l.oldest; slot != noSegment; slot = c.segments.slots[slot].next {
			seg := &c.segments.slots[slot]
			oldest, newest = min(oldest, seg.minTime), max(newest, seg.maxTime)
			held := seg.held()
			stats.Held.add(held.Packets, held.Bytes)
			if seg.codec == codecZstd {
				stats.Compressed++
				stats.Unpacked += int(seg.size)
				stats.Packed += int(seg.packed)
			}
		}
		if class == probation {
			s.Unanswered = stats
		} else {
			s.Classes[class] = stats
		}
	}
	if oldest <= newest {
		s.Oldest, s.Newest = oldest, newest
	}
	return s
}

// overhead is the part of the budget that holds no packets.
func (c *Cache) overhead() int { return c.bytes - len(c.pages.memory) }

// horizon is the age up to which all of a log's packets are there.
func (c *Cache) horizon(l *log) (age time.Duration, complete bool) {
	if !l.loser {
		return time.Duration(c.clock.now), true
	}
	return time.Duration(c.clock.now - l.lost), false
}

package cache

import (
	"math"
	"time"

	"github.com/packetcache/packetcache/internal/record"
	"github.com/packetcache/packetcache/internal/session"
)

// A Count is a number of packets and their captured bytes.
type Count struct{ Packets, Bytes uint64 }

func (c *Count) add(packets, bytes uint64) {
	c.Packets += packets
	c.Bytes += bytes
}

func (c Count) plus(d Count) Count { return Count{c.Packets + d.Packets, c.Bytes + d.Bytes} }

// upTo is minus, and stops at 0.
func (c Count) upTo(d Count) Count {
	return c.minus(Count{min(c.Packets, d.Packets), min(c.Bytes, d.Bytes)})
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
	// RefusedByRule: its session is under a Rule of factor 0.
	RefusedByRule
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
	case RefusedByRule:
		return "left out by a retain rule"
	default:
		return "unknown"
	}
}

type counters struct {
	seen     Count
	refused  [numRefusals]Count
	restored Count
	damaged  Count
}

// ClassStats are the figures of one class.
type ClassStats struct {
	// Held is what is there now; Evicted has gone for want of room, or was cleared.
	Held, Evicted Count
	// Before was stored by earlier runs of the service, and evicted by them or not
	// restored.
	Before Count
	// Segments and Memory (in bytes, whole pages) that Held takes up.
	Segments, Memory int
	// Compressed of the segments took Unpacked bytes and take Packed now.
	Compressed, Unpacked, Packed int
	// Horizon is the age up to which every packet of the class is there.
	Horizon time.Duration
	// Complete says that none has been lost in all the time of Stats.Age.
	Complete bool
	// Next is the age of the newest packet of the segment that goes next, 0 if
	// there is none.
	Next time.Duration
	// Late says that some packets of it stand among the unanswered ones, since
	// something did follow them in the end, and go with these.
	Late bool
}

// RuleStats are the figures of a rule.
type RuleStats struct {
	Filter string
	Factor float64
	// Sessions came under it, Seen packets of them; with the factor 0 these were
	// refused.
	Sessions uint64
	Seen     Count
	// Age is for how long it has been in force.
	Age time.Duration
	// Tier, if not 0, is the one of Stats.Tiers, counted from 1, that has its
	// packets.
	Tier int
}

// TierStats are the figures of the logs that rules of one factor share.
type TierStats struct {
	Factor  float64
	Classes [NumClasses]ClassStats
}

// Stats are the figures of a cache at one moment.
type Stats struct {
	// Age is how far back the history reaches by the cache's own clock: since the
	// cache was made, or, once packets of earlier runs are restored, since that which
	// they are the history of began.
	Age time.Duration
	// Seen packets were handed to Append and Replay, Restored are of earlier runs.
	// Seen + Restored = Stored + Refused; Stored = what is held + Evicted.
	Seen, Restored, Stored, Evicted Count
	Refused                         map[Refusal]Count
	// Before was stored by earlier runs and is not among Restored.
	Before Count
	// Damaged packets count as held until their time comes, and cannot be read.
	Damaged Count
	// Classes by number, of the sessions that are under no rule or one of factor
	// 1; Unanswered is the first packets of all that nothing followed, be it that
	// they still wait or did so in vain.
	Classes    [NumClasses]ClassStats
	Unanswered ClassStats
	// Tiers are the classes of the sessions under rules of other factors.
	Tiers    []TierStats
	Rules    []RuleStats
	Sessions session.TableStats
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
// further than one packet. Sessions under a rule of another factor than 1 have
// a promise of their own; see PromiseOf. Complete says that nothing of them was ever lost.
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

// PromiseOf is PromiseAnswered for the sessions under a rule. Complete says that
// nothing of them was lost in all the time that it has been in force.
func (s *Stats) PromiseOf(r *RuleStats, class int) (age time.Duration, complete bool) {
	if r.Factor == 0 {
		return 0, false
	}
	classes := &s.Classes
	if r.Tier > 0 {
		classes = &s.Tiers[r.Tier-1].Classes
	}
	age, complete = r.Age, true
	for _, c := range classes[:class+1] {
		age, complete = min(age, c.Horizon), complete && (c.Complete || c.Horizon > r.Age)
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
		Age:      time.Duration(c.clock.now - c.beginning),
		Seen:     c.stats.seen,
		Restored: c.stats.restored,
		Refused:  map[Refusal]Count{},
		Damaged:  c.stats.damaged,
		Sessions: c.table.Stats(),
		Budget:   c.bytes,
		Used:     c.usedPages()*pageSize + c.overhead(),
	}
	s.Stored = s.Seen.plus(s.Restored)
	for r, n := range c.stats.refused {
		if n.Packets > 0 {
			s.Refused[Refusal(r)] = n
			s.Stored = s.Stored.minus(n)
		}
	}
	s.Oldest, s.Newest = math.MaxInt64, math.MinInt64
	s.Unanswered = c.logStats(&c.logs[probation], &s)
	inVain := c.logStats(&c.logs[unanswered], &s)
	s.Unanswered.join(&inVain)
	for class := range s.Classes {
		s.Classes[class] = c.logStats(&c.logs[class], &s)
	}
	for tier := 1; tier < len(c.tiers); tier++ {
		stats := TierStats{Factor: c.tiers[tier]}
		for class := range stats.Classes {
			stats.Classes[class] = c.logStats(&tierOf(c.logs, tier)[class], &s)
		}
		s.Tiers = append(s.Tiers, stats)
	}
	for i := range c.rules {
		r := &c.rules[i]
		s.Rules = append(s.Rules, RuleStats{
			Filter: r.Filter, Factor: r.Factor, Sessions: r.sessions, Seen: r.seen,
			Age: time.Duration(c.clock.now - r.since), Tier: r.tier,
		})
	}
	if s.Oldest > s.Newest {
		s.Oldest, s.Newest = 0, 0
	}
	return s
}

// logStats are the figures of a log; it brings them into those of all.
func (c *Cache) logStats(l *log, all *Stats) ClassStats {
	s := ClassStats{Evicted: l.evicted, Before: l.before, Segments: l.segments, Memory: l.pages * pageSize, Late: l.late.any}
	s.Horizon, s.Complete = c.horizon(l)
	all.Evicted = all.Evicted.plus(l.evicted)
	all.Before = all.Before.plus(l.before)
	if l.oldest != noSegment {
		s.Next = time.Duration(c.clock.now - c.segments.slots[l.oldest].newest)
	}
	for slot := l.oldest; slot != noSegment; slot = c.segments.slots[slot].next {
		seg := &c.segments.slots[slot]
		all.Oldest, all.Newest = min(all.Oldest, seg.minTime), max(all.Newest, seg.maxTime)
		held := seg.held()
		s.Held.add(held.Packets, held.Bytes)
		if seg.codec == record.Zstd {
			s.Compressed++
			s.Unpacked += int(seg.size)
			s.Packed += int(seg.packed)
		}
	}
	return s
}

// join adds the figures of another log.
func (s *ClassStats) join(other *ClassStats) {
	s.Held.add(other.Held.Packets, other.Held.Bytes)
	s.Evicted = s.Evicted.plus(other.Evicted)
	s.Before = s.Before.plus(other.Before)
	s.Segments += other.Segments
	s.Memory += other.Memory
	s.Compressed += other.Compressed
	s.Unpacked += other.Unpacked
	s.Packed += other.Packed
	s.Horizon, s.Complete = min(s.Horizon, other.Horizon), s.Complete && other.Complete
	s.Next = max(s.Next, other.Next)
}

// overhead is the part of the budget that holds no packets.
func (c *Cache) overhead() int { return c.bytes - len(c.pages.memory) }

// horizon is the age up to which all of a log's packets are there.
func (c *Cache) horizon(l *log) (age time.Duration, complete bool) {
	if !l.loser || l.lost < c.beginning {
		return time.Duration(c.clock.now - c.beginning), true
	}
	return time.Duration(c.clock.now - l.lost), false
}

package cache

import (
	"cmp"
	"math"
	"slices"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// byWeight lists the logs by how long they are kept, longest first. What still
// waits comes before all others, since it will not be there for long, and logs of
// which nothing is stored come last.
func (c *Cache) byWeight() (list []int) {
	for class := range c.logs {
		list = append(list, class)
	}
	weight := func(class int) float64 {
		l := &c.logs[class]
		switch {
		case class == probation:
			return 0
		case l.excluded:
			return math.Inf(1)
		}
		return l.weight
	}
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(weight(a), weight(b)) })
	return list
}

// addTables enters the cache's interfaces, and tables of earlier ones that are
// still in use. Interfaces without packets are left out.
func (s *Saver) addTables() {
	c := s.c
	name := func(id packet.InterfaceID) (i packet.Interface) {
		if id != noID && c.interfaces[id].stats.Stored() != (Count{}) {
			i = c.interfaces[id].Interface
		}
		return i
	}
	for number := range c.tables {
		if number > 0 && c.tables[number].users == 0 {
			continue
		}
		s.tables[number] = uint8(len(s.state.Tables))
		var list []packet.Interface
		if number == 0 {
			for id := range c.interfaces {
				list = append(list, name(packet.InterfaceID(id)))
			}
		}
		for _, id := range c.tables[number].ids {
			list = append(list, name(id))
		}
		for n := len(list); n > 0 && list[n-1].Name == ""; n = len(list) {
			list = list[:n-1]
		}
		s.state.Tables = append(s.state.Tables, list)
	}
}

// addLog enters a log, unless there is nothing to be said of it, and its segments.
func (s *Saver) addLog(class int) {
	c := s.c
	l := &c.logs[class]
	octave, tier := c.placeOf(class)
	out := record.Log{
		Class: octave, Unanswered: class == probation || class == unanswered, Factor: c.tiers[tier],
		EvictedPackets: l.evicted.Packets + l.before.Packets, EvictedBytes: l.evicted.Bytes + l.before.Bytes,
	}
	first, newest := len(s.queue), int64(math.MinInt64)
	for slot := l.oldest; slot != noSegment; slot = c.segments.slots[slot].next {
		seg := &c.segments.slots[slot]
		held := seg.held()
		if held.Packets == 0 || seg.codec == damaged {
			continue
		}
		newest = max(newest, seg.newest)
		s.queue = append(s.queue, queued{newest, slot, uint16(len(s.state.Logs)), uint16(held.Packets)})
		out.Packets += held.Packets
		out.Bytes += held.Bytes
	}
	if l.head != nil {
		s.open = append(s.open, *l.head)
	}
	if out.Segments = len(s.queue) - first; out.Segments > 0 {
		out.Newest = s.age(newest)
		slices.Reverse(s.queue[first:])
	}
	if l.loser && l.lost >= c.beginning {
		age := s.age(l.lost)
		out.Lost = &age
	}
	if l.late.any {
		out.Late = &record.Span{Oldest: s.age(l.late.oldest), Newest: s.age(l.late.newest)}
	}
	if l.leftBehind > math.MinInt64 {
		age := s.age(l.leftBehind)
		out.LeftBehind = &age
	}
	if out.Segments > 0 || out.EvictedPackets > 0 || out.Lost != nil || out.Late != nil || out.LeftBehind != nil {
		s.state.Logs = append(s.state.Logs, out)
	}
}

// placeOf is the class and the tier of a log.
func (c *Cache) placeOf(log int) (class, tier int) {
	switch {
	case log < NumClasses:
		return log, 0
	case log < tierLogs:
		return 0, 0
	}
	return (log - tierLogs) % NumClasses, 1 + (log-tierLogs)/NumClasses
}

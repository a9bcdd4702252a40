package cache

import (
	"math"
	"slices"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// A Saver gives out the cache as it was when the Saver was made, a segment at a
// time, those that stay longest first. It pins nothing: what is evicted before
// its turn comes is missing, and counted. It is not safe for concurrent use.
type Saver struct {
	c     *Cache
	state record.State
	// now, position and epoch are those of the cache when it was made, last is the
	// youngest segment that there was.
	now      int64
	position uint64
	epoch    uint32
	last     uint64
	// queue is what is still to be given out, the next one first; open are the
	// segments of it that were being written to, as they were.
	queue  []queued
	open   []segment
	tables [maxTables]uint8 // in State.Tables, by their number
	buf    []byte
	shares [record.MaxShares]record.Share
	missed uint64
	// log is the one that Next has come to, hole the cache clock of the newest packet
	// of it that was missed: if others follow, they count as no older, so that nobody
	// takes them for all there was since.
	log  int
	hole int64
}

// A queued is a segment to be given out.
type queued struct {
	newest  int64 // cache clock of its newest packet, and of all in older segments
	slot    uint32
	log     uint16 // in State.Logs
	records uint16
}

// NewSaver takes the cache as it is now.
func (c *Cache) NewSaver() *Saver {
	boot := c.boot()
	c.mu.Lock()
	segments := 0
	for class := range c.logs {
		segments += c.logs[class].segments
	}
	c.mu.Unlock()
	s := &Saver{c: c, queue: make([]queued, 0, segments), log: -1}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock.live(boot)
	c.settle()
	c.epoch++
	s.now, s.position, s.epoch, s.last = c.clock.now, c.position, c.epoch, c.segments.seq
	s.state.Age = time.Duration(c.clock.now - c.beginning)
	s.addTables()
	for i := range c.rules {
		r := &c.rules[i]
		s.state.Rules = append(s.state.Rules, record.Rule{Filter: r.Filter, Factor: r.Factor, Since: s.age(r.since)})
	}
	for _, class := range c.byWeight() {
		s.addLog(class)
	}
	return s
}

// age is for how long that time of the cache's clock has passed.
func (s *Saver) age(at int64) time.Duration { return time.Duration(max(0, s.now-at)) }

// State is what the cache knew besides its packets.
func (s *Saver) State() *record.State { return &s.state }

// Missed is how many packets had been evicted when their turn came.
func (s *Saver) Missed() uint64 { return s.missed }

// Next makes seg the next segment that is still there, and reports whether there
// was one. Its data and shares are valid until it is called again.
func (s *Saver) Next(seg *record.Segment) bool {
	for len(s.queue) > 0 {
		next := s.queue[0]
		s.queue = s.queue[1:]
		if log := int(next.log); log != s.log {
			s.log, s.hole = log, math.MinInt64
		}
		*seg = record.Segment{Log: s.log}
		if s.copy(next.slot, seg) {
			seg.Newest = s.age(max(next.newest, s.hole))
			return true
		}
		s.missed += uint64(next.records)
		s.hole = max(s.hole, next.newest)
	}
	s.End()
	return false
}

// End gives up what is left, and wipes what was copied.
func (s *Saver) End() {
	s.queue = nil
	clear(s.buf[:cap(s.buf)])
}

// copy takes a segment out if it is still there.
func (s *Saver) copy(slot uint32, out *record.Segment) bool {
	c := s.c
	c.mu.Lock()
	seg := c.segments.lookUp(slot)
	if c.closed || seg == nil || seg.seq == 0 || seg.seq > s.last || seg.codec == damaged {
		c.mu.Unlock()
		return false
	}
	was := *seg
	i := slices.IndexFunc(s.open, func(open segment) bool { return open.seq == seg.seq })
	if i >= 0 {
		was = s.open[i]
	}
	was.describe(out)
	out.Table = int(s.tables[seg.table])
	out.Behind = s.position - was.position
	shares := was.shares
	packed := seg.codec != record.Raw
	switch {
	case seg.stamped:
		shares = s.copyWaiting(seg, was.size, out)
	case !packed:
		out.Data = s.room(int(was.size))
		c.pages.read(place{page: seg.first}, out.Data)
	case i < 0:
		out.Codec, out.Tallies = seg.codec, int(seg.tallies)
		out.Data = s.room(int(seg.packed))
		c.pages.read(place{page: seg.first}, out.Data)
	}
	c.mu.Unlock()
	if out.Many = shares.many; !out.Many {
		out.Shares = shares.appendTo(s.shares[:0])
	}
	if packed && i >= 0 && !s.copyBeginning(slot, was.seq, out) {
		return false
	}
	return out.Records > 0
}

// copyBeginning takes what was there out of a segment that was being written to
// and has been compressed since.
func (s *Saver) copyBeginning(slot uint32, seq uint64, out *record.Segment) bool {
	d := s.c.decompressor
	d.begin()
	defer d.end()
	return d.unpack(s.c, slot, seq, func(raw []byte) {
		out.Data = s.room(out.Size)
		copy(out.Data, raw)
	})
}

// room is a buffer of so many bytes.
func (s *Saver) room(size int) []byte {
	if cap(s.buf) < size {
		clear(s.buf[:cap(s.buf)])
		s.buf = make([]byte, max(size, record.MaxPacked))
	}
	return s.buf[:size]
}

// copyWaiting takes the packets out of a segment of the probation log, up to size,
// that waited when the Saver was made, and returns how they are shared.
func (s *Saver) copyWaiting(seg *segment, size uint32, out *record.Segment) (shares interfaceShares) {
	c := s.c
	buf, n := s.room(int(size)+record.Room), 0
	out.Records, out.Captured = 0, 0
	out.MinTime, out.MaxTime = math.MaxInt64, math.MinInt64
	from := record.Base{None: true}
	for w := (walk{c: c, seg: seg}); w.offset < size && w.next(); {
		if w.stamp != 0 && w.stamp < s.epoch {
			continue // it had left
		}
		h := &w.header
		p := packet.Packet{Time: h.Time, Data: buf[:h.Length], OrigLen: h.Wire, Interface: h.Interface, Direction: h.Direction}
		n += record.Put(buf[n:], &p, h.Tie, from, false)
		n += c.pages.read(c.pages.forward(w.behind, record.StampSize), buf[n:][:h.Length])
		from = record.Base{Time: h.Time, Interface: h.Interface}
		out.Records++
		out.Captured += uint64(h.Length)
		out.MinTime, out.MaxTime = min(out.MinTime, h.Time), max(out.MaxTime, h.Time)
		shares.add(h.Interface, 1, h.Length)
	}
	out.Size, out.Data = n, buf[:n]
	return shares
}

// describe tells what a segment is outside of the cache, but for its bytes.
func (s *segment) describe(out *record.Segment) {
	out.Disordered = s.disordered
	out.Records, out.Size, out.Captured = int(s.records), int(s.size), s.bytes
	out.MinTime, out.MaxTime = s.minTime, s.maxTime
}

package cache

import (
	"github.com/packetcache/packetcache/internal/mem"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/session"
)

// group is how many packets are decoded and looked up before the first of
// them is stored, so that the cache misses of the session table overlap.
const group = 32

// A batch is what is known of a group of packets, and room to work in.
type batch struct {
	flows [group]session.Flow
	slots [group]int
	// wanted is the memory to be asked for.
	wanted [group]uintptr
	// scratch is where a header is built that a page's end cuts in two.
	scratch [headerRoom]byte
	// moved is a packet on its way out of the probation log.
	moved [jumbo]byte
}

// Append stores packets as they are captured, oldest first. It copies them
// and allocates nothing.
func (c *Cache) Append(packets []packet.Packet) {
	boot := c.boot()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock.live(boot)
	c.append(packets, false)
}

// Replay stores packets of the past: the cache's clock moves with their
// timestamps.
func (c *Cache) Replay(packets []packet.Packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.append(packets, true)
}

func (c *Cache) append(packets []packet.Packet, step bool) {
	if c.closed {
		return
	}
	for len(packets) > 0 {
		n := min(len(packets), group)
		c.lookUp(packets[:n])
		tick := c.clock.tick()
		for i := range packets[:n] {
			p := &packets[i]
			if step {
				c.clock.step(p.Time)
				tick = c.clock.tick()
			}
			if c.batch.slots[i] != unfit {
				c.appendOne(p, &c.batch.flows[i], c.batch.slots[i], tick)
			}
		}
		packets = packets[n:]
	}
}

// unfit stands in place of a slot for a packet that was refused on sight.
const unfit = -2

// lookUp counts and decodes a group and finds its sessions. It asks for the
// memory that the next step needs of all of them before it takes that step.
func (c *Cache) lookUp(packets []packet.Packet) {
	b := &c.batch
	var seen Count
	for i := range packets {
		p := &packets[i]
		seen.add(1, uint64(len(p.Data)))
		if int(p.Interface) >= len(c.interfaces) || len(p.Data) > packet.MaxLen {
			c.refuse(p)
			b.slots[i] = unfit
			b.flows[i].Hash = 0
		} else {
			b.slots[i] = 0
			c.decoder.Decode(c.interfaces[p.Interface].LinkType, p.Data, &b.flows[i])
		}
		b.wanted[i] = c.table.Tags(b.flows[i].Hash)
	}
	mem.Prefetch(b.wanted[:len(packets)])
	c.stats.seen.add(seen.Packets, seen.Bytes)
	for i := range packets {
		if b.slots[i] != unfit {
			b.slots[i] = c.table.Find(b.flows[i].Hash)
			b.wanted[i] = c.table.Counters(max(b.slots[i], 0))
		}
	}
	mem.Prefetch(b.wanted[:len(packets)])
}

// refuse counts a packet that cannot be stored whatever the cache holds.
func (c *Cache) refuse(p *packet.Packet) {
	bytes := uint64(len(p.Data))
	if int(p.Interface) >= len(c.interfaces) {
		c.stats.refused[RefusedInterface].add(1, bytes)
		return
	}
	stats := &c.interfaces[p.Interface].stats
	stats.Seen.add(1, bytes)
	stats.Refused.add(1, bytes)
	c.stats.refused[RefusedTooLong].add(1, bytes)
}

func (c *Cache) appendOne(p *packet.Packet, f *session.Flow, slot int, tick uint32) {
	n := len(p.Data)
	c.interfaces[p.Interface].stats.Seen.add(1, uint64(n))
	tie := c.order.next(p.Time)
	wire := min(max(p.OrigLen, uint32(n)), packet.MaxLen)
	slot, offset, event := c.table.Visit(f, slot, tick, wire)
	class := classOf(offset, n)
	if event != session.Usual {
		if event == session.Began && class == 0 {
			if c.put(probation, p, tie, c.clock.now) {
				c.table.SetPending(slot, c.newestPosition())
			}
			return
		}
		if event == session.Resumed && !c.promote(c.table.Pending(), f.Hash) {
			// Answered, it counts as one of class 0, that is gone.
			ago := tick - c.table.First(slot)
			c.logs[0].lose(min(c.clock.now, c.clock.now-(int64(ago)-1)*int64(session.Tick)))
		}
	}
	c.put(class, p, tie, c.clock.now)
}

// put stores a packet in a log, or reports false if it had to be refused. At
// is the cache clock that its age counts from.
func (c *Cache) put(class int, p *packet.Packet, tie uint16, at int64) bool {
	l := &c.logs[class]
	n := len(p.Data)
	if l.room < headerRoom+n && !c.open(class, headerRoom+n) {
		c.stats.refused[RefusedNoRoom].add(1, uint64(n))
		c.interfaces[p.Interface].stats.Refused.add(1, uint64(n))
		l.lose(at)
		return false
	}
	seg := l.head
	start := seg.size
	from := base{time: seg.lastTime, iface: seg.lastInterface, none: start == 0 || seg.stamped}
	if l.room >= headerRoom+n {
		// The common case: header and data into the page at hand.
		b := c.pages.memory[l.at:][:headerRoom+n]
		header := putHeader(b, p, tie, from, seg.stamped)
		copy(b[header:], p.Data)
		n += header
		l.at += n
		l.room -= n
	} else {
		header := putHeader(c.batch.scratch[:], p, tie, from, seg.stamped)
		c.write(l, c.batch.scratch[:header])
		c.write(l, p.Data)
		n += header
	}
	c.position += uint64(n)
	seg.size = start + uint32(n)
	seg.position = c.position
	seg.newest = max(seg.newest, at)
	if p.Time > seg.maxTime && seg.records > 0 {
		seg.maxTime = p.Time
	} else {
		seg.outOfOrder(p.Time, tie)
	}
	seg.lastTime, seg.lastTie, seg.lastInterface, seg.lastAt = p.Time, tie, p.Interface, start
	seg.bytes += uint64(len(p.Data))
	seg.records++
	if s := &seg.shares; s.n > 0 && s.id[0] == p.Interface {
		s.packets[0]++
		s.bytes[0] += uint32(len(p.Data))
	} else {
		s.add(p.Interface, len(p.Data))
	}
	if seg.records == maxRecords {
		l.seal()
	}
	return true
}

// outOfOrder books the time of a record that is not newer than all before it.
func (s *segment) outOfOrder(time int64, tie uint16) {
	s.disordered = s.disordered || s.records > 0 && (time < s.maxTime || tie < s.lastTie)
	s.minTime, s.maxTime = min(s.minTime, time), max(s.maxTime, time)
}

// open sees to it that the youngest segment of a class takes a record of at
// most size bytes and that there are pages enough for it.
func (c *Cache) open(class, size int) bool {
	l := &c.logs[class]
	for {
		if l.head != nil && int(l.head.size)+size > c.segments.size {
			l.seal()
		}
		if (size-l.room+pageSize-1)>>pageBits <= c.pages.available() {
			if l.head != nil {
				return true
			}
			if c.segments.available() {
				slot := c.segments.take()
				l.push(&c.segments, slot)
				l.head.stamped = class == probation
				return true
			}
		}
		// What is evicted may be the very segment that was to be written to.
		if !c.evict() {
			return false
		}
	}
}

// write appends bytes to the youngest segment, page by page; open has seen
// that there are enough.
func (c *Cache) write(l *log, b []byte) {
	for {
		n := copy(c.pages.memory[l.at:l.at+l.room], b)
		l.at += n
		l.room -= n
		b = b[n:]
		if len(b) == 0 {
			return
		}
		page := c.pages.take()
		seg := l.head
		if seg.pages == 0 {
			seg.first = page
		} else {
			c.pages.next[seg.last] = page
		}
		seg.last = page
		seg.pages++
		l.pages++
		l.at, l.room = int(page)<<pageBits, pageSize
	}
}

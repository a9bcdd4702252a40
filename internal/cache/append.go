package cache

import (
	"encoding/binary"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/session"
)

// group is how many packets are decoded and looked up before the first of
// them is stored, so that the cache misses of the session table overlap.
const group = 32

// A batch is what is known of a group of packets.
type batch struct {
	flows [group]session.Flow
	slots [group]int
	touch uint16
	// scratch is where a header is built that a page's end cuts in two, and
	// a packet stands on its way out of the probation log.
	scratch [maxHeader + 8 + stampSize]byte
	moved   [jumbo]byte
}

// Append stores packets as they are captured, oldest first. It copies them
// and allocates nothing.
func (c *Cache) Append(packets []packet.Packet) {
	boot := c.boot()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock.live(boot)
	c.clock.stepping = false
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
		for i := range packets[:n] {
			if step {
				c.clock.step(packets[i].Time)
			}
			c.appendOne(&packets[i], &c.batch.flows[i], c.batch.slots[i])
		}
		packets = packets[n:]
	}
}

// lookUp decodes a group and finds its sessions.
func (c *Cache) lookUp(packets []packet.Packet) {
	b := &c.batch
	for i := range packets {
		p := &packets[i]
		if int(p.Interface) < len(c.interfaces) {
			c.decoder.Decode(c.interfaces[p.Interface].LinkType, p.Data, &b.flows[i])
			b.touch += c.table.Touch(b.flows[i].Hash)
		}
	}
	for i := range packets {
		b.slots[i] = c.table.Find(b.flows[i].Hash)
	}
}

func (c *Cache) appendOne(p *packet.Packet, f *session.Flow, slot int) {
	n := len(p.Data)
	c.stats.seen.add(1, uint64(n))
	if int(p.Interface) >= len(c.interfaces) {
		c.stats.refused[RefusedInterface].add(1, uint64(n))
		return
	}
	stats := &c.interfaces[p.Interface].stats
	stats.Seen.add(1, uint64(n))
	if n > packet.MaxLen {
		stats.Refused.add(1, uint64(n))
		c.stats.refused[RefusedTooLong].add(1, uint64(n))
		return
	}
	wire := max(p.OrigLen, uint32(n))
	h := header{
		time: p.Time, length: n, wire: wire,
		iface: p.Interface, direction: p.Direction, tie: c.order.next(p.Time),
	}
	v := c.table.Visit(f, slot, c.clock.tick(), min(wire, packet.MaxLen))
	if v.HasPending {
		c.promote(v.Pending, f.Hash)
	}
	class := classOf(v.Offset, n)
	if v.New && class == 0 {
		if position, ok := c.put(probation, &h, p.Data, c.clock.now); ok {
			c.table.SetPending(v.Slot, position)
		}
		return
	}
	c.put(class, &h, p.Data, c.clock.now)
}

// put stores a packet in a log and returns where, or false if it had to be
// refused. At is the cache clock that its age counts from.
func (c *Cache) put(class int, h *header, data []byte, at int64) (position uint64, ok bool) {
	slot, ok := c.open(class, maxHeader+stampSize+len(data))
	if !ok {
		c.refuse(class, h, at)
		return 0, false
	}
	seg := &c.segments.slots[slot]
	from := base{time: seg.lastTime, iface: packet.InterfaceID(seg.lastInterface), none: seg.records == 0 || class == probation}
	position = positionOf(slot, seg)
	room := int(seg.pages)*pageSize - int(seg.size)
	if room >= maxHeader+8+stampSize+len(data) {
		// The common case: header and data into the page at hand.
		b := c.pages.bytes(seg.last)[pageSize-room:]
		n := h.put(b, from)
		if class == probation {
			binary.LittleEndian.PutUint32(b[n:], 0)
			n += stampSize
		}
		copy(b[n:], data)
		seg.size += uint32(n + len(data))
		c.position += uint64(n + len(data))
	} else {
		b := &c.batch.scratch
		n := h.put(b[:], from)
		if class == probation {
			binary.LittleEndian.PutUint32(b[n:], 0)
			n += stampSize
		}
		c.write(class, seg, b[:n])
		c.write(class, seg, data)
	}
	seg.note(h, at, c.position)
	c.logs[class].stats.Held.add(1, uint64(h.length))
	c.stats.stored.add(1, uint64(h.length))
	return position, true
}

// note books a record that has been written to the segment.
func (s *segment) note(h *header, at int64, position uint64) {
	if s.records > 0 && (h.time < s.lastTime || h.time == s.lastTime && h.tie < s.lastTie) {
		s.disordered = true
	}
	s.lastTime, s.lastTie, s.lastInterface = h.time, h.tie, uint16(h.iface)
	s.minTime, s.maxTime = min(s.minTime, h.time), max(s.maxTime, h.time)
	s.newest = max(s.newest, at)
	s.position = position
	s.bytes += uint64(h.length)
	s.records++
	s.live++
	s.shares.add(h.iface, h.length)
}

func (c *Cache) refuse(class int, h *header, at int64) {
	bytes := uint64(h.length)
	c.stats.refused[RefusedNoRoom].add(1, bytes)
	c.interfaces[h.iface].stats.Refused.add(1, bytes)
	c.logs[class].lose(at)
}

// open returns the segment of a class that takes a record of at most size
// bytes, with pages enough available for it.
func (c *Cache) open(class, size int) (slot uint32, ok bool) {
	l := &c.logs[class]
	for class == probation && l.segments > 1 && l.pages > c.pages.total/probationShare {
		c.drop(probation)
	}
	for {
		slot, need := l.youngest, size
		fits := slot != noSegment
		if fits {
			seg := &c.segments.slots[slot]
			if seg.sealed || int(seg.size)+size > c.segments.size || seg.records == maxRecords {
				seg.sealed = true
				fits = false
			} else {
				need -= int(seg.pages)*pageSize - int(seg.size)
			}
		}
		if need <= 0 || (need+pageSize-1)>>pageBits <= c.pages.available() {
			if fits {
				return slot, true
			}
			if c.segments.available() {
				slot = c.segments.take()
				c.segments.slots[slot].stamped = class == probation
				l.push(&c.segments, slot)
				return slot, true
			}
		}
		// What is evicted may be the very segment that was to be written to.
		if !c.evict() {
			return 0, false
		}
	}
}

// write appends bytes to a segment, page by page; open has seen that there
// are enough.
func (c *Cache) write(class int, seg *segment, b []byte) {
	seg.size += uint32(len(b))
	c.position += uint64(len(b))
	room := int(seg.pages)*pageSize - (int(seg.size) - len(b))
	for {
		if room > 0 {
			n := copy(c.pages.bytes(seg.last)[pageSize-room:], b)
			b = b[n:]
		}
		if len(b) == 0 {
			return
		}
		page := c.pages.take()
		if seg.pages == 0 {
			seg.first = page
		} else {
			c.pages.next[seg.last] = page
		}
		seg.last = page
		seg.pages++
		c.logs[class].pages++
		room = pageSize
	}
}

package cache

import (
	"unsafe"

	"github.com/packetcache/packetcache/internal/mem"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
	"github.com/packetcache/packetcache/internal/session"
)

// Packets are taken in groups that go through four steps one behind the
// other: while the last step is done for one group, the memory that the next
// groups need for theirs is on its way, so that nothing waits for it. A group
// is large enough to overlap the cache misses of its packets, and so small
// that the groups under way stay in the first-level cache.
const (
	group = 16
	steps = 4
)

// A batch is what is known of a group of packets.
type batch struct {
	flows [group]session.Flow
	slots [group]int
}

// A pipeline is the groups under way, and room to work in.
type pipeline struct {
	batches [steps]batch
	// wanted is the memory to be asked for.
	wanted [2 * group]uintptr
	// scratch is where a header is built that a page's end cuts in two.
	scratch [record.Room]byte
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
	if c.begun && c.compressor != nil {
		select {
		case c.compressor.work <- struct{}{}:
		default:
		}
	}
	c.begun = false
}

// Replay stores packets of the past: the cache's clock moves with their
// timestamps. It also indexes and compresses what is full by then: there is no
// capture that this could delay.
func (c *Cache) Replay(packets []packet.Packet) {
	for more := c.replay(packets); more; {
		more = c.tendNext()
	}
}

// replay reports whether there is something to compress.
func (c *Cache) replay(packets []packet.Packet) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.append(packets, true)
	begun := c.begun
	c.begun = false
	return begun && c.compressor != nil
}

func (c *Cache) append(packets []packet.Packet, step bool) {
	if c.closed {
		return
	}
	for at := 0; at < len(packets)+(steps-1)*group; at += group {
		c.approach(part(packets, at))
		c.decode(part(packets, at-group), c.pipeline.of(at-group))
		c.find(part(packets, at-2*group), c.pipeline.of(at-2*group))
		c.insert(part(packets, at-3*group), c.pipeline.of(at-3*group), step)
	}
	c.settle()
}

// part is the group of packets that begins at an index, empty before the first
// and behind the last.
func part(packets []packet.Packet, at int) []packet.Packet {
	if at < 0 || at >= len(packets) {
		return nil
	}
	return packets[at:min(at+group, len(packets))]
}

// of is the batch of the group that begins at an index.
func (l *pipeline) of(at int) *batch { return &l.batches[uint(at/group)%steps] }

// approach asks for the headers of large packets, which lie apart; the
// processor sees by itself that small ones are read one after the other.
func (c *Cache) approach(packets []packet.Packet) {
	const (
		large   = 256
		headers = 48 // of what nearly every packet is, up to the TCP flags
	)
	wanted, n := &c.pipeline.wanted, 0
	for i := range packets {
		if data := packets[i].Data; len(data) >= large {
			wanted[n%len(wanted)] = uintptr(unsafe.Pointer(&data[0]))
			wanted[(n+1)%len(wanted)] = uintptr(unsafe.Pointer(&data[headers-1]))
			n += 2
		}
	}
	mem.Prefetch(wanted[:n])
}

// unfit stands in place of a slot for a packet that was refused on sight.
const unfit = -2

// decode counts and decodes packets, and asks for where their sessions may be.
func (c *Cache) decode(packets []packet.Packet, b *batch) {
	var seen Count
	var from *interfaceState
	for i := range packets {
		p := &packets[i]
		f := &b.flows[i]
		if int(p.Interface) >= len(c.interfaces) || len(p.Data) > packet.MaxLen {
			c.refuse(p)
			b.slots[i] = unfit
			f.Hash = 0
		} else {
			if state := &c.interfaces[p.Interface]; state != from {
				c.see(from, seen)
				from, seen = state, Count{}
			}
			seen.add(1, uint64(len(p.Data)))
			b.slots[i] = 0
			c.decoder.Decode(from.LinkType, p.Data, f)
		}
		c.pipeline.wanted[i] = c.table.Tags(f.Hash)
	}
	c.see(from, seen)
	mem.Prefetch(c.pipeline.wanted[:len(packets)])
}

// see counts packets of one interface.
func (c *Cache) see(from *interfaceState, seen Count) {
	if from != nil {
		from.stats.Seen.add(seen.Packets, seen.Bytes)
		c.stats.seen.add(seen.Packets, seen.Bytes)
	}
}

// refuse counts a packet that cannot be stored whatever the cache holds.
func (c *Cache) refuse(p *packet.Packet) {
	bytes := uint64(len(p.Data))
	c.stats.seen.add(1, bytes)
	if int(p.Interface) >= len(c.interfaces) {
		c.stats.refused[RefusedInterface].add(1, bytes)
		return
	}
	stats := &c.interfaces[p.Interface].stats
	stats.Seen.add(1, bytes)
	stats.Refused.add(1, bytes)
	c.stats.refused[RefusedTooLong].add(1, bytes)
}

// turnAway counts a packet that is not stored as things are.
func (c *Cache) turnAway(why Refusal, p *packet.Packet) {
	bytes := uint64(len(p.Data))
	c.stats.refused[why].add(1, bytes)
	c.interfaces[p.Interface].stats.Refused.add(1, bytes)
}

// find looks the sessions up, and asks for their counters.
func (c *Cache) find(packets []packet.Packet, b *batch) {
	for i := range packets {
		if b.slots[i] != unfit {
			b.slots[i] = c.table.Find(b.flows[i].Hash)
		}
		c.pipeline.wanted[i] = c.table.Counters(max(b.slots[i], 0))
	}
	mem.Prefetch(c.pipeline.wanted[:len(packets)])
}

// insert counts packets for their sessions, and stores them as these stand.
func (c *Cache) insert(packets []packet.Packet, b *batch, step bool) {
	tick := c.clock.tick()
	for i := range packets {
		p := &packets[i]
		if step {
			c.clock.step(p.Time)
			tick = c.clock.tick()
		}
		if b.slots[i] == unfit {
			continue
		}
		n := len(p.Data)
		tie := c.order.next(p.Time)
		wire := min(max(p.OrigLen, uint32(n)), packet.MaxLen)
		slot, offset, event := c.table.Visit(&b.flows[i], b.slots[i], tick, wire)
		class := classOf(offset, n)
		if event == session.Usual {
			if len(c.rules) > 0 {
				if r := c.under(slot); r != nil {
					r.seen.add(1, uint64(n))
					class += r.first
				}
			}
			c.put(class, p, tie, c.clock.now)
		} else {
			c.insertRare(class, p, tie, &b.flows[i], slot, event, tick)
		}
	}
}

// insertRare stores packets of a session that begins, which concern the
// probation log.
func (c *Cache) insertRare(class int, p *packet.Packet, tie uint16, f *session.Flow, slot int, event session.Event, tick uint32) {
	if event == session.Began {
		c.decide(slot, p, max(p.OrigLen, uint32(len(p.Data))))
	}
	first := 0
	if r := c.under(slot); r != nil {
		r.seen.add(1, uint64(len(p.Data)))
		first = r.first
	}
	if event != session.Resumed && class == 0 && !c.logs[first].excluded {
		if c.put(probation, p, tie, c.clock.now) {
			c.table.SetPending(slot, f, c.newestPosition())
		}
		return
	}
	if event == session.Resumed {
		c.resume(f.Hash, first, tick)
	}
	c.put(first+class, p, tie, c.clock.now)
}

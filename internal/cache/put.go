package cache

import (
	"math"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// A run is what has been stored in a log's open segment and is not yet in the
// segment's books: records of one interface, each newer than the one before
// it, and whole within a page. It is all that storing such a packet touches;
// settle brings the books up to date.
type run struct {
	// iface is whose packets can join the run, noInterface for none.
	iface uint32
	// records it has, of the most it can have.
	records, most uint32
	bytes         uint64 // captured bytes of its packets
	size          uint32 // bytes used of the page
	// Of the newest record: its timestamp, and the cache's position behind it.
	time     int64
	position uint64
	// at is the cache clock of the one that was seen last.
	at int64
}

const (
	// noInterface is the number of no interface.
	noInterface = 1 << 16
	// maxGap bounds the time between two records of a run, in nanoseconds.
	maxGap = 1 << 40
)

// put stores a packet in a log, or reports false if it had to be refused. At
// is the cache clock that its age counts from.
func (c *Cache) put(class int, p *packet.Packet, tie uint16, at int64) bool {
	l := &c.logs[class]
	n := len(p.Data)
	gap := p.Time - l.run.time
	if l.room < record.Room+n || l.run.records >= l.run.most || uint32(p.Interface) != l.run.iface ||
		p.Time <= l.run.time || uint64(gap) > maxGap || tie != 0 || p.OrigLen > uint32(n) {
		return c.putRare(l, class, p, tie, at)
	}
	// Nearly all are like this.
	b := c.pages.memory[l.at:][:record.Room+n]
	size := record.PutNext(b, uint64(gap), n, p.Direction)
	copy(b[size:], p.Data)
	size += n
	l.at += size
	l.room -= size
	c.position += uint64(size)
	l.run.size += uint32(size)
	l.run.records++
	l.run.bytes += uint64(n)
	l.run.time, l.run.position = p.Time, c.position
	l.run.at = max(l.run.at, at) // of a first packet that was answered, at is earlier
	return true
}

// settle brings the books of all open segments up to date.
func (c *Cache) settle() {
	for class := range c.logs {
		c.logs[class].settle()
	}
}

// settle ends the run, if there is one.
func (l *log) settle() {
	r := &l.run
	if r.records == 0 {
		return
	}
	seg := l.head
	seg.size += r.size
	seg.position = r.position
	seg.newest = max(seg.newest, r.at)
	seg.maxTime = max(seg.maxTime, r.time)
	seg.lastTime, seg.lastTie = r.time, 0
	seg.bytes += r.bytes
	seg.records += r.records
	seg.shares.add(packet.InterfaceID(r.iface), int(r.records), int(r.bytes))
	r.records, r.bytes, r.size, r.at = 0, 0, 0, math.MinInt64
}

// putRare is put for any packet.
func (c *Cache) putRare(l *log, class int, p *packet.Packet, tie uint16, at int64) bool {
	l.settle()
	n := len(p.Data)
	if l.excluded {
		c.turnAway(RefusedByRule, p)
		l.lose(at)
		return false
	}
	if l.room < record.Room+n && !c.open(class, record.Room+n) {
		c.turnAway(RefusedNoRoom, p)
		l.lose(at)
		return false
	}
	seg := l.head
	start := seg.size
	from := record.Base{Time: seg.lastTime, Interface: seg.lastInterface, None: start == 0 || seg.stamped}
	if l.room >= record.Room+n {
		b := c.pages.memory[l.at:][:record.Room+n]
		header := record.Put(b, p, tie, from, seg.stamped)
		copy(b[header:], p.Data)
		n += header
		l.at += n
		l.room -= n
	} else {
		header := record.Put(c.pipeline.scratch[:], p, tie, from, seg.stamped)
		c.write(l, c.pipeline.scratch[:header])
		c.write(l, p.Data)
		n += header
	}
	if !seg.stamped {
		// A flood is not what the newest bytes are spared for.
		c.position += uint64(n)
	}
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
	seg.shares.add(p.Interface, 1, len(p.Data))
	l.run = run{iface: uint32(p.Interface), most: record.MaxRecords - 1 - min(seg.records, record.MaxRecords-1), time: p.Time, at: math.MinInt64}
	if seg.stamped {
		l.run.iface = noInterface
	}
	if seg.records == record.MaxRecords {
		l.seal()
	}
	return true
}

// outOfOrder books the time of a record that is not newer than all before it.
func (s *segment) outOfOrder(time int64, tie uint16) {
	s.disordered = s.disordered || s.records > 0 && (time < s.maxTime || tie&^record.Moved < s.lastTie&^record.Moved)
	s.minTime, s.maxTime = min(s.minTime, time), max(s.maxTime, time)
}

// open sees to it that the youngest segment of a class takes a record of at
// most size bytes and that there are pages enough for it.
func (c *Cache) open(class, size int) bool {
	l := &c.logs[class]
	full := c.segments.size
	if class == probation {
		full = c.waitingSize()
	}
	if l.head != nil && int(l.head.size)+size > full {
		l.seal()
	}
	if class == probation && l.head == nil {
		c.passOn()
	}
	for {
		if (size-l.room+pageSize-1)>>pageBits <= c.pages.available() {
			if l.head != nil {
				return true
			}
			if c.segments.available() {
				slot := c.segments.take()
				l.push(&c.segments, slot)
				if class == probation {
					l.head.stamped = true
					c.waiting.push(slot)
				}
				l.begun = c.clock.now
				c.begun = true
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

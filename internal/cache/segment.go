package cache

import (
	"math"

	"github.com/packetcache/packetcache/internal/mem"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// Bounds of a segment.
const (
	minSegment = 16 << 10
	maxSegment = record.MaxPacked
	// maxSegments is what a position in the probation log can name.
	maxSegments = 1 << slotBits
)

// noSegment ends a list.
const noSegment = ^uint32(0)

// damaged is the codec of what cannot be read any more.
const damaged record.Codec = 0xff

// A segment is a run of records of one class in a chain of pages. The
// descriptor stands outside the Go heap and holds no pointers.
type segment struct {
	// seq numbers the segments in the order they were begun, from 1, so that
	// a reader can tell whether a slot still holds what it held; 0 is free.
	seq uint64
	// minTime and maxTime are the packets' least and greatest timestamps.
	minTime, maxTime int64
	// newest is the cache clock when the newest packet was appended.
	newest int64
	// position is the cache's position behind the newest packet.
	position uint64
	// lastTime is what the next record's time is told relative to.
	lastTime      int64
	bytes         uint64 // captured bytes of its packets
	first, last   uint32 // pages
	pages         uint32
	size          uint32 // bytes of its records
	packed        uint32 // bytes used of the pages once it is compressed
	records       uint32
	left          uint32 // records that have left the probation log
	next          uint32 // the next younger segment of the class, or of the free list
	lastInterface packet.InterfaceID
	lastTie       uint16
	tallies       uint16       // at the front of what is compressed; see compressor.tally
	index         uint16       // bytes of it at the end of the last page, 0 if there is none
	lastAt        uint32       // offset of the newest record
	codec         record.Codec // of a sealed segment; an open one is raw
	// disordered says that some packet is older than the one before it.
	disordered bool
	// stamped says that its records carry stamps: it is of the probation log.
	stamped bool
	shares  interfaceShares
	// table says how the numbers of interfaces are to be read; see tables.go.
	table uint8
	// restored says that it was, and has not been looked at since: its records may
	// not be what it says, and have no index.
	restored bool
}

// A segmentPool hands out descriptors.
type segmentPool struct {
	slots []segment
	size  int // bytes at which a segment is sealed
	free  uint32
	// touched slots have been handed out at least once.
	touched int
	seq     uint64
}

// resize gives the pool so many slots. Fewer are right only after tidy, and as
// many as are touched at least.
func (p *segmentPool) resize(memory []byte, n, size int) {
	p.slots, _ = mem.Carve[segment](memory, n)
	p.size = size
}

// tidy has touched end at the last slot in use.
func (p *segmentPool) tidy() {
	for p.touched > 0 && p.slots[p.touched-1].seq == 0 {
		p.touched--
	}
	p.free = noSegment
	for slot := p.touched - 1; slot >= 0; slot-- {
		if p.slots[slot].seq == 0 {
			p.give(uint32(slot))
		}
	}
}

// lookUp returns the segment in a slot, or nil if that has gone.
func (p *segmentPool) lookUp(slot uint32) *segment {
	if int(slot) >= len(p.slots) {
		return nil
	}
	return &p.slots[slot]
}

// available reports whether a descriptor can be taken.
func (p *segmentPool) available() bool { return p.free != noSegment || p.touched < len(p.slots) }

// take begins a segment; the caller has seen that a descriptor is available.
func (p *segmentPool) take() uint32 {
	slot := p.free
	if slot != noSegment {
		p.free = p.slots[slot].next
	} else {
		slot = uint32(p.touched)
		p.touched++
	}
	p.seq++
	p.slots[slot] = segment{
		seq: p.seq, first: noPage, last: noPage, next: noSegment,
		minTime: math.MaxInt64, maxTime: math.MinInt64,
	}
	return slot
}

func (p *segmentPool) give(slot uint32) {
	p.slots[slot] = segment{next: p.free}
	p.free = slot
}

// used is how many bytes of its pages are records, or what these have become.
func (s *segment) used() int {
	if s.codec == record.Raw {
		return int(s.size)
	}
	return int(s.packed)
}

// held is what a segment holds that is to be read.
func (s *segment) held() Count { return Count{uint64(s.records - s.left), s.bytes} }

// A log is the FIFO of a class's segments.
type log struct {
	oldest, youngest uint32
	// head is the youngest segment while it is open, else nil; at is where in
	// the memory of the pages it goes on, room what is left of that page.
	head     *segment
	begun    int64 // the cache clock when it was
	at, room int
	// raw is the oldest segment that the compressor has not looked at, plain the
	// oldest that has not been indexed, bare likewise of those that were restored.
	// Skip is how many are to be left as they are, poor how many in a row gained
	// little.
	raw, plain, bare uint32
	skip, poor       int
	low              bool // of one of the lowClasses
	run              run
	segments         int
	pages            int
	// weight is how many times as old its packets count as, when some have to
	// go; excluded says that none may come to it.
	weight   float64
	excluded bool
	// leftBehind is the cache clock when sessions were last taken out of the tier of
	// the log: what came by then may be theirs.
	leftBehind int64
	evicted    Count
	// before is what was stored in earlier runs and is not here.
	before Count
	// late is when the first packets of sessions came that belong to it and
	// stand in the unanswered log.
	late span
	// lost is the cache clock of the newest packet that was evicted or
	// refused; see horizon.
	lost  int64
	loser bool // whether anything was
}

func (l *log) init() {
	l.oldest, l.youngest = noSegment, noSegment
	l.raw, l.plain, l.bare = noSegment, noSegment, noSegment
	l.leftBehind = math.MinInt64
}

// push adds a segment as the youngest.
func (l *log) push(p *segmentPool, slot uint32) {
	if l.youngest == noSegment {
		l.oldest = slot
	} else {
		p.slots[l.youngest].next = slot
	}
	l.youngest = slot
	if l.raw == noSegment {
		l.raw = slot
	}
	if l.plain == noSegment {
		l.plain = slot
	}
	l.head, l.at, l.room = &p.slots[slot], 0, 0
	l.segments++
}

// seal closes the youngest segment: nothing is written to it any more.
func (l *log) seal() {
	l.head, l.room = nil, 0
}

// pop removes the oldest segment.
func (l *log) pop(p *segmentPool) {
	if l.raw == l.oldest {
		// The compressor cannot keep up. What comes next would have gone
		// before it is at it, too.
		l.raw = l.youngest
	}
	next := p.slots[l.oldest].next
	if l.plain == l.oldest {
		l.plain = next
	}
	if l.bare == l.oldest {
		l.bare = next
	}
	l.oldest = next
	if l.oldest == noSegment {
		l.youngest, l.raw = noSegment, noSegment
		l.head, l.room = nil, 0
	}
	l.segments--
}

package seal

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

const (
	// maxOpen bounds how many segments are merged at once, each of which takes up
	// to 330 KiB. Where more overlap, the one whose next packet is furthest away
	// makes room and is opened again when its turn comes.
	maxOpen = 128
	// maxParked bounds how often a segment does so. Only timestamps gone mad come
	// to it; then some packets come late.
	maxParked = 1<<8 - 1
)

// Packets are those of a file in the order of time. Those of the same time come
// in the order in which they were captured.
type Packets struct {
	f            *File
	since, until int64
	unpacker     *unpacker
	todo         []due // not open, the one with the oldest packet last
	open         openSegments
	spare        []*openSegment
	taken        bool // the packet of open[0] has been given out
	frame        []byte
	lost         Count
	why          error
}

// A due is a segment to open, or to go on with.
type due struct {
	time    int64 // of the next packet
	segment int32 // its index in File.segments
	passed  uint16
	parked  uint8
}

// Packets returns those with timestamps from since to until, both inclusive, in
// nanoseconds since the Unix epoch. Close is to be called on it.
func (f *File) Packets(since, until int64) (*Packets, error) {
	u, err := newUnpacker()
	if err != nil {
		return nil, err
	}
	p := &Packets{f: f, since: since, until: until, unpacker: u}
	for i := range f.segments {
		if s := &f.segments[i]; s.maxTime >= since && s.minTime <= until {
			p.todo = append(p.todo, due{time: s.minTime, segment: int32(i)})
		}
	}
	slices.SortFunc(p.todo, later)
	return p, nil
}

func later(a, b due) int {
	return cmp.Or(cmp.Compare(b.time, a.time), cmp.Compare(a.segment, b.segment))
}

// Next makes pkt the next packet, whose data are valid until the next call and
// whose interface is one of File.Interfaces. It reports false at the end.
func (p *Packets) Next(pkt *packet.Packet) bool {
	for {
		if p.taken {
			p.advance()
		}
		p.openDue()
		if len(p.open) == 0 {
			return false
		}
		p.taken = true
		r := p.open[0].next()
		if r.time < p.since || r.time > p.until {
			continue
		}
		*pkt = packet.Packet{
			Time: r.time, Data: r.data, OrigLen: r.wire, Interface: r.iface, Direction: r.direction,
		}
		return true
	}
}

// Lost is what was there when the file was opened and could not be read any more,
// and why.
func (p *Packets) Lost() (Count, error) { return p.lost, p.why }

// Close overwrites what was read in memory.
func (p *Packets) Close() {
	for _, s := range append(p.spare, p.open...) {
		clear(s.raw[:cap(s.raw)])
	}
	clear(p.frame)
	p.unpacker.close()
	p.open, p.spare, p.todo, p.taken = nil, nil, nil, false
}

// advance passes over the packet that was given out.
func (p *Packets) advance() {
	p.taken = false
	s := p.open[0]
	if s.at++; s.at < len(s.records) {
		heap.Fix(&p.open, 0)
		return
	}
	heap.Pop(&p.open)
	p.spare = append(p.spare, s)
}

// openDue opens the segments whose oldest packet may be the next.
func (p *Packets) openDue() {
	for len(p.todo) > 0 {
		next := p.todo[len(p.todo)-1]
		if len(p.open) > 0 && next.time > p.open[0].next().time {
			return
		}
		if len(p.open) == maxOpen && !p.park(next.time) {
			return
		}
		p.todo = p.todo[:len(p.todo)-1]
		s := &openSegment{}
		if n := len(p.spare); n > 0 {
			s, p.spare = p.spare[n-1], p.spare[:n-1]
		}
		if err := p.load(s, next); err != nil {
			have := max(len(s.records), int(next.passed))
			p.lost.Segments++
			p.lost.Packets += uint64(int(p.f.segments[next.segment].records) - have)
			p.why = err
		}
		if s.at < len(s.records) {
			heap.Push(&p.open, s)
		} else {
			p.spare = append(p.spare, s)
		}
	}
}

// park puts the segment whose next packet is furthest away back among those to
// be opened, if it is newer than time.
func (p *Packets) park(time int64) bool {
	latest := -1
	for i, s := range p.open {
		if s.parked < maxParked && s.next().time > time && (latest < 0 || p.open.Less(latest, i)) {
			latest = i
		}
	}
	if latest < 0 {
		return false
	}
	s := heap.Remove(&p.open, latest).(*openSegment)
	p.spare = append(p.spare, s)
	back := due{time: s.next().time, segment: s.segment, passed: uint16(s.at), parked: s.parked + 1}
	at, _ := slices.BinarySearchFunc(p.todo, back, later)
	p.todo = slices.Insert(p.todo, at, back)
	return true
}

// load reads a segment and puts its records in order. With an error some of them
// may be there all the same.
func (p *Packets) load(s *openSegment, from due) error {
	s.records, s.segment, s.at, s.parked = s.records[:0], from.segment, int(from.passed), from.parked
	place := &p.f.segments[from.segment]
	if cap(p.frame) < int(place.length) {
		p.frame = make([]byte, place.length)
	}
	frame := p.frame[:place.length]
	if _, err := p.f.chunks.ReadAt(frame, place.at); err != nil {
		return err
	}
	var seg record.Segment
	err := getSegment(&seg, (*[segmentHeader]byte)(frame), frame[segmentHeader:])
	if err == nil {
		err = check(&seg, &p.f.Head.State)
	}
	if err != nil {
		return err
	}
	raw, err := p.unpacker.records(&seg, s.raw)
	if err != nil {
		return err
	}
	s.raw = raw
	return s.list(&seg, p.f.numbers[seg.Table])
}

// An openSegment is one whose packets are being read.
type openSegment struct {
	raw     []byte
	records []listed // in the order of time
	at      int      // the next of them
	segment int32
	parked  uint8
}

// A listed record is one that can be read without those before it.
type listed struct {
	time      int64
	data      []byte
	wire      uint32
	iface     packet.InterfaceID
	tie       uint16
	direction packet.Direction
}

func (s *openSegment) next() *listed { return &s.records[s.at] }

// list lists the records of a segment, whose interfaces have these numbers.
func (s *openSegment) list(seg *record.Segment, numbers []packet.InterfaceID) error {
	var err error
	whole := record.Each(s.raw, false, func(_ int, h *record.Header, data []byte) bool {
		switch {
		case int(h.Interface) >= len(numbers) || numbers[h.Interface] == noInterface:
			err = fmt.Errorf("a packet is of interface %d, which is not there", h.Interface)
		case len(s.records) == seg.Records:
			err = fmt.Errorf("there are more records than %d", seg.Records)
		default:
			s.records = append(s.records, listed{
				time: h.Time, data: data, wire: h.Wire,
				iface: numbers[h.Interface], tie: h.Place(), direction: h.Direction,
			})
		}
		return err == nil
	})
	if err == nil && (!whole || len(s.records) < seg.Records) {
		err = fmt.Errorf("the records make no sense behind %d of %d", len(s.records), seg.Records)
	}
	if !slices.IsSortedFunc(s.records, inOrder) {
		slices.SortStableFunc(s.records, inOrder)
	}
	return err
}

func inOrder(a, b listed) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.tie, b.tie))
}

// openSegments are a heap, the one with the oldest packet first.
type openSegments []*openSegment

func (o openSegments) Len() int { return len(o) }

// Less has what is older within a log, and so stands further back in the file,
// come first of the same time.
func (o openSegments) Less(a, b int) bool {
	order := inOrder(*o[a].next(), *o[b].next())
	return order < 0 || order == 0 && o[a].segment > o[b].segment
}
func (o openSegments) Swap(a, b int) { o[a], o[b] = o[b], o[a] }
func (o *openSegments) Push(x any)   { *o = append(*o, x.(*openSegment)) }
func (o *openSegments) Pop() any {
	last := (*o)[len(*o)-1]
	*o = (*o)[:len(*o)-1]
	return last
}

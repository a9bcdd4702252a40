package cache

import (
	"cmp"
	"math"
	"net/netip"
	"slices"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// A Query says which packets to read.
type Query struct {
	// Since and Until bound the packets' timestamps, both inclusive, in
	// nanoseconds since the Unix epoch; math.MinInt64 and math.MaxInt64 leave
	// them open. All is both open.
	Since, Until int64
	// Addresses spares the reader packets that do not have, where
	// session.Addresses finds them, an address of each of these sets. Some of
	// them come all the same: what is read is segments that may have others.
	Addresses [][]netip.Addr
}

// All is the query for every packet.
var All = Query{Since: math.MinInt64, Until: math.MaxInt64}

// A Reader returns packets in the order of their timestamps, as the cache was
// when Begin was called: what comes later is not seen, what is evicted before
// it is reached is missing and counted. It copies pieces of segments out
// under a short lock and pins nothing. A Reader takes about 1 MiB, which it
// keeps for the next Begin; it is not safe for concurrent use.
type Reader struct {
	c     *Cache
	query Query
	epoch uint32
	// wanted are the query's addresses.
	wanted wanted
	// last is the youngest segment there was; segments that were open may
	// have grown since, so their size then is kept.
	last uint64
	open []openSegment // by seq
	// after says that it shows what came after the moment since, and not what had.
	after  bool
	since  Mark
	todo   []segmentRef // not yet begun, the one with the oldest packet first
	heap   []*cursor    // begun, the one with the oldest packet first
	spare  []*cursor
	taken  bool      // heap[0] stands at a record that has been passed
	lent   bool      // the windows must stand still: records of them are in a batch
	list   []sortKey // the records of a segment, while some are chosen
	large  []byte    // a record that is larger than a cursor's window
	total  uint64
	passed uint64
	now    moment // when it began
	active bool
	// cleared is how often the cache had been cleared when it began.
	cleared uint32
}

// An openSegment is a log's youngest segment, as it was.
type openSegment struct {
	seq           uint64
	size, records uint32
	slot          uint32
	log           uint32
}

// A segmentRef is a segment to begin, or to go on with; minTime is the timestamp
// of the next record.
type segmentRef struct {
	minTime int64
	slot    uint32
	// records of a segment to begin are those to be read when the reader began;
	// of one to go on with, those that have been passed, in their order.
	records uint16
	parked  uint8 // how often it made room, 0 if it is to begin
}

const (
	// maxCursors bounds how many segments are merged at once. A first packet
	// that was answered a minute later stands among those of that time, so far
	// more can overlap; then the one whose next packet is furthest away makes
	// room and is begun again when its turn comes.
	maxCursors = 128
	// maxParked bounds how often a segment does so, since finding its place
	// again takes time. Only timestamps gone mad come to it; then some packets
	// come late.
	maxParked = 1<<8 - 1
)

// NewReader makes a reader of the cache.
func (c *Cache) NewReader() *Reader { return &Reader{c: c} }

// Begin takes the cache as it is now.
func (r *Reader) Begin(q Query) {
	r.stop()
	c := r.c
	c.decompressor.begin()
	r.active = true
	r.query, r.wanted, r.after = q, c.want(q.Addresses), false
	c.mu.Lock()
	r.look()
	for class := range c.logs {
		l := &c.logs[class]
		for slot := l.oldest; slot != noSegment; slot = c.segments.slots[slot].next {
			seg := &c.segments.slots[slot]
			if seg.maxTime >= q.Since && seg.minTime <= q.Until {
				held := seg.records - seg.left
				r.todo = append(r.todo, segmentRef{minTime: seg.minTime, slot: slot, records: uint16(held)})
				r.total += uint64(held)
			}
		}
	}
	c.mu.Unlock()
	r.sort()
}

// look notes how far the cache has come.
func (r *Reader) look() {
	c := r.c
	r.cleared = c.cleared.Load()
	c.epoch++
	r.epoch = c.epoch
	r.last = c.segments.seq
	r.now = c.moment()
	r.open = r.open[:0]
	for i := range c.logs {
		if slot := c.logs[i].youngest; slot != noSegment {
			seg := &c.segments.slots[slot]
			r.open = append(r.open, openSegment{seg.seq, seg.size, seg.records, slot, uint32(i)})
		}
	}
}

// sort puts what there is to read in its order.
func (r *Reader) sort() {
	slices.SortFunc(r.open, func(a, b openSegment) int { return cmp.Compare(a.seq, b.seq) })
	slices.SortFunc(r.todo, inTodo)
}

// inTodo is the order of todo: the next to begin stands last.
func inTodo(a, b segmentRef) int {
	return cmp.Or(cmp.Compare(b.minTime, a.minTime), cmp.Compare(b.slot, a.slot))
}

// End gives up what is left to read, and wipes what was copied.
func (r *Reader) End() {
	if r.active {
		r.wipe()
	}
	r.stop()
}

// wipe gives up what is left to read and clears what was copied.
func (r *Reader) wipe() {
	r.spare = append(r.spare, r.heap...)
	r.heap, r.todo, r.taken = r.heap[:0], r.todo[:0], false
	for _, cur := range r.spare {
		clear(cur.window[:cap(cur.window)])
	}
	clear(r.large)
}

// stop gives up what is left to read.
func (r *Reader) stop() {
	r.spare = append(r.spare, r.heap...)
	r.heap, r.todo = r.heap[:0], r.todo[:0]
	r.taken, r.lent = false, false
	r.total, r.passed = 0, 0
	if r.active {
		r.c.decompressor.end()
		r.active = false
	}
}

// Read fills batch with the next packets and returns how many it put there: at
// least one, or 0 at the end. Their data are valid until the next call.
func (r *Reader) Read(batch []packet.Packet) (n int) {
	r.lent = false
	if r.cleared != r.c.cleared.Load() {
		r.wipe()
	}
	for n < len(batch) {
		if r.taken {
			switch r.advance(r.heap[0]) {
			case mustMove:
				return n
			case atEnd:
				r.finish()
			case atRecord:
				r.sink(0)
			}
			r.taken = false
		}
		if !r.beginDue() || len(r.heap) == 0 {
			return n
		}
		cur := r.heap[0]
		if cur.large && r.lent {
			return n
		}
		r.taken = true
		if !r.take(cur, &batch[n]) {
			continue
		}
		n++
		if cur.large {
			return n
		}
		r.lent = true
		n += r.run(cur, batch[n:])
	}
	return n
}

// take gives out the record a cursor stands at if the query wants it.
func (r *Reader) take(cur *cursor, p *packet.Packet) bool {
	h := &cur.header
	gone := cur.stamp != 0 && cur.stamp < r.epoch
	if r.after {
		// Each packet where it came first, and nowhere else.
		gone = h.Tie&record.Moved != 0
	}
	wanted := h.Time >= r.query.Since && h.Time <= r.query.Until
	if gone || !wanted {
		if !gone {
			r.passed++
		}
		return false
	}
	var data []byte
	if cur.large {
		if data = r.fetchLarge(cur); data == nil {
			return false
		}
	} else {
		data = cur.window[cur.dataAt-cur.start:][:h.Length]
	}
	r.passed++
	h.Fill(p, data)
	p.Interface = translate(cur.ids, p.Interface)
	return true
}

// Missing is how many packets were evicted before they could be read; what has
// not been read yet and is still there does not count.
func (r *Reader) Missing() uint64 {
	if known := r.passed + r.ahead(); known < r.total {
		return r.total - known
	}
	return 0
}

// ahead is how many packets are still to be read, of those that are there. What
// has left the probation log and is not to be read may be among them.
func (r *Reader) ahead() (n uint64) {
	c := r.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0
	}
	for _, ref := range r.todo {
		if seg := c.segments.lookUp(ref.slot); seg != nil && seg.seq != 0 && seg.seq <= r.last {
			if ref.parked > 0 { // and has been begun
				n += uint64(seg.records) - uint64(ref.records)
			} else {
				n += uint64(ref.records)
			}
		}
	}
	for _, cur := range r.heap {
		if seg := c.segments.lookUp(cur.ref.slot); seg != nil && seg.seq == cur.seq {
			n += uint64(cur.records) - uint64(cur.passed)
		}
	}
	if r.taken { // it stands at one that has been read
		n--
	}
	return n
}

// beginDue begins the segments whose oldest packet may be the next. It reports
// false if that has to wait for the next batch.
func (r *Reader) beginDue() bool {
	for len(r.todo) > 0 {
		ref := r.todo[len(r.todo)-1]
		if len(r.heap) > 0 && ref.minTime > r.heap[0].header.Time {
			return true
		}
		if r.lacks(ref) {
			r.todo = r.todo[:len(r.todo)-1]
			r.passed += uint64(ref.records)
			continue
		}
		if r.lent {
			return false
		}
		if len(r.heap) == maxCursors && !r.park(ref.minTime) {
			return true
		}
		r.todo = r.todo[:len(r.todo)-1]
		cur, passed := r.cursor(), uint16(0)
		if ref.parked > 0 {
			passed = ref.records
		}
		if r.begin(cur, ref, passed) == atRecord {
			r.heap = append(r.heap, cur)
			r.rise(len(r.heap) - 1)
		} else {
			r.spare = append(r.spare, cur)
		}
	}
	return true
}

// park puts the cursor whose next packet is furthest away back among those to
// be begun, behind the one that is to be begun now, if it is newer than time.
func (r *Reader) park(time int64) bool {
	latest := -1
	for i, cur := range r.heap {
		if cur.ref.parked < maxParked && cur.header.Time > time && (latest < 0 || before(r.heap[latest], cur)) {
			latest = i
		}
	}
	if latest < 0 {
		return false
	}
	cur, last := r.heap[latest], len(r.heap)-1
	r.heap[latest] = r.heap[last]
	r.heap = r.heap[:last]
	if latest < last {
		r.sink(latest)
		r.rise(latest)
	}
	r.spare = append(r.spare, cur)
	ref := cur.ref
	ref.minTime, ref.records = cur.header.Time, cur.passed
	ref.parked++
	at, _ := slices.BinarySearchFunc(r.todo, ref, inTodo)
	r.todo = slices.Insert(r.todo, at, ref)
	return true
}

func (r *Reader) cursor() *cursor {
	if n := len(r.spare); n > 0 {
		cur := r.spare[n-1]
		r.spare = r.spare[:n-1]
		return cur
	}
	size := windowSize
	if len(r.heap) >= manyCursors {
		size = smallWindow
	}
	return &cursor{window: make([]byte, 0, size)}
}

// finish takes the first cursor, which is at its end, off the heap.
func (r *Reader) finish() {
	cur, n := r.heap[0], len(r.heap)-1
	r.heap[0] = r.heap[n]
	r.heap = r.heap[:n]
	r.sink(0)
	r.spare = append(r.spare, cur)
}

func before(a, b *cursor) bool {
	if a.header.Time != b.header.Time {
		return a.header.Time < b.header.Time
	}
	return a.header.Place() < b.header.Place()
}

// rise moves a cursor that may be older than those above it to its place.
func (r *Reader) rise(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !before(r.heap[i], r.heap[parent]) {
			return
		}
		r.heap[i], r.heap[parent] = r.heap[parent], r.heap[i]
		i = parent
	}
}

// sink moves a cursor that may be newer than those below it to its place.
func (r *Reader) sink(i int) {
	for {
		child := 2*i + 1
		if child >= len(r.heap) {
			return
		}
		if other := child + 1; other < len(r.heap) && before(r.heap[other], r.heap[child]) {
			child = other
		}
		if !before(r.heap[child], r.heap[i]) {
			return
		}
		r.heap[i], r.heap[child] = r.heap[child], r.heap[i]
		i = child
	}
}

// Package cache keeps packets in a fixed share of memory and forgets them
// cleverly: every session's bytes are divided by their offset in the session
// into classes, one per octave, and what lies further in is forgotten sooner.
//
// Each class is a FIFO of segments, chains of pages to which packets are
// copied once. When a page is needed and none is free, the class whose oldest
// segment has the highest age x 2^(bias x class) loses that segment whole.
// docs/architecture.md tells more.
package cache

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/session"
)

// MinBytes is the smallest budget that a cache works in. The service asks for
// more, so that there is some use in it: config.MinBudget.
const MinBytes = 4 << 20

// Options are how a Cache is made.
type Options struct {
	// Bytes is the budget for packets, session table and bookkeeping, at least
	// MinBytes.
	Bytes int
	// Most is what Resize may make of Bytes: so much address space is reserved.
	// Less than Bytes means Bytes.
	Most int
	// Bias is how much sooner a class is forgotten than the one below it, in
	// octaves of age: 0 is a plain ring, 2 the default.
	Bias float64
	// Compress has segments compressed once they are full: by a goroutine of the
	// cache, as far as the machine has time to spare, or in the course of Replay.
	Compress bool
	// Boot reads a clock that never goes back and counts sleep, in
	// nanoseconds; nil is the system's.
	Boot func() int64
	// Unlocked, if not nil, is told why the memory cannot be locked against
	// paging to disk, once as long as that is so, by a goroutine of the cache.
	Unlocked func(error)
	// Damaged, if not nil, is told of packets that were lost because what was
	// compressed could not be read.
	Damaged func(error)
}

// A Cache holds packets. Its methods may be called from several goroutines.
type Cache struct {
	store    *store
	most     int
	boot     func() int64
	unlocked func(error)
	damaged  func(error)

	resizing sync.Mutex // held during Resize and Close, before mu

	mu         sync.Mutex
	closed     bool
	bytes      int // the whole budget
	bias       float64
	clock      clock
	beginning  int64 // of the history by the clock: 0, or earlier once that is restored
	decoder    *session.Decoder
	table      *session.Table
	interfaces []interfaceState
	links      []packet.LinkType // of the interfaces; what is there stays as it is
	tables     []table
	numbers    map[interfaceName]packet.InterfaceID
	pages      pagePool
	segments   segmentPool
	logs       []log
	rules      []rule
	cleared    atomic.Uint32 // how often it was
	// wiped is the seq of the youngest segment that Clear is to wipe, 0 when there is
	// none at work.
	wiped    uint64
	restorer *Restorer // until it ends
	restored bool      // one has been made
	tiers    []float64 // their factors; see tiers.go
	// position counts the bytes ever appended: the newest protected bytes are
	// never a victim.
	position  uint64
	protected uint64
	// outlived is the score of what was evicted last for its age.
	outlived float64
	// epoch counts the readers that have begun; see probation.go.
	epoch uint32
	// arranged counts the arrangements of the logs.
	arranged uint32
	waiting  waiting
	order    orderOf
	begun    bool // a segment was, so that the one before it may be compressed
	stats    counters
	pipeline pipeline

	populator    populator
	compressor   *compressor // nil if nothing is to be compressed
	decompressor *decompressor
}

// New makes an empty cache.
func New(o Options) (*Cache, error) {
	if o.Bytes < MinBytes {
		return nil, fmt.Errorf("making a cache of %d bytes: it needs at least %d", o.Bytes, MinBytes)
	}
	if o.Boot == nil {
		o.Boot = bootClock()
	}
	most := max(o.Most, o.Bytes)
	store, err := newStore(most)
	if err != nil {
		return nil, err
	}
	c := &Cache{
		store:    store,
		most:     most,
		bias:     o.Bias,
		boot:     o.Boot,
		unlocked: o.Unlocked,
		damaged:  o.Damaged,
		decoder:  session.NewDecoder(),
		numbers:  map[interfaceName]packet.InterfaceID{},
		tables:   make([]table, 1),
		logs:     make([]log, tierLogs),
		tiers:    []float64{1},
		outlived: math.Inf(1),
		epoch:    1, // 0 marks a record that has not left the probation log
	}
	c.clock.start(o.Boot())
	l := layOut(o.Bytes, 0)
	if err = store.resize(l); err == nil {
		store.live.Huge()
		c.table, err = session.NewTable(store.live.Bytes(), store.ended.Bytes())
	}
	if err == nil && o.Compress {
		c.compressor, err = newCompressor()
	}
	if err == nil {
		c.decompressor, err = newDecompressor()
	}
	if err != nil {
		_ = store.region.Close()
		return nil, err
	}
	c.segments.free, c.pages.free, c.waiting.next = noSegment, noPage, noSegment
	c.use(o.Bytes, l)
	for class := range c.logs {
		c.logs[class].init()
	}
	c.weigh()
	c.populator = newPopulator()
	go c.populate()
	if c.compressor != nil {
		go c.compressAlong()
	}
	return c, nil
}

// SetBias changes how much sooner a class is forgotten than the one below it.
func (c *Cache) SetBias(bias float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bias = bias
	c.weigh()
}

// LockError says why the cache may be paged to disk; nil if it can't be. On
// Windows that is known once the memory has been populated; see
// Options.Unlocked.
func (c *Cache) LockError() error { return c.store.region.LockError() }

// Close wipes the packets and gives the memory back. Readers that are still
// at work find nothing more.
func (c *Cache) Close() error {
	c.mu.Lock()
	closed := c.closed
	c.closed = true
	c.mu.Unlock()
	if closed {
		return nil
	}
	c.resizing.Lock() // it ends early
	defer c.resizing.Unlock()
	close(c.populator.stop)
	<-c.populator.done
	if c.compressor != nil {
		close(c.compressor.stop)
		<-c.compressor.done
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for class := range c.logs { // their segments are about to be unmapped
		l := &c.logs[class]
		*l = log{evicted: l.evicted, lost: l.lost, loser: l.loser, weight: l.weight, excluded: l.excluded}
		l.init()
	}
	c.waiting.next, c.waiting.passed = noSegment, 0
	c.store.contents.Untouched(c.pages.touched * pageSize)
	return c.store.region.Close()
}

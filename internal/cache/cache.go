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
	"sync"
	"unsafe"

	"github.com/packetcache/packetcache/internal/mem"
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/session"
)

// MinBytes is the smallest budget.
const MinBytes = 8 << 20

// Options are how a Cache is made.
type Options struct {
	// Bytes is the budget for packets, session table and bookkeeping, at least
	// MinBytes less the eighth that capture rings may take of it.
	Bytes int
	// Bias is how much sooner a class is forgotten than the one below it, in
	// octaves of age: 0 is a plain ring, 2 the default.
	Bias float64
	// Boot reads a clock that never goes back and counts sleep, in
	// nanoseconds; nil is the system's.
	Boot func() int64
}

// A Cache holds packets. Its methods may be called from several goroutines.
type Cache struct {
	region *mem.Region
	bytes  int // of the region, the whole budget
	bias   float64
	boot   func() int64

	mu         sync.Mutex
	closed     bool
	clock      clock
	decoder    *session.Decoder
	table      *session.Table
	interfaces []interfaceState
	numbers    map[interfaceName]packet.InterfaceID
	pages      pagePool
	segments   segmentPool
	logs       [NumClasses + 1]log
	// position counts the bytes ever appended: the newest protected bytes are
	// never a victim.
	position  uint64
	protected uint64
	// epoch counts the readers that have begun; see probation.go.
	epoch uint32
	order orderOf
	stats counters
	batch batch

	populator populator
}

// New makes an empty cache.
func New(o Options) (*Cache, error) {
	if o.Bytes < MinBytes-MinBytes/8 {
		return nil, fmt.Errorf("making a cache of %d bytes: it needs at least %d", o.Bytes, MinBytes)
	}
	if o.Boot == nil {
		o.Boot = bootClock()
	}
	region, err := mem.New(o.Bytes)
	if err != nil {
		return nil, err
	}
	c := &Cache{
		region:    region,
		bytes:     o.Bytes,
		bias:      o.Bias,
		boot:      o.Boot,
		decoder:   session.NewDecoder(),
		numbers:   map[interfaceName]packet.InterfaceID{},
		protected: uint64(o.Bytes / 8),
		epoch:     1, // 0 marks a record that has not left the probation log
	}
	c.clock.start(o.Boot())
	if err := c.layOut(region.Bytes()[:o.Bytes]); err != nil {
		_ = region.Close(0)
		return nil, err
	}
	c.populator = newPopulator()
	go c.populate()
	return c, nil
}

// layOut divides the region: 1/32 for live sessions, 1/128 for summaries of
// ended ones, then the descriptors of segments and the links of pages, and
// all else for pages.
func (c *Cache) layOut(memory []byte) error {
	take := func(n int) []byte {
		n = (n + 63) &^ 63 // whole cache lines
		part := memory[:n:n]
		memory = memory[n:]
		return part
	}
	budget := len(memory)
	live, ended := take(budget/32), take(budget/128)
	c.region.Huge(len(live))
	var err error
	if c.table, err = session.NewTable(live, ended); err != nil {
		return err
	}
	size := min(max(budget/256, minSegment), maxSegment)
	size -= size % pageSize
	// Three times as many descriptors as full segments fit, since segments
	// shrink when they are compressed and some are cut short.
	n := min(3*budget/size+4*len(c.logs), maxSegments)
	descriptors := take(n * int(unsafe.Sizeof(segment{})))
	c.segments.init(descriptors, n, size)
	pages := (len(memory) - 64) / (pageSize + int(unsafe.Sizeof(uint32(0))))
	links := take(pages * int(unsafe.Sizeof(uint32(0))))
	c.pages.init(memory[len(memory)-pages*pageSize:], links, pages)
	for class := range c.logs {
		c.logs[class].init()
	}
	return nil
}

// LockError says why the cache may be paged to disk; nil if it can't be.
func (c *Cache) LockError() error { return c.region.LockError() }

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
	close(c.populator.stop)
	<-c.populator.done
	c.mu.Lock()
	defer c.mu.Unlock()
	for class := range c.logs { // their segments are about to be unmapped
		l := &c.logs[class]
		*l = log{evicted: l.evicted, lost: l.lost, loser: l.loser}
		l.init()
	}
	memory := c.region.Bytes()
	touched := len(memory) - len(c.pages.memory) + c.pages.touched*pageSize
	return c.region.Close(touched)
}

package dump

import (
	"context"
	"sync"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
	"github.com/packetcache/packetcache/internal/packet"
)

// batchLen is how many packets are formatted in a row. Few windows of the
// cache hold more.
const batchLen = 64

// A desk is what a dump works with: a reader of the cache with its windows, and
// two buffers, one of which is filled while the other is written.
type desk struct {
	reader   *cache.Reader
	batch    [batchLen]packet.Packet
	buf      []byte
	spare    []byte
	writing  time.Time // since when, zero if nothing is being written
	cut      func()    // ends the write under way
	gaveWay  bool      // cut has been called
	occupied bool
}

// desks lends out Parallel desks. They are made when first needed and few keep
// their memory, so that an idle service does not hold it.
type desks struct {
	cache *cache.Cache
	turns chan struct{}

	mu      sync.Mutex
	all     [Parallel]desk
	waiting int
	follows int // those that wait for packets
	served  uint64
}

// kept is how many idle desks keep their memory.
const kept = 1

func newDesks(c *cache.Cache) *desks {
	return &desks{cache: c, turns: make(chan struct{}, Parallel)}
}

// tryTake returns a desk if one is free, else nil.
func (d *desks) tryTake() *desk {
	select {
	case d.turns <- struct{}{}:
		return d.occupy()
	default:
		return nil
	}
}

// take waits for a turn, behind those that wait already, and after GiveWay cuts
// off a reader that holds it up.
func (d *desks) take(ctx context.Context) (*desk, error) {
	d.wait(+1)
	defer d.wait(-1)
	taken := make(chan struct{})
	defer close(taken)
	go d.hurry(taken) // who looked up from waiting would go to the end of the queue
	select {
	case d.turns <- struct{}{}:
		return d.occupy(), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// hurry looks every second for a reader to cut off, until a turn is taken.
func (d *desks) hurry(taken <-chan struct{}) {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		select {
		case <-taken:
			return
		case <-look.C:
			d.cutSlowest()
		}
	}
}

func (d *desks) wait(change int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting += change
}

// rest notes that a dump waits for packets and needs no desk, or does so no longer.
func (d *desks) rest(change int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.follows += change
}

// occupy chooses a desk for who has a turn, one that has its memory if it can.
func (d *desks) occupy() *desk {
	d.mu.Lock()
	defer d.mu.Unlock()
	var free *desk
	for i := range d.all {
		if at := &d.all[i]; !at.occupied && (free == nil || at.reader != nil) {
			free = at
		}
	}
	free.occupied = true
	if free.reader == nil {
		free.reader = d.cache.NewReader()
		free.buf, free.spare = make([]byte, 0, bufferSize), make([]byte, 0, bufferSize)
	}
	return free
}

// leave gives a desk back.
func (d *desks) leave(at *desk) {
	at.reader.End()
	d.mu.Lock()
	at.occupied, at.cut = false, nil
	at.batch = [batchLen]packet.Packet{}
	idle := 0
	for i := range d.all {
		if !d.all[i].occupied && d.all[i].reader != nil {
			idle++
		}
	}
	if idle > kept+d.waiting { // those who wait take it over
		at.reader, at.buf, at.spare = nil, nil, nil
	}
	d.mu.Unlock()
	<-d.turns
}

// beginWrite notes that a write begins, which cut ends.
func (d *desks) beginWrite(at *desk, cut func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at.writing, at.cut = time.Now(), cut
}

// endWrite notes that it has ended, and reports whether it was cut off. One that
// was, and was just done, has not stalled yet.
func (d *desks) endWrite(at *desk) (gaveWay bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	gaveWay, at.gaveWay = at.gaveWay, false
	at.writing = time.Time{}
	return gaveWay
}

// cutSlowest cuts off the dump whose reader has taken nothing for longest, if
// that is for GiveWay.
func (d *desks) cutSlowest() {
	d.mu.Lock()
	defer d.mu.Unlock()
	var slowest *desk
	for i := range d.all {
		at := &d.all[i]
		if !at.writing.IsZero() && !at.gaveWay && (slowest == nil || at.writing.Before(slowest.writing)) {
			slowest = at
		}
	}
	if slowest != nil && time.Since(slowest.writing) >= GiveWay {
		slowest.gaveWay = true
		slowest.cut()
	}
}

func (d *desks) count() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.served++
}

func (d *desks) activity() (active, waiting int, served uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.all {
		if d.all[i].occupied {
			active++
		}
	}
	return active + d.follows, d.waiting, d.served
}

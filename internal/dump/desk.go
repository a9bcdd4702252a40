package dump

import (
	"context"
	"sync"

	"github.com/packetcache/packetcache/internal/cache"
)

// A desk is what a dump works with: a reader of the cache with its windows,
// and a buffer for what goes out.
type desk struct {
	reader *cache.Reader
	buf    []byte
}

// desks lends out Parallel desks. They are made when first needed and few are
// kept, so that an idle service does not hold their memory.
type desks struct {
	cache *cache.Cache
	turns chan struct{}

	mu      sync.Mutex
	idle    []*desk
	active  int
	waiting int
	served  uint64
}

// kept is how many idle desks are not given back.
const kept = 1

func newDesks(c *cache.Cache) desks {
	return desks{cache: c, turns: make(chan struct{}, Parallel)}
}

// take waits for a turn.
func (d *desks) take(ctx context.Context) (*desk, error) {
	d.change(0, +1)
	defer d.change(0, -1)
	select {
	case d.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	d.change(+1, 0)
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.idle); n > 0 {
		free := d.idle[n-1]
		d.idle = d.idle[:n-1]
		return free, nil
	}
	return &desk{reader: d.cache.NewReader(), buf: make([]byte, 0, bufferSize)}, nil
}

func (d *desks) leave(free *desk) {
	d.mu.Lock()
	if len(d.idle) < kept {
		d.idle = append(d.idle, free)
	}
	d.active--
	d.mu.Unlock()
	<-d.turns
}

func (d *desks) change(active, waiting int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.active += active
	d.waiting += waiting
}

func (d *desks) count() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.served++
}

func (d *desks) activity() (active, waiting int, served uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.active, d.waiting, d.served
}

package cache

import "time"

// Memory that is touched for the first time has to be found and cleared by
// the system, which in a virtual machine can take longer than a fast link
// takes to overrun the capture ring. So all of the budget, which is
// taken anyway, is populated after the start, and what comes to it later,
// behind the back of the capture: as fast as it goes while less than lead is there, then at a pace that leaves
// half of a core.
const (
	lead         = 64 << 20
	populateStep = 8 << 20
	populatePace = 10 * time.Millisecond
)

// A populator can be told to stop, and to look for more to do.
type populator struct {
	stop, done chan struct{}
	more       chan struct{}
}

func newPopulator() populator {
	return populator{make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)}
}

// goOn has memory populated that was added.
func (p *populator) goOn() {
	select {
	case p.more <- struct{}{}:
	default:
	}
}

// goesOnAfter waits, and reports false if it was told to stop.
func (p *populator) goesOnAfter(pause time.Duration) bool {
	if pause == 0 {
		select {
		case <-p.stop:
			return false
		default:
			return true
		}
	}
	select {
	case <-p.stop:
		return false
	case <-time.After(pause):
		return true
	}
}

// populate works until it is told to stop.
func (c *Cache) populate() {
	defer close(c.populator.done)
	told := false
	tell := func() {
		err := c.LockError()
		if err != nil && !told && c.unlocked != nil {
			c.unlocked(err)
		}
		told = err != nil
	}
	for {
		tell()
		if !c.populateAll() {
			return
		}
		tell()
		select {
		case <-c.populator.more:
		case <-c.populator.stop:
			return
		}
	}
}

// populateAll begins with the session table and goes on with the pages in their
// order. It reports false if it was told to stop.
func (c *Cache) populateAll() bool {
	for _, part := range c.store.parts() {
		populated, more := 0, true
		for more {
			var pause time.Duration
			if part == c.store.contents && c.usedTo()+lead < populated {
				pause = populatePace
			}
			if !c.populator.goesOnAfter(pause) {
				return false
			}
			populated, more = part.Populate(populateStep)
		}
	}
	// From here on Linux makes huge pages of it, in its own time.
	for _, part := range c.store.parts() {
		part.Huge()
	}
	return true
}

// usedTo is how much of the pages' memory has been touched.
func (c *Cache) usedTo() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pages.touched * pageSize
}

package cache

import "time"

// Memory that is touched for the first time has to be found and cleared by
// the system, which in a virtual machine can take longer than a fast link
// takes to overrun the capture ring. So all of the budget, which is fixed
// anyway, is populated after the start, behind the back of the capture:
// as fast as it goes while less than lead is there, then at a pace that leaves
// half of a core.
const (
	lead         = 64 << 20
	populateStep = 8 << 20
	populatePace = 10 * time.Millisecond
)

// A populator can be told to stop.
type populator struct{ stop, done chan struct{} }

func newPopulator() populator { return populator{make(chan struct{}), make(chan struct{})} }

// populate begins with the session table, which is used all over from the
// start, and goes on with the pages in their order, to the end of the region.
func (c *Cache) populate() {
	defer close(c.populator.done)
	pace := time.NewTicker(populatePace)
	defer pace.Stop()
	pagesAt := c.bytes - len(c.pages.memory)
	for at := 0; at < c.bytes; at += populateStep {
		if c.usedTo()+pagesAt+lead < at {
			select {
			case <-pace.C:
			case <-c.populator.stop:
				return
			}
		}
		select {
		case <-c.populator.stop:
			return
		default:
			c.region.Populate(at, min(populateStep, c.bytes-at))
		}
	}
	// From here on Linux makes huge pages of it, in its own time.
	c.region.Huge(c.bytes)
}

// usedTo is how much of the pages' memory has been touched.
func (c *Cache) usedTo() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pages.touched * pageSize
}

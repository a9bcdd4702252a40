package cache

// lead is how much memory is populated ahead of what is in use, in bytes:
// a burst then meets memory that is there. Linux takes about a microsecond
// for a page of its own and half a millisecond for a huge one, and a virtual
// machine whose host has to find the memory many times that, during which a
// fast link overruns the capture ring.
const lead = 32 << 20

// populateStep is how much is populated in one call.
const populateStep = 2 << 20

// A populator walks ahead of the pages in use.
type populator struct {
	wake chan struct{}
	stop chan struct{}
	done chan struct{}
	// until is how many pages may be touched before it has to go on.
	until int
}

func newPopulator() populator {
	return populator{wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
}

// populate puts memory behind the session table first, which is used all over from the
// beginning, and then goes ahead of the pages until all of them have it.
func (c *Cache) populate(pagesAt int) {
	defer close(c.populator.done)
	for at := 0; at < pagesAt; at += populateStep {
		c.region.Populate(at, min(populateStep, pagesAt-at))
	}
	for at := 0; at < len(c.pages.memory); at += populateStep {
		for {
			c.mu.Lock()
			ahead := at - c.pages.touched*pageSize
			// Woken at half the lead, so that it is there for a burst.
			c.populator.until = (at - lead/2) >> pageBits
			c.mu.Unlock()
			if ahead < lead {
				break
			}
			select {
			case <-c.populator.wake:
			case <-c.populator.stop:
				return
			}
		}
		select {
		case <-c.populator.stop:
			return
		default:
			c.region.Populate(pagesAt+at, min(populateStep, len(c.pages.memory)-at))
		}
	}
}

// hurry wakes the populator when it should go on.
func (p *populator) hurry() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

package cache

import (
	"runtime"
	"time"
)

// shares are what compression may take of one processor.
type shares struct {
	// all is for all of it in the long run; what was not used is kept, for up
	// to burst at once.
	all float64
	// low is for low classes, which are what the cache is for and a small part
	// of the traffic. They need not wait for the above, but are kept to this.
	low float64
}

const burst = time.Second / 2

// atRest are the shares on a machine that has something to spare, inBusy those
// on one that has not: a megabyte a second is then left for the low classes,
// and the capture has the rest.
func atRest() shares { return shares{all: 1. / 50, low: 1. / 4} }
func inBusy() shares { return shares{all: 1. / 250, low: 1. / 80} }

const (
	// A machine is busy that has less than spare processors idle.
	spare = 0.5
	// sample is for how long that is measured.
	sample = time.Second / 5
)

// A pace says when compression may go on.
type pace struct {
	left time.Duration // of what it may take, at the time at
	at   time.Time
	// The last segment took so long, up to then.
	took time.Duration
	till time.Time
	shares

	measured    time.Time
	idle, total uint64 // as they were then
}

// newPace begins with what may be kept.
func newPace(now time.Time) *pace {
	return &pace{left: burst, at: now, till: now, shares: atRest()}
}

// wait is how long a segment, of a low class or not, has to wait until it is worth
// asking again; 0 if it need not.
func (p *pace) wait(low bool, now time.Time) time.Duration {
	p.left = min(p.left+time.Duration(float64(now.Sub(p.at))*p.all), burst)
	p.at = now
	wait := p.till.Add(time.Duration(float64(p.took) * (1/p.low - 1))).Sub(now)
	if p.left < 0 && !low {
		wait = max(wait, time.Duration(float64(-p.left)/p.all))
	}
	if p.shares == inBusy() {
		wait = min(wait, sample) // the machine may be at rest by then
	}
	return wait
}

// spend books what a segment took.
func (p *pace) spend(now time.Time, took time.Duration) {
	p.left = max(p.left-took, -burst)
	p.took, p.till = took, now
}

// look sees once in a while how busy the machine is. What it was long before
// says nothing: when there is something to do again, packets may have begun to
// pour in.
func (p *pace) look(now time.Time) {
	since := now.Sub(p.measured)
	if since < sample {
		return
	}
	p.measured = now
	idle, total := processorTime()
	if since > 5*sample {
		p.total = 0
	}
	p.judge(idle, total, runtime.NumCPU())
}

// judge takes the times of so many processors up to now. It is careful as long
// as it does not know, and takes a machine that does not say for one at rest.
func (p *pace) judge(idle, total uint64, processors int) {
	switch {
	case total == 0:
		p.shares = atRest()
	case p.total == 0:
		p.shares = inBusy()
	case total > p.total && idle >= p.idle:
		p.shares = atRest()
		if float64(idle-p.idle)/float64(total-p.total)*float64(processors) < spare {
			p.shares = inBusy()
		}
	}
	p.idle, p.total = idle, total
}

// compressAlong indexes and compresses what is sealed, until it is told to stop.
// It falls behind rather than take what others need.
func (c *Cache) compressAlong() {
	z := c.compressor
	defer close(z.done)
	p := newPace(time.Now())
	for {
		select {
		case <-z.work:
		case <-z.stop:
			return
		}
		for {
			low, found := c.compressible()
			if !found {
				break
			}
			now := time.Now()
			p.look(now)
			if wait := p.wait(low, now); wait > 0 {
				lower := z.work
				if low {
					lower = nil // thousands a second may be begun
				}
				select {
				case <-time.After(wait):
				case <-lower:
				case <-z.stop:
					return
				}
				continue
			}
			c.tendNext()
			p.spend(time.Now(), time.Since(now))
		}
	}
}

package cache

import (
	"runtime"
	"time"
)

// What compression may take of one processor.
const (
	// share is for all of it in the long run; what was not used is kept, for up
	// to burst at once.
	share = 1. / 50
	burst = time.Second / 2
	// Low classes are what the cache is for and a small part of the traffic.
	// They need not wait for that, but are kept to this.
	lowShare = 1. / 4
	// A machine is busy that has less than spare processors idle. It gets
	// along with a part of the above.
	spare    = 0.5
	busyPart = 1. / 5
	// sample is for how long that is measured.
	sample = time.Second
)

// A pace says when compression may go on.
type pace struct {
	left time.Duration // of what it may take, at the time at
	at   time.Time
	next time.Time // not before
	part float64   // of the shares: 1, or busyPart

	measured    time.Time
	idle, total uint64 // as they were then
}

// newPace begins with what may be kept.
func newPace(now time.Time) *pace { return &pace{left: burst, at: now, next: now, part: 1} }

// wait is how long a segment, of a low class or not, has to wait yet.
func (p *pace) wait(low bool, now time.Time) time.Duration {
	p.left = min(p.left+time.Duration(float64(now.Sub(p.at))*share*p.part), burst)
	p.at = now
	wait := p.next.Sub(now)
	if p.left < 0 && !low {
		wait = max(wait, time.Duration(float64(-p.left)/(share*p.part)))
	}
	return wait
}

// spend books what a segment took.
func (p *pace) spend(now time.Time, took time.Duration) {
	p.left = max(p.left-took, -burst)
	p.next = now.Add(time.Duration(float64(took) * (1/(lowShare*p.part) - 1)))
}

// look sees once in a while how busy the machine is.
func (p *pace) look(now time.Time) {
	if now.Sub(p.measured) < sample {
		return
	}
	p.measured = now
	idle, total := processorTime()
	p.judge(idle, total, runtime.NumCPU())
}

// judge takes the times of so many processors up to now.
func (p *pace) judge(idle, total uint64, processors int) {
	if p.total > 0 && total > p.total && idle >= p.idle {
		p.part = 1
		if float64(idle-p.idle)/float64(total-p.total)*float64(processors) < spare {
			p.part = busyPart
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
				select {
				case <-time.After(wait):
				case <-z.work: // it may be of a lower class
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

package capture

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A Config is what the Loop is to capture from. It can be changed while the
// Loop runs.
type Config struct {
	// Include are names and patterns (path.Match) of interfaces to capture
	// from; empty means all, except those that have no traffic of their own,
	// such as loopback: these have to be asked for by their exact name.
	Include []string
	// Exclude are names and patterns of interfaces to leave alone. It wins.
	Exclude []string
	// Promiscuous asks for frames that are addressed to others, too.
	Promiscuous bool
	// Filter keeps packets out.
	Filter Filter
	// RingBytes is the memory for the buffers of all interfaces together.
	RingBytes int
	// MinRing and MaxRing bound the buffer of one interface, in bytes; 0 means
	// DefaultMinRing and DefaultMaxRing.
	MinRing, MaxRing int
}

// Bounds of one interface's buffer in bytes, unless Config says otherwise.
const (
	DefaultMinRing = 256 << 10
	DefaultMaxRing = 64 << 20
)

const (
	firstBackoff = time.Second // before an interface that failed is tried again
	lastBackoff  = time.Minute // doubling up to this
	steady       = time.Minute // what worked so long begins with firstBackoff again
	checkDrops   = 5 * time.Second
	relist       = 5 * time.Second        // when the platform could not list or watch
	calm         = 100 * time.Millisecond // between two lists when changes come in heaps
	keepGone     = 64                     // interfaces that are gone and still shown
)

// A Loop keeps the right interfaces captured: it follows the platform's list
// and the Config, opens and closes sources, tries failed ones again, and
// accounts for all of it. No failure of an interface ends it.
type Loop struct {
	platform Platform
	sink     Sink
	report   func(Event)

	inbox   chan func() // what sources' goroutines have the Loop do
	changed chan struct{}
	settled chan struct{} // closed: see Settled

	mu      sync.Mutex // guards all below; written to by Run's goroutine only
	cfg     Config
	lanes   map[string]*lane
	running int
	events  []Event
	// Times at which Run has to do something; zero for never.
	listAt, checkAt, watchAt, listed time.Time
	listErr                          string
}

// NewLoop prepares a Loop. Report gets events, one at a time; it may be nil. It
// must not wait for the Loop, other than through Status.
func NewLoop(p Platform, sink Sink, cfg Config, report func(Event)) *Loop {
	if report == nil {
		report = func(Event) {}
	}
	return &Loop{
		platform: p,
		sink:     sink,
		report:   report,
		cfg:      cfg,
		inbox:    make(chan func()),
		changed:  make(chan struct{}, 1),
		settled:  make(chan struct{}),
		lanes:    make(map[string]*lane),
	}
}

// SetConfig changes what is captured. Interfaces that stay selected go on
// without a gap unless the filter, the promiscuous mode or, with less memory
// for rings, their ring must change.
func (l *Loop) SetConfig(cfg Config) {
	l.mu.Lock()
	l.cfg = cfg
	l.mu.Unlock()
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// Run captures until ctx is done and returns when all sources have delivered
// what they had. It is called once.
func (l *Loop) Run(ctx context.Context) {
	hints := l.watch(ctx)
	l.step(func() { l.listAt = time.Now() })
	for ctx.Err() == nil {
		var wake <-chan time.Time
		if next := l.next(); !next.IsZero() {
			wake = time.After(time.Until(next))
		}
		select {
		case <-ctx.Done():
		case do := <-l.inbox:
			l.step(do)
		case <-l.changed:
			l.step(func() { l.listAt = time.Now() })
		case _, ok := <-hints:
			if !ok {
				hints = nil
			}
			l.step(func() { l.hinted(ok) })
		case <-wake:
		}
		if l.due(&l.watchAt) {
			hints = l.watch(ctx)
		}
		if l.due(&l.listAt) {
			links, err := l.platform.Links()
			l.step(func() { l.reconcile(ctx, links, err) })
		}
		if l.due(&l.checkAt) {
			l.step(l.countDrops)
		}
	}
	l.step(l.stopAll)
	for l.busy() {
		l.step(<-l.inbox)
	}
}

// Settled is closed when each interface that was there when Run began is captured, or
// it is known why not.
func (l *Loop) Settled() <-chan struct{} { return l.settled }

// settleDown closes Settled when it is time. Sources are opened on goroutines of their
// own.
func (l *Loop) settleDown() {
	select {
	case <-l.settled:
		return
	default:
	}
	for _, a := range l.lanes {
		if a.run != nil && !a.status.Announced {
			return
		}
	}
	if !l.listed.IsZero() {
		close(l.settled)
	}
}

// step changes the Loop's state and then reports what happened.
func (l *Loop) step(do func()) {
	l.mu.Lock()
	do()
	l.settleDown()
	events := l.events
	l.events = nil
	l.mu.Unlock()
	for _, e := range events {
		l.report(e)
	}
}

// watch asks for hints, and for another try if there are none to be had.
func (l *Loop) watch(ctx context.Context) <-chan struct{} {
	hints, err := l.platform.Watch(ctx)
	if err != nil {
		l.step(func() {
			l.watchAt, l.listAt = time.Now().Add(relist), time.Now()
			l.listFailed(err)
		})
		return nil
	}
	return hints
}

// hinted plans the next listing: at once, or soon if the last was just now. A
// watch that has ended is begun again, and what it missed is listed.
func (l *Loop) hinted(alive bool) {
	now := time.Now()
	at := now
	if soonest := l.listed.Add(calm); soonest.After(now) {
		at = soonest
	}
	if !alive {
		at = now.Add(firstBackoff)
		l.watchAt = at
	}
	if l.listAt.IsZero() || at.Before(l.listAt) {
		l.listAt = at
	}
}

// next is the earliest time at which something is due.
func (l *Loop) next() (next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, at := range []time.Time{l.listAt, l.checkAt, l.watchAt} {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// due reports whether the time has come, and clears it if so.
func (l *Loop) due(at *time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at.IsZero() || time.Now().Before(*at) {
		return false
	}
	*at = time.Time{}
	return true
}

// busy reports whether sources are still running.
func (l *Loop) busy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running > 0
}

func (l *Loop) stopAll() {
	for _, a := range l.lanes {
		l.stop(a, "the service stops")
	}
}

// Status returns all interfaces that the Loop knows, by name.
func (l *Loop) Status() []Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]Status, 0, len(l.lanes))
	for _, a := range l.lanes {
		s := a.status
		s.CoveredBy = slices.Clone(s.CoveredBy)
		c := a.counters()
		s.Received, s.Dropped = c.Received, c.Dropped
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Status) int {
		switch {
		case a.Interface.Name < b.Interface.Name:
			return -1
		case a.Interface.Name > b.Interface.Name:
			return 1
		}
		return 0
	})
	return list
}

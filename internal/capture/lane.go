package capture

import (
	"context"
	"errors"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// A lane is what the Loop knows of the interface with one name, for as long as
// the Loop lives, whether it exists or not.
type lane struct {
	status  Status
	link    Link // as listed last
	run     *run // nil while there is no source
	earlier Counters
	told    uint64 // drops that events have told of
	backoff time.Duration
	failure string // the error that an event has told of
}

// A run is one source from before it is opened until it has ended.
type run struct {
	lane     *lane
	key      key
	cancel   context.CancelFunc
	ring     int // bytes it may take or, once open, takes
	opened   *Opened
	began    time.Time
	stopping bool // by us
}

// A key is what a source depends on: when it changes, another is opened.
type key struct {
	index       int
	hardware    uint16
	served      string
	filter      string
	promiscuous bool
}

// counters are the totals of all runs so far.
func (a *lane) counters() Counters {
	c := a.earlier
	if a.run != nil && a.run.opened != nil {
		now := a.run.opened.Counters()
		c.Received += now.Received
		c.Dropped += now.Dropped
	}
	return c
}

// start opens a source for the lane and runs it, on a goroutine of its own
// because both can take long.
func (l *Loop) start(ctx context.Context, a *lane, ring int) {
	ctx, cancel := context.WithCancel(ctx)
	r := &run{lane: a, key: l.key(a.link), cancel: cancel, ring: ring, began: time.Now()}
	a.run = r
	l.running++
	if a.status.State != StateFailed { // which stands until it is known better
		l.set(a, StateWaiting, "being opened")
	}
	link, cfg := a.link, OpenConfig{RingBytes: ring, Promiscuous: l.cfg.Promiscuous, Filter: l.cfg.Filter}
	link.Filter = l.cfg.Filter.Text
	go func() {
		opened, err := l.platform.Open(link, cfg)
		if err == nil {
			l.inbox <- func() { r.opened, r.ring = &opened, opened.RingBytes }
			err = opened.Run(ctx, &announcer{l.sink, l, r})
		}
		l.inbox <- func() { l.ended(r, err) }
	}()
}

// An announcer passes everything on to the sink and tells the Loop what the
// interface is called there.
type announcer struct {
	Sink
	loop *Loop
	run  *run
}

// Interface implements Sink.
func (s *announcer) Interface(i packet.Interface) (packet.InterfaceID, error) {
	id, err := s.Sink.Interface(i)
	if err == nil {
		s.loop.inbox <- func() { s.loop.announced(s.run, i, id) }
	}
	return id, err
}

// announced notes that packets are coming from now on.
func (l *Loop) announced(r *run, i packet.Interface, id packet.InterfaceID) {
	s := &r.lane.status
	s.Interface, s.ID, s.Announced = i, id, true
	s.Backend, s.Note, s.RingBytes = r.opened.Backend, r.opened.Note, r.ring
	s.Err, s.Retry, r.lane.failure = nil, time.Time{}, ""
	if !r.stopping {
		l.setRunning(r.lane)
		l.describe(r.lane) // it may have changed since it was opened
	}
	if l.checkAt.IsZero() {
		l.checkAt = time.Now().Add(checkDrops)
	}
}

// setRunning sets the state of a lane whose source runs.
func (l *Loop) setRunning(a *lane) {
	if a.link.Up {
		l.set(a, StateCapturing, "")
	} else {
		l.set(a, StateDown, "the interface is down")
	}
}

// stop ends a lane's source, if it has one; the rest follows in ended.
func (l *Loop) stop(a *lane, reason string) {
	if a.run == nil || a.run.stopping {
		return
	}
	a.run.stopping = true
	a.run.cancel()
	l.set(a, StateWaiting, reason)
}

// ended settles a source that has ended or could not be opened.
func (l *Loop) ended(r *run, err error) {
	a := r.lane
	r.cancel()
	a.earlier = a.counters()
	a.run = nil
	a.status.RingBytes = 0
	l.running--
	l.tellDrops(a)
	if r.stopping || errors.Is(err, ErrVanished) {
		// The list knows what has become of it. Should it still be there, it
		// is opened again, but not time and again without a pause.
		if !r.stopping {
			l.set(a, StateWaiting, ErrVanished.Error())
			a.status.Retry = time.Now().Add(firstBackoff)
		}
		l.listAt = time.Now()
		return
	}
	if err == nil {
		err = errors.New("the source ended by itself")
	}
	l.failed(a, err, time.Since(r.began))
}

// failed notes an error and plans the next try.
func (l *Loop) failed(a *lane, err error, lasted time.Duration) {
	if lasted >= steady {
		a.backoff, a.failure = 0, ""
	}
	a.backoff = min(max(2*a.backoff, firstBackoff), lastBackoff)
	a.status.Err = err
	a.status.Backend, a.status.Note = "", "" // those of the source before
	a.status.Retry = time.Now().Add(a.backoff)
	l.listBy(a.status.Retry)
	l.set(a, StateFailed, err.Error())
	if text := err.Error(); text != a.failure {
		a.failure = text
		l.event(a, Event{Kind: Failed, Err: err})
	}
}

// listBy sees to it that the next listing is at the given time at the latest.
func (l *Loop) listBy(at time.Time) {
	if l.listAt.IsZero() || at.Before(l.listAt) {
		l.listAt = at
	}
}

// set changes a lane's state and tells if recording began or ended with it.
func (l *Loop) set(a *lane, state State, reason string) {
	s := &a.status
	before := s.State
	if state != StateCovered {
		s.CoveredBy = nil
	}
	if before == state && s.Reason == reason {
		return
	}
	s.Reason = reason
	if before != state {
		s.State, s.Since = state, time.Now()
	}
	switch {
	case state == StateCapturing && before != state:
		l.event(a, Event{Kind: Started})
	case before == StateCapturing && before != state:
		l.event(a, Event{Kind: Stopped, Reason: reason})
	}
}

// event queues an event of a lane.
func (l *Loop) event(a *lane, e Event) {
	e.Time = time.Now()
	e.Interface, e.ID, e.Announced = a.status.Interface, a.status.ID, a.status.Announced
	l.events = append(l.events, e)
}

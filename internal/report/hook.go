// Package report carries the log to where administrators look for it: the Event
// Log of Windows, or the journal of systemd.
package report

import (
	"errors"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/eventlog"
)

// ErrNone means that there is no system's log to report to, other than what
// standard error is connected to.
var ErrNone = errors.New("standard error is not connected to the journal")

// A Sink takes what is to be reported. Its methods may be called at the same
// time.
type Sink interface {
	// Event reports an event.
	Event(eventlog.Occurrence) error
	// Plain takes an entry of the log that is no event, and no warning.
	Plain(level logrus.Level, text string) error
}

// A Hook reports the entries of a logger to a Sink. Events are limited in
// number, so that a flapping interface cannot flood what others look at, too;
// what was left out is told later.
//
// A goroutine of its own hands the entries over. A system's log that hangs
// holds up nobody but the reader of it: neither capture, whose interfaces come
// and go by a goroutine that logs, nor the end of a dump or of the service.
type Hook struct {
	sink    Sink
	limit   *limiter
	waiting chan func() error // what is to be reported
	closing chan struct{}     // closed when nothing more comes
	ended   chan struct{}     // closed when all of it has been reported
}

const (
	// mostWaiting is how many entries may wait; of long ones that is 2 MiB.
	mostWaiting = 128
	// closePatience is how long the last of them may take.
	closePatience = time.Second
)

// NewHook makes a hook for a sink. It has to be closed.
func NewHook(sink Sink) *Hook {
	h := &Hook{
		sink:    sink,
		waiting: make(chan func() error, mostWaiting),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
	}
	h.limit = newLimiter(func(s suppressed) {
		// There is nobody left to tell of a failure.
		_ = sink.Event(eventlog.EventsSuppressed(s.id, s.count, s.subjects(), s.period))
	})
	go h.work()
	return h
}

// work reports what waits.
func (h *Hook) work() {
	defer close(h.ended)
	for {
		select {
		case report := <-h.waiting:
			_ = report() // as above
		case <-h.closing:
			for len(h.waiting) > 0 {
				_ = (<-h.waiting)()
			}
			h.limit.flush()
			return
		}
	}
}

// offer has something reported, or reports false if too much waits already.
func (h *Hook) offer(report func() error) bool {
	select {
	case h.waiting <- report:
		return true
	default:
		return false
	}
}

// Levels implements logrus.Hook.
func (h *Hook) Levels() []logrus.Level { return logrus.AllLevels }

// Fire implements logrus.Hook. A warning that is no event of the catalogue is
// reported as one all the same: none may vanish.
func (h *Hook) Fire(entry *logrus.Entry) error {
	o, ok := entry.Data[eventlog.Field].(eventlog.Occurrence)
	if !ok {
		text, err := entry.String()
		if err != nil {
			return err
		}
		text = strings.TrimRight(text, "\n")
		if level := entry.Level; level > logrus.WarnLevel {
			h.offer(func() error { return h.sink.Plain(level, text) })
			return nil
		}
		o = eventlog.Unnumbered(text)
	}
	if !h.limit.allow(o) || !h.offer(func() error { return h.sink.Event(o) }) {
		h.limit.leave(o)
	}
	return nil
}

// Close waits, for a second at most, until everything has been reported, in the
// end what was left out.
func (h *Hook) Close() {
	close(h.closing)
	select {
	case <-h.ended:
	case <-time.After(closePatience):
	}
}

// Package report carries the log to where administrators look for it: the Event
// Log of Windows, or the journal of systemd.
package report

import (
	"errors"
	"strings"

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
type Hook struct {
	sink  Sink
	limit *limiter
}

// NewHook makes a hook for a sink.
func NewHook(sink Sink) *Hook {
	h := &Hook{sink: sink}
	h.limit = newLimiter(func(s suppressed) {
		// There is nobody left to tell of a failure.
		_ = sink.Event(eventlog.EventsSuppressed(s.id, s.count, s.subjects(), s.period))
	})
	return h
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
		if entry.Level > logrus.WarnLevel {
			return h.sink.Plain(entry.Level, text)
		}
		o = eventlog.Unnumbered(text)
	}
	if !h.limit.allow(o) {
		return nil
	}
	return h.sink.Event(o)
}

// Close tells at once what was left out.
func (h *Hook) Close() { h.limit.flush() }
